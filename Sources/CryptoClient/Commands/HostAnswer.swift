public import NIOCore

/// Any answer, split as far as it can be without knowing the command: its code, error code and fields.
public struct HostReply: Sendable, Hashable {
    /// The request's command with its second letter advanced.
    public let command: HostCommandCode
    public let error: HostErrorCode
    /// What follows the error code, without the trailer.
    public let body: ByteBuffer

    public init(command: HostCommandCode, error: HostErrorCode, body: ByteBuffer) {
        self.command = command
        self.error = error
        self.body = body
    }

    /// Splits a frame that came as an answer; `trailerLength` is that of the request's trailer, nil for none.
    public init(_ frame: HostFrame, trailerLength: Int? = nil) throws(FieldError) {
        var reader = FieldReader(frame.body)
        let code: UInt16 = try reader.integer(.header)
        guard let error = HostErrorCode(bytes: code) else { throw FieldError(.inputData, in: .header) }
        var fields = reader.all()
        // A server that could not read a request to its end refuses it without the trailer it did not find.
        let isBareRefusal = error != .noError && fields.readableBytes == 0
        if let trailerLength, !isBareRefusal {
            let end = fields.writerIndex - trailerLength - 1
            guard end >= fields.readerIndex, fields.getInteger(at: end) == MessageEnd.trailerMark else {
                throw FieldError(.dataLength, in: .trailer)
            }
            fields.moveWriterIndex(to: end)
        }
        self.init(command: frame.command, error: error, body: fields)
    }

    /// The body as an array, for programs that do not use NIO.
    public var bytes: [UInt8] { Array(body.readableBytesView) }
}

/// Writes answers behind one another into one buffer, so that a batch of requests is answered by one write.
public struct HostAnswerWriter: Sendable {
    /// The answers so far, each a whole frame.
    public private(set) var buffer: ByteBuffer
    /// Whoever sends it may still hold the buffer; the next answer begins it anew.
    private var isLent = false
    /// Memory that is kept for the next answers; more is given back.
    private static let keptCapacity = 65_536

    public init(_ buffer: ByteBuffer = ByteBuffer()) {
        self.buffer = buffer
    }

    /// Lends the answers for sending, nil where there are none, and starts anew with the next one: in the same memory if by
    /// then it has been let go.
    public mutating func lend() -> ByteBuffer? {
        guard !isLent, buffer.readableBytes > 0 else { return nil }
        isLent = true
        return buffer
    }

    /// Forgets the answers so far.
    public mutating func clear() {
        isLent = false
        buffer = ByteBuffer()
    }

    private mutating func begin() {
        guard isLent else { return }
        isLent = false
        if buffer.capacity > Self.keptCapacity { buffer = ByteBuffer() } else { buffer.clear() }
    }

    /// Answers a request with its code and, where it has one, a MAC in hexadecimal digits: nearly every answer there is, in
    /// one piece.
    ///
    /// `header` is the client header in memory order, at most eight bytes; `code` the two digits of the error code, big-endian;
    /// the MAC stands in the low `macCount` bytes (0, 4 or 8) of `mac`.
    public mutating func answer(
        header: UInt64, length: Int, command: HostCommandCode, code: UInt16, mac: UInt64 = 0, macCount: Int = 0
    ) {
        precondition((0...8).contains(length) && (0...8).contains(macCount), "a short header and a MAC")
        begin()
        let count = 2 + length + 4 + 2 * macCount
        unsafe buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: 32) { room in
            unsafe room.storeBytes(of: UInt16(count - 2).bigEndian, as: UInt16.self)
            // Eight bytes whatever its length: what is too much is written over.
            unsafe room.storeBytes(of: header.littleEndian, toByteOffset: 2, as: UInt64.self)
            unsafe room.storeBytes(of: command.reply.rawValue.bigEndian, toByteOffset: 2 + length, as: UInt16.self)
            unsafe room.storeBytes(of: code.bigEndian, toByteOffset: 4 + length, as: UInt16.self)
            for place in 0..<2 * macCount {
                let digit = Hexadecimal.digit(UInt8(truncatingIfNeeded: mac >> UInt64(4 * (2 * macCount - 1 - place))))
                unsafe room.storeBytes(of: digit, toByteOffset: 6 + length + place, as: UInt8.self)
            }
            return count
        }
    }

    /// Answers `request` with success and fields. `trailer` is the one of the request.
    public mutating func answer(
        _ request: HostFrame, with fields: some HostReplyFields, trailer: ByteBuffer? = nil
    ) {
        answer(request, error: .noError, trailer: trailer) { fields.write(into: &$0) }
    }

    /// Answers `request` with an error code and no fields.
    public mutating func refuse(_ request: HostFrame, _ error: HostErrorCode, trailer: ByteBuffer? = nil) {
        answer(request, error: error, trailer: trailer) { _ in }
    }

    /// Answers what is not a frame: a header of zeros (X'30'), the code `??`, and why. So that a client whose frames are
    /// wrong hears of it; it cannot be told which request it was.
    public mutating func refuse(_ error: FrameError, format: HostFrameFormat) {
        let header = ByteBuffer(repeating: 0x30, count: format.headerLength)
        let unreadable = HostFrame(header: header, command: .unreadable, body: ByteBuffer())
        refuse(unreadable, error.code)
    }

    /// Takes the buffer away and starts a new one.
    public mutating func take() -> ByteBuffer {
        defer { clear() }
        return isLent ? ByteBuffer() : buffer
    }

    private mutating func answer(
        _ request: HostFrame, error: HostErrorCode, trailer: ByteBuffer?, fields: (inout ByteBuffer) -> Void
    ) {
        begin()
        let start = buffer.writerIndex
        buffer.writeInteger(UInt16(0))
        buffer.writeBytes(of: request.header)
        buffer.writeInteger(request.command.reply.rawValue)
        buffer.writeInteger(error.bytes)
        fields(&buffer)
        buffer.writeTrailer(trailer)
        let length = buffer.writerIndex - start - 2
        guard length <= HostFrameFormat.largestLength else {
            // No field of ours gets this long; should one ever, the client hears of it instead of losing its place.
            buffer.moveWriterIndex(to: start)
            refuse(request, .dataLength)
            return
        }
        buffer.setInteger(UInt16(length), at: start)
    }
}
