import HSMBridge
import NIOCore
import NIOPosix

/// One connection to the module's socket, owned by one event loop: what was gathered since the last message goes as the next.
///
/// Messages are answered in order, so a queue of runs is all the bookkeeping there is. When the connection ends, every request is
/// answered with `unavailable`, at once and once; then it is tried again, at growing intervals.
final class ModuleChannel {
    /// Messages on their way; while there are so many, requests gather for the next.
    private static let messagesInFlight = 2
    /// The same for signatures: a thread that calculates for whole slices of the scheduler's time needs the next ones at hand while
    /// this loop waits for its turn on the processor.
    private static let signaturesInFlight = 3
    /// How few items are worth looking for, and the bytes that their answers have at most.
    private static let fewItems = 4
    private static let fewBytes = 4_096
    /// Signatures in one message: some, so that the module has work while answers are on their way, and no more, for the first waits
    /// for the last.
    private static let signatures = 8
    static let itemLimit = ModuleMessageLimits.maximumItems / 2
    static let byteLimit = ModuleMessageLimits.maximumLength / 4

    private struct Message {
        let bytes: ByteBuffer
        let runs: [ModuleRun]
        let items: Int
        let sent: NIODeadline
    }

    private let path: String
    private let eventLoop: any EventLoop
    private let replyTime: TimeAmount
    /// Hears of the answers run by run, and when all of a message are in.
    private unowned let loop: HostLoop
    private let queueLimit: Int
    private let way: LoopFigures.ModuleWay
    /// Items of one message, and messages on their way.
    private let mostItems: Int
    private let mostInFlight: Int

    private var context: ChannelHandlerContext?
    private var socket: DirectSocket?
    /// Writes that the channel has not finished, because the socket did not take everything: what follows goes behind them.
    private var backlog = 0
    private var inFlight = CircularBuffer<Message>()
    private var full = CircularBuffer<Message>()
    /// Items of both.
    private var cutItems = 0
    private var message = ModuleMessage()
    private var runs: [ModuleRun] = []
    private var flushIsDue = false
    /// Cuts what was read without the channel.
    private var cutter: ModuleReplyCutter?
    private var look = BriefLook()
    /// What is gathered now goes when `catchAnswers` says.
    private var isCatching = false
    private var retryMilliseconds: Int64 = 20
    private var isStopped = false

    init(loop: HostLoop, way: LoopFigures.ModuleWay) {
        self.loop = loop
        self.way = way
        mostItems = way == .signing ? Self.signatures : Self.itemLimit
        mostInFlight = way == .signing ? Self.signaturesInFlight : Self.messagesInFlight
        path = loop.settings.moduleSocket
        queueLimit = loop.settings.moduleQueueLimit
        eventLoop = loop.eventLoop
        replyTime = .seconds(Int64(loop.settings.moduleSeconds))
    }

    var isConnected: Bool { context != nil }

    /// Items gathered or sent and not answered.
    var waiting: Int { message.count + cutItems }

    /// No more is taken until something is answered: a module that is slower than its callers must not fill this process.
    var isFull: Bool { waiting >= queueLimit }

    // MARK: Gathering

    /// Adds one command; `write` appends exactly one item. False, and nothing is kept, where the module is away, too much
    /// waits for it already, or nothing was written.
    func add(_ run: ModuleRun, _ write: (inout ModuleMessage) -> Void) -> Bool {
        guard context != nil, !isFull else { return false }
        let before = message.count
        write(&message)
        guard message.count > before else { return false }
        runs.append(run)
        afterAdding()
        return true
    }

    /// Lends the message for the items of whole runs; `write` appends as many items as its runs count. Not to be called
    /// while the module is away.
    func gather<R>(_ write: (inout ModuleMessage, inout [ModuleRun]) -> R) -> R {
        let result = write(&message, &runs)
        if message.count > 0 { afterAdding() }
        return result
    }

    private func afterAdding() {
        if message.count >= mostItems || message.byteCount >= Self.byteLimit { cut() }
        guard !flushIsDue else { return }
        flushIsDue = true
        if !isCatching { scheduleFlush() }
    }

    /// Runs when all channels that are readable in this turn of the loop have been read.
    private func scheduleFlush() {
        eventLoop.assumeIsolated().execute {
            self.flush()
            self.catchAnswers()
        }
    }

    private func cut() {
        let items = message.count
        cutItems += items
        full.append(Message(bytes: message.take(), runs: runs, items: items, sent: .distantFuture))
        runs = []
    }

    private func flush() {
        flushIsDue = false
        guard let context else { return }
        while inFlight.count < mostInFlight {
            if full.isEmpty, message.count > 0 { cut() }
            guard let next = full.popFirst() else { break }
            inFlight.append(Message(bytes: next.bytes, runs: next.runs, items: next.items, sent: .now()))
            loop.meter.sentToModule(items: next.items, way)
            write(next.bytes, context)
        }
    }

    private func write(_ bytes: ByteBuffer, _ context: ChannelHandlerContext) {
        var rest = bytes
        if backlog == 0, let socket { rest.moveReaderIndex(forwardBy: socket.send(bytes)) }
        guard rest.readableBytes > 0 else { return }
        backlog += 1
        // A later connection to the module begins without a backlog.
        let context = context
        context.writeAndFlush(NIOAny(rest)).assumeIsolated().whenComplete { _ in
            if self.context === context { self.backlog -= 1 }
        }
    }

    /// Ends a connection whose answer is overdue. Called at each tick.
    func checkDeadline(_ now: NIODeadline) {
        if let oldest = inFlight.first, oldest.sent + replyTime < now { context?.close(promise: nil) }
    }

    // MARK: Few at a time

    /// A message of few items is answered in the time that the kernel needs to switch to the module and back. To go back to the
    /// loop for that, and find the answer through its poll and the channel, costs more than the calculation: so the loop looks at this
    /// socket a few times first, with nothing else on its way.
    private func catchAnswers() {
        isCatching = true
        defer { isCatching = false }
        while catchAnswer(), loop.catchRequest() { flush() }
        // What was gathered and not sent has no turn of its own on its way.
        if flushIsDue { scheduleFlush() }
    }

    /// True where the answer to the only message on its way came, and it was of few items.
    private func catchAnswer() -> Bool {
        guard way == .hot, let socket, let cutter, inFlight.count == 1, full.isEmpty, let sent = inFlight.first,
            sent.items <= Self.fewItems
        else { return false }
        while !inFlight.isEmpty {
            guard let caught = look.take(from: socket, limit: Self.fewBytes) else { return false }
            guard cutter.take(caught) else {
                context?.close(promise: nil)
                return false
            }
        }
        return true
    }

    // MARK: Connection

    /// Connects, and connects again whenever the connection is lost, until `stop`. The future ends with the first attempt.
    func start() -> EventLoopFuture<Void> {
        let bound = NIOLoopBound(self, eventLoop: eventLoop)
        let attempt = ClientBootstrap(group: eventLoop)
            .connectTimeout(.seconds(5))
            .channelOption(
                .recvAllocator, value: AdaptiveRecvByteBufferAllocator(minimum: 512, initial: 16_384, maximum: 262_144)
            )
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(ModuleReplyCutter(bound.value))
                }
            }
            .connect(unixDomainSocketPath: path)
        return attempt.map { _ in }.flatMapErrorThrowing { _ in bound.value.retryLater() }
    }

    func stop() {
        isStopped = true
        context?.close(promise: nil)
    }

    private func retryLater() {
        guard !isStopped else { return }
        let delay = TimeAmount.milliseconds(retryMilliseconds)
        retryMilliseconds = min(retryMilliseconds * 2, 500)
        eventLoop.assumeIsolated().scheduleTask(in: delay) {
            guard !self.isStopped else { return }
            _ = self.start()
        }
    }

    fileprivate func opened(_ context: ChannelHandlerContext, _ cutter: ModuleReplyCutter) {
        guard !isStopped else { return context.close(promise: nil) }
        self.context = context
        self.cutter = cutter
        socket = DirectSocket(context.channel)
        backlog = 0
        loop.meter.moduleConnected()
        loop.moduleConnected()
    }

    fileprivate func closed() {
        guard context != nil else { return }
        context = nil
        socket = nil
        cutter = nil
        loop.meter.moduleLost(waiting: waiting)
        let lost = inFlight.map(\.runs) + full.map(\.runs) + [runs]
        inFlight.removeAll()
        full.removeAll()
        cutItems = 0
        message = ModuleMessage()
        runs = []
        for run in lost.joined() { loop.lose(run) }
        loop.flushDirty()
        retryLater()
    }

    /// Takes the next message of answers; false when it does not fit what was asked, after which nothing can be trusted.
    fileprivate func receive(_ reply: ByteBuffer, from start: Int, count: Int) -> Bool {
        guard let message = inFlight.popFirst() else { return false }
        cutItems -= message.items
        loop.meter.moduleAnswered(nanoseconds: UInt64((NIODeadline.now() - message.sent).nanoseconds))
        let isWhole = unsafe reply.withUnsafeReadableBytes { readable in
            let bytes = unsafe UnsafeRawBufferPointer(rebasing: readable[start..<start + count])
            var replies = unsafe ModuleReplies(bytes)
            guard replies.isWhole, replies.count == message.items else {
                for run in message.runs { loop.lose(run) }
                return false
            }
            var items = SentItems(message.bytes)
            var item = 0
            for run in message.runs {
                loop.take(run, from: self, item, &replies, &items)
                item += run.count
            }
            return replies.isWhole && replies.isAtEnd
        }
        if isWhole { retryMilliseconds = 20 }
        self.message.reuse(message.bytes)
        // First the module gets what has gathered meanwhile: it calculates while the answers are written.
        if !flushIsDue { flush() }
        loop.flushDirty()
        return isWhole
    }
}

/// Cuts the module's stream of answers into messages.
private final class ModuleReplyCutter: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let owner: ModuleChannel
    /// The beginning of a message that is not whole yet.
    private var pending = ByteBuffer()

    init(_ owner: ModuleChannel) { self.owner = owner }

    func channelActive(context: ChannelHandlerContext) { owner.opened(context, self) }

    func channelInactive(context: ChannelHandlerContext) { owner.closed() }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        if !take(unwrapInboundIn(data)) { context.close(promise: nil) }
    }

    /// False where the stream cannot be followed.
    fileprivate func take(_ bytes: ByteBuffer) -> Bool {
        var read = bytes
        if pending.readableBytes > 0 {
            pending.writeImmutableBuffer(read)
            read = pending
            pending = ByteBuffer()
        }
        while let length = read.getInteger(at: read.readerIndex, as: UInt32.self) {
            guard length <= ModuleMessageLimits.maximumLength else { return false }
            guard read.readableBytes >= 4 + Int(length) else { break }
            guard owner.receive(read, from: 4, count: Int(length)) else { return false }
            read.moveReaderIndex(forwardBy: 4 + Int(length))
        }
        if read.readableBytes > 0 {
            // Bytes of its own, with room for the rest: the read's memory serves the next read.
            if let length = read.getInteger(at: read.readerIndex, as: UInt32.self) {
                pending.reserveCapacity(4 + Int(length))
            }
            pending.writeImmutableBuffer(read)
        }
        return true
    }
}
