public import NIOCore

/// A command's request as a value: read from the fields by a server, written by a client.
///
/// Conformers know nothing of header, length and trailer. `init(from:)` takes exactly the command's own fields; what may
/// follow them in every command (`%nn`, X'19' trailer) is `MessageEnd`.
public protocol HostCommand: Sendable {
    associatedtype Reply: HostReplyFields

    static var code: HostCommandCode { get }

    init(from reader: inout FieldReader) throws(FieldError)
    func write(into buffer: inout ByteBuffer)

    /// Fields that stand behind the LMK identifier: the key attributes of A0 and their like. Most commands have none.
    mutating func readOptions(from reader: inout FieldReader) throws(FieldError)
    func writeOptions(into buffer: inout ByteBuffer)
}

extension HostCommand {
    public mutating func readOptions(from reader: inout FieldReader) throws(FieldError) {}
    public func writeOptions(into buffer: inout ByteBuffer) {}

    /// Reads the whole body of a request, its end included.
    public static func parse(_ body: ByteBuffer) throws(FieldError) -> (command: Self, end: MessageEnd) {
        var reader = FieldReader(body)
        var command = try Self(from: &reader)
        var end = MessageEnd()
        end.lmkIdentifier = try reader.lmkIdentifier()
        try command.readOptions(from: &reader)
        end.trailer = try reader.trailer()
        try reader.end()
        return (command, end)
    }

    /// The whole body of a request.
    public func body(end: MessageEnd = .none) -> ByteBuffer {
        var buffer = ByteBuffer()
        write(into: &buffer)
        buffer.writeLMKIdentifier(end.lmkIdentifier)
        writeOptions(into: &buffer)
        buffer.writeTrailer(end.trailer)
        return buffer
    }
}

/// The fields of a successful answer, behind the error code `00`.
public protocol HostReplyFields: Sendable {
    init(from reader: inout FieldReader) throws(FieldError)
    func write(into buffer: inout ByteBuffer)
}

extension HostReplyFields {
    /// Reads the whole body of an answer whose trailer, if any, has been taken off.
    public static func parse(_ body: ByteBuffer) throws(FieldError) -> Self {
        var reader = FieldReader(body)
        let reply = try Self(from: &reader)
        try reader.end()
        return reply
    }
}

/// The answer that says all by its error code.
public struct EmptyReply: HostReplyFields {
    public init() {}
    public init(from reader: inout FieldReader) throws(FieldError) {}
    public func write(into buffer: inout ByteBuffer) {}
}
