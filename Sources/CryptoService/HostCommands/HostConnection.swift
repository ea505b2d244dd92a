import CryptoClient
import NIOCore

/// One client on the host-command port: cuts its frames, keeps its answers in the order of its requests, and knows its limits.
///
/// Lives on its event loop and asks `HostLoop` for everything that is not its own.
final class HostConnection: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// Who speaks on this connection, and from where.
    struct Identity: Sendable {
        let client: String
        let origin: String
    }

    private struct Pending {
        let frame: HostFrame
        var trailer: ByteBuffer?
        var answer: HostAnswer?
    }

    let identity: Identity
    let keys: ClientKeys
    private let loop: HostLoop
    private let inFlightLimit: Int
    private var stream: HostFrameStream
    private var pending = CircularBuffer<Pending>()
    /// The number of the oldest request that waits.
    private var firstSequence = 0
    private var answers = HostAnswerWriter()
    private var context: ChannelHandlerContext?

    /// On the loop's list of connections to be flushed.
    var isDirty = false
    /// The client's half is closed, or the server stops, or the stream cannot be followed: answer what waits, then close.
    private var isEnding = false
    private var inputIsClosed = false
    private var isClosing = false
    private var readIsHeld = false
    /// When the first byte of the frame that is not whole yet was seen.
    private var partialSince: NIODeadline?
    private var endingSince = NIODeadline.distantFuture
    private var lastRequest = NIODeadline.now()

    init(_ identity: Identity, loop: HostLoop) {
        self.identity = identity
        self.loop = loop
        keys = loop.keys(of: identity.client)
        inFlightLimit = max(1, loop.settings.inFlightLimit)
        stream = HostFrameStream(
            HostFrameFormat(headerLength: loop.settings.headerLength, maximumLength: loop.settings.frameLimit))
    }

    // MARK: Answers

    /// Answers request number `sequence`. Later answers wait for earlier ones.
    func complete(_ sequence: Int, _ answer: HostAnswer) {
        guard context != nil else { return }
        let offset = sequence - firstSequence
        guard offset >= 0, offset < pending.count else { return }
        let index = pending.index(pending.startIndex, offsetBy: offset)
        guard offset == 0 else {
            pending[index].answer = answer
            return
        }
        let first = pending.removeFirst()
        firstSequence += 1
        answer.write(for: first.frame, trailer: first.trailer, into: &answers)
        while let next = pending.first, let ready = next.answer {
            pending.removeFirst()
            firstSequence += 1
            ready.write(for: next.frame, trailer: next.trailer, into: &answers)
        }
        loop.markDirty(self)
    }

    /// The frame of a request that waits, for a second try.
    func frame(_ sequence: Int) -> HostFrame? {
        let offset = sequence - firstSequence
        guard offset >= 0, offset < pending.count else { return nil }
        return pending[pending.index(pending.startIndex, offsetBy: offset)].frame
    }

    /// Keeps the trailer that the answer has to end with.
    func setTrailer(_ trailer: ByteBuffer, _ sequence: Int) {
        let offset = sequence - firstSequence
        guard offset >= 0, offset < pending.count else { return }
        pending[pending.index(pending.startIndex, offsetBy: offset)].trailer = trailer
    }

    /// Writes the answers of this turn and takes up the requests that had to wait for them.
    func flush() {
        isDirty = false
        guard let context else { return }
        if answers.buffer.readableBytes > 0 { context.writeAndFlush(NIOAny(answers.take()), promise: nil) }
        takeFrames()
        if isEnding, !isDirty, pending.isEmpty { return closeBehindAnswers(context) }
        releaseRead()
    }

    private func closeBehindAnswers(_ context: ChannelHandlerContext) {
        if inputIsClosed, stream.pendingBytes > 0 {
            // The client said no more in the middle of a frame.
            stream = HostFrameStream(stream.format)
            return refuse(.truncated(missing: 1))
        }
        guard !isClosing else { return }
        isClosing = true
        context.writeAndFlush(NIOAny(ByteBuffer())).assumeIsolated().whenComplete { _ in context.close(promise: nil) }
    }

    // MARK: Requests

    private var isStalled: Bool { pending.count >= inFlightLimit || !(context?.channel.isWritable ?? false) }

    private func takeFrames() {
        while !isStalled {
            do throws(FrameError) {
                guard let frame = try stream.next() else { break }
                partialSince = nil
                take(frame)
            } catch {
                partialSince = nil
                refuse(error)
                if error.endsConnection {
                    stream = HostFrameStream(stream.format)
                    return end()
                }
            }
        }
        if stream.pendingBytes == 0 {
            partialSince = nil
        } else if partialSince == nil {
            partialSince = .now()
        }
    }

    private func take(_ frame: HostFrame) {
        let sequence = firstSequence + pending.count
        pending.append(Pending(frame: frame))
        loop.take(frame, sequence, self)
    }

    /// What is not a frame has its place among the answers too.
    private func refuse(_ error: FrameError) {
        let header = ByteBuffer(repeating: 0x30, count: stream.format.headerLength)
        let sequence = firstSequence + pending.count
        pending.append(Pending(frame: HostFrame(header: header, command: .unreadable, body: ByteBuffer())))
        complete(sequence, .refused(error.code))
    }

    /// No more requests; what was accepted is answered.
    func end() {
        guard !isEnding else { return }
        isEnding = true
        endingSince = .now()
        loop.markDirty(self)
    }

    func closeNow() { context?.close(promise: nil) }

    /// Called at each tick of the loop.
    func checkTime(_ now: NIODeadline) {
        if let partialSince, !isEnding, partialSince + .seconds(Int64(loop.settings.frameSeconds)) < now {
            self.partialSince = nil
            refuse(.truncated(missing: 1))
            stream = HostFrameStream(stream.format)
            return end()
        }
        if isEnding, endingSince + .seconds(Int64(loop.settings.stopSeconds)) < now { return closeNow() }
        if let idle = loop.settings.idleSeconds, pending.isEmpty, lastRequest + .seconds(Int64(idle)) < now { end() }
    }

    // MARK: Channel

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        loop.add(self)
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.context = nil
        pending.removeAll()
        loop.remove(self)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !isEnding else { return }
        stream.receive(unwrapInboundIn(data))
        if loop.settings.idleSeconds != nil { lastRequest = .now() }
        takeFrames()
    }

    /// Answers that needed no module go out at the end of the read.
    func channelReadComplete(context: ChannelHandlerContext) { loop.flushDirty() }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        guard context.channel.isWritable else { return }
        loop.markDirty(self)
        loop.flushDirty()
    }

    func read(context: ChannelHandlerContext) {
        // Not reading is what tells a client that sends faster than it listens.
        guard !isStalled, !isEnding else {
            readIsHeld = true
            return
        }
        context.read()
    }

    private func releaseRead() {
        guard readIsHeld, !isStalled, !isEnding, let context else { return }
        readIsHeld = false
        context.read()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        guard let event = event as? ChannelEvent, event == .inputClosed else {
            return context.fireUserInboundEventTriggered(event)
        }
        inputIsClosed = true
        end()
        loop.flushDirty()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}
