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
        var door = ServiceDoor.tcp
        /// How fast the client may ask. A door that has counted already leaves it out.
        var rate = ClientRate.unlimited
    }

    /// A request that travels alone is hardly longer.
    private static let caughtBytes = 2_048
    private var look = BriefLook()

    let identity: Identity
    let keys: ClientKeys
    private let loop: HostLoop
    private let inFlightLimit: Int
    private let isPlain: Bool
    private var stream: HostFrameStream
    private var pending: PendingAnswers
    private var context: ChannelHandlerContext?
    /// Nil where TLS stands before the socket.
    private var socket: DirectSocket?
    /// Writes that the channel has not finished, because the socket did not take everything: what follows goes behind them.
    private var backlog = 0
    /// The key of the hot lane's last request.
    var lastKey: KeyEntry?
    /// When the read came that is being taken up, on the meter's clock.
    private var arrived: UInt64 = 0

    /// On the loop's list of connections to be flushed.
    var isDirty = false
    /// The client's half is closed, or the server stops, or the stream cannot be followed: answer what waits, then close.
    private var isEnding = false
    private var inputIsClosed = false
    private var isClosing = false
    private var readIsHeld = false
    private var endReason = ConnectionEnd.client
    /// When the first byte of the frame that is not whole yet was seen.
    private var partialSince: NIODeadline?
    private var endingSince = NIODeadline.distantFuture
    private var lastRequest = NIODeadline.now()
    private let openedAt = NIODeadline.now()
    private var hasSpoken = false

    /// `isPlain`: nothing stands between this handler and the socket that changes the bytes, as TLS does.
    init(_ identity: Identity, loop: HostLoop, isPlain: Bool) {
        self.isPlain = isPlain
        self.identity = identity
        self.loop = loop
        keys = loop.keys(of: identity.client)
        inFlightLimit = max(1, loop.settings.inFlightLimit)
        let format = HostFrameFormat(
            headerLength: loop.settings.headerLength, maximumLength: loop.settings.frameLimit)
        stream = HostFrameStream(format)
        pending = PendingAnswers(headerLength: format.headerLength, door: identity.door, meter: loop.meter)
    }

    /// Requests that wait for their answer.
    var waiting: Int { pending.count }

    // MARK: Answers

    /// Answers request number `sequence`. Later answers wait for earlier ones.
    func complete(_ sequence: Int, _ answer: HostAnswer) {
        guard context != nil else { return }
        if pending.complete(sequence, answer) { loop.markDirty(self) }
    }

    /// Takes answers to a run of requests as long as they are of the usual kind; `first` is the number of the run's first.
    func complete(_ run: ModuleRun, first: Int, _ replies: inout ModuleReplies, _ tally: inout RunTally) {
        pending.complete(run, first: first, &replies, &tally)
    }

    /// The answers of a run are in.
    func endOfRun() {
        if context != nil, pending.writeReady() { loop.markDirty(self) }
    }

    /// Keeps the trailer that the answer has to end with.
    func setTrailer(_ trailer: ByteBuffer, _ sequence: Int) { pending.setTrailer(trailer, sequence) }

    /// Writes the answers of this turn and takes up the requests that had to wait for them.
    func flush() {
        isDirty = false
        guard let context else { return }
        if let written = pending.takeWritten() { write(written, context) }
        if stream.pendingBytes > 0 { takeFrames() }
        if isEnding, !isDirty, pending.isEmpty { return closeBehindAnswers(context) }
        releaseRead()
    }

    private func write(_ answers: ByteBuffer, _ context: ChannelHandlerContext) {
        loop.meter.sent(bytes: answers.readableBytes)
        guard let socket else { return context.writeAndFlush(NIOAny(answers), promise: nil) }
        var rest = answers
        if backlog == 0 { rest.moveReaderIndex(forwardBy: socket.send(answers)) }
        guard rest.readableBytes > 0 else { return }
        backlog += 1
        context.writeAndFlush(NIOAny(rest)).assumeIsolated().whenComplete { _ in self.backlog -= 1 }
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

    /// How many requests may wait: none more where the client does not take its answers.
    private var room: Int { context?.channel.isWritable ?? false ? inFlightLimit : 0 }

    private func takeFrames() {
        let room = room
        while pending.count < room {
            if takeHotFrames(room) { continue }
            do throws(FrameError) {
                guard let frame = try stream.next() else { break }
                partialSince = nil
                take(frame)
            } catch {
                partialSince = nil
                refuse(error)
                if error.endsConnection {
                    stream = HostFrameStream(stream.format)
                    return end(.frameSize)
                }
            }
        }
        if stream.pendingBytes == 0 {
            partialSince = nil
        } else {
            stream.keepRest()
            // What waits for room among the answers may be whole: that the client does not take those is no slow frame.
            if pending.count >= room {
                partialSince = nil
            } else if partialSince == nil {
                partialSince = .now()
            }
        }
    }

    /// Takes what the hot lane takes; false where the next frame is none of its.
    private func takeHotFrames(_ room: Int) -> Bool {
        // The hot lane does not count: who has a rate is slower than it anyway.
        guard stream.pendingBytes > 0, !identity.rate.isLimited else { return false }
        let before = pending.count
        unsafe stream.take { bytes in unsafe loop.takeHotFrames(bytes, self, &pending, room: room, arrived: arrived) }
        guard pending.count > before else { return false }
        partialSince = nil
        return true
    }

    private func take(_ frame: HostFrame) {
        let sequence = pending.next
        pending.append(frame, arrived: arrived)
        guard identity.rate.take() == nil else {
            loop.surroundings.metrics.rateRefused(client: identity.client)
            return complete(sequence, .refused(.fraudDetection))
        }
        loop.take(frame, sequence, self)
    }

    /// What is not a frame has its place among the answers too.
    private func refuse(_ error: FrameError) {
        let header = ByteBuffer(repeating: 0x30, count: stream.format.headerLength)
        let sequence = pending.next
        pending.append(HostFrame(header: header, command: .unreadable, body: ByteBuffer()), arrived: arrived)
        complete(sequence, .refused(error.code))
    }

    /// No more requests; what was accepted is answered.
    func end(_ reason: ConnectionEnd) {
        guard !isEnding else { return }
        isEnding = true
        endReason = reason
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
            return end(.frameTime)
        }
        if isEnding, endingSince + .seconds(Int64(loop.settings.stopSeconds)) < now { return closeNow() }
        if !hasSpoken, let limit = loop.settings.firstByteSeconds, openedAt + .seconds(Int64(limit)) < now {
            end(.firstByte)
        }
        if let idle = loop.settings.idleSeconds, pending.isEmpty, lastRequest + .seconds(Int64(idle)) < now {
            end(.idle)
        }
    }

    // MARK: Channel

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        if isPlain { socket = DirectSocket(context.channel) }
        loop.meter.connectionOpened(identity.door)
        loop.add(self)
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.context = nil
        socket = nil
        pending.removeAll()
        loop.meter.connectionClosed(identity.door, endReason)
        loop.remove(self)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !isEnding else { return }
        loop.renewCatches()
        receive(unwrapInboundIn(data))
    }

    /// Takes up the next request if it comes at once, without the channel; true where anything came.
    func catchRequest() -> Bool {
        guard let socket, pending.isEmpty, stream.pendingBytes == 0, backlog == 0, !isEnding, !readIsHeld else {
            return false
        }
        guard let caught = look.take(from: socket, limit: Self.caughtBytes) else { return false }
        receive(caught)
        loop.flushDirty()
        return true
    }

    private func receive(_ read: ByteBuffer) {
        loop.meter.received(bytes: read.readableBytes)
        arrived = loop.meter.now()
        hasSpoken = true
        stream.receive(read)
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
        guard pending.count < room, !isEnding else {
            readIsHeld = true
            return
        }
        context.read()
    }

    private func releaseRead() {
        guard readIsHeld, pending.count < room, !isEnding, let context else { return }
        readIsHeld = false
        context.read()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if let reason = event as? ConnectionEnd {
            endReason = reason
            return
        }
        guard let event = event as? ChannelEvent, event == .inputClosed else {
            return context.fireUserInboundEventTriggered(event)
        }
        inputIsClosed = true
        end(.client)
        loop.flushDirty()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        endReason = .fault
        context.close(promise: nil)
    }
}
