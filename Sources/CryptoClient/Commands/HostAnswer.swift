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

    public init(_ buffer: ByteBuffer = ByteBuffer()) {
        self.buffer = buffer
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
        defer { buffer = ByteBuffer() }
        return buffer
    }

    private mutating func answer(
        _ request: HostFrame, error: HostErrorCode, trailer: ByteBuffer?, fields: (inout ByteBuffer) -> Void
    ) {
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
