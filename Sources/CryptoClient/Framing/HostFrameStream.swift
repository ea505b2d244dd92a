public import NIOCore

/// Cuts a stream of bytes into frames: give it each read, then take frames until there is none.
///
/// Made for batches: a server takes all frames of one read, answers them as one batch and writes once. When no half
/// frame was left over, the read's own storage is used and nothing is copied; frames are slices of it. Holds at most one
/// incomplete frame beyond the read in hand.
///
///     stream.receive(read)
///     while let frame = try stream.next() { … }
public struct HostFrameStream: Sendable {
    public let format: HostFrameFormat
    private var pending = ByteBuffer()

    public init(_ format: HostFrameFormat = HostFrameFormat()) {
        self.format = format
    }

    /// Bytes received and not yet taken as frames.
    public var pendingBytes: Int { pending.readableBytes }

    /// Bytes of storage held for them.
    public var pendingCapacity: Int { pending.capacity }

    public mutating func receive(_ read: ByteBuffer) {
        guard pending.readableBytes > 0 else {
            pending = read
            return
        }
        // Else a stream whose reads never end with a frame would keep all it ever brought.
        pending.discardReadBytes()
        pending.writeImmutableBuffer(read)
    }

    /// Lends what was received and not taken; `body` answers how many bytes it has taken: whole frames, from the front.
    ///
    /// For servers that read the commonest frames where they lie; `next` takes what they leave.
    @unsafe public mutating func take(_ body: (UnsafeRawBufferPointer) -> Int) {
        let taken = unsafe pending.withUnsafeReadableBytes { unsafe body($0) }
        precondition((0...pending.readableBytes).contains(taken), "more was taken than there is")
        pending.moveReaderIndex(forwardBy: taken)
        // Lets go of the read, so that its memory can serve the next one.
        if pending.readableBytes == 0 { pending = ByteBuffer() }
    }

    /// Puts the half frame at the end of a read into bytes of its own, for the same reason.
    public mutating func keepRest() {
        guard pending.readableBytes < pending.capacity / 2 else { return }
        pending = ByteBuffer(bytes: pending.readableBytesView)
    }

    /// The next whole frame; nil when more bytes are needed.
    ///
    /// After an error with `endsConnection` false the bad frame is gone and the next call goes on behind it; after one
    /// with true every further call throws it again.
    public mutating func next() throws(FrameError) -> HostFrame? {
        guard let announced = pending.getInteger(at: pending.readerIndex, as: UInt16.self) else { return nil }
        let length = Int(announced)
        guard length <= format.maximumLength else {
            throw .oversized(length: length, limit: format.maximumLength)
        }
        guard pending.readableBytes >= 2 + length else { return nil }
        pending.moveReaderIndex(forwardBy: 2)
        guard length >= format.headerLength + 2 else {
            pending.moveReaderIndex(forwardBy: length)
            throw length == 0 ? .empty : .shorterThanHeader(length: length)
        }
        guard let header = pending.readSlice(length: format.headerLength),
            let command = pending.readInteger(as: UInt16.self),
            let body = pending.readSlice(length: length - format.headerLength - 2)
        else { return nil }
        return HostFrame(header: header, command: HostCommandCode(rawValue: command), body: body)
    }

    /// To be called when the peer has closed: throws `truncated` when a frame was cut off.
    public func end() throws(FrameError) {
        guard pending.readableBytes > 0 else { return }
        let announced = pending.getInteger(at: pending.readerIndex, as: UInt16.self).map { 2 + Int($0) } ?? 2
        throw .truncated(missing: max(announced - pending.readableBytes, 1))
    }
}

/// The same as a decoder for NIO's own handlers, for programs that want one frame at a time.
public struct HostFrameDecoder: NIOSingleStepByteToMessageDecoder {
    public typealias InboundOut = HostFrame

    private var stream: HostFrameStream

    public init(_ format: HostFrameFormat = HostFrameFormat()) {
        stream = HostFrameStream(format)
    }

    public mutating func decode(buffer: inout ByteBuffer) throws -> HostFrame? {
        var attempt = stream
        attempt.receive(buffer)
        defer { buffer.moveReaderIndex(forwardBy: buffer.readableBytes - attempt.pendingBytes) }
        return try attempt.next()
    }

    public mutating func decodeLast(buffer: inout ByteBuffer, seenEOF: Bool) throws -> HostFrame? {
        if let frame = try decode(buffer: &buffer) { return frame }
        guard seenEOF else { return nil }
        var rest = stream
        rest.receive(buffer)
        try rest.end()
        return nil
    }
}
