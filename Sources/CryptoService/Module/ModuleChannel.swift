import HSMBridge
import NIOCore
import NIOPosix

/// A place in a message to the module: what its answer is for.
struct ModuleSlot {
    enum Purpose {
        /// `OpenKey`, which goes along with the first command of a key.
        case open(KeyEntry)
        /// A request whose answer reads as `shape`. `key` is nil where the command has none.
        case answer(Asker, shape: AnswerShape, key: KeyEntry?, isRetry: Bool)
    }

    let purpose: Purpose
}

/// One connection to the module's socket, owned by one event loop: what was gathered since the last message goes as the next.
///
/// Messages are answered in order, so a queue of slots is all the bookkeeping there is. When the connection ends, every slot is
/// answered with `unavailable`, at once and once; then it is tried again, at growing intervals.
final class ModuleChannel {
    /// Receives each answer, in the order of the slots, and hears when all answers of a message are in.
    struct Receiver {
        let answer: (ModuleSlot, ModuleAnswer) -> Void
        let endOfMessage: () -> Void
        let connected: () -> Void
    }

    /// One answer: the body stands in `buffer` from its reader index on and is `length` bytes long; nothing else in it counts.
    enum ModuleAnswer {
        case success(ByteBuffer)
        /// A success whose body is this byte.
        case byte(UInt8)
        case refused(ModuleError)
    }

    /// Messages on their way; while there are so many, requests gather for the next.
    static let messagesInFlight = 2
    private static let itemLimit = ModuleMessageLimits.maximumItems / 2
    private static let byteLimit = ModuleMessageLimits.maximumLength / 4

    private struct Message {
        let slots: [ModuleSlot]
        let deadline: NIODeadline
    }

    private let path: String
    private let eventLoop: any EventLoop
    private let replyTime: TimeAmount
    private let receiver: Receiver

    private var context: ChannelHandlerContext?
    private var inFlight = CircularBuffer<Message>()
    private var full = CircularBuffer<(ByteBuffer, [ModuleSlot])>()
    private var message = ModuleMessage()
    private var slots: [ModuleSlot] = []
    private var flushIsDue = false
    private var retryMilliseconds: Int64 = 20
    private var isStopped = false

    init(path: String, eventLoop: any EventLoop, replySeconds: Int, receiver: Receiver) {
        self.path = path
        self.eventLoop = eventLoop
        self.replyTime = .seconds(Int64(replySeconds))
        self.receiver = receiver
    }

    var isConnected: Bool { context != nil }

    /// Adds one command; `write` appends exactly one item. False, and nothing is kept, where the module is away.
    func add(_ slot: ModuleSlot, _ write: (inout ModuleMessage) -> Void) -> Bool {
        guard context != nil else { return false }
        write(&message)
        slots.append(slot)
        if message.count >= Self.itemLimit || message.byteCount >= Self.byteLimit { cut() }
        if !flushIsDue {
            flushIsDue = true
            // Runs when all channels that are readable in this turn of the loop have been read.
            eventLoop.assumeIsolated().execute { self.flush() }
        }
        return true
    }

    private func cut() {
        full.append((message.take(), slots))
        slots = []
    }

    private func flush() {
        flushIsDue = false
        guard let context else { return }
        var hasWritten = false
        while inFlight.count < Self.messagesInFlight {
            if full.isEmpty, !slots.isEmpty { cut() }
            guard let (bytes, slots) = full.popFirst() else { break }
            inFlight.append(Message(slots: slots, deadline: .now() + replyTime))
            context.write(NIOAny(bytes), promise: nil)
            hasWritten = true
        }
        if hasWritten { context.flush() }
    }

    /// Ends a connection whose answer is overdue. Called at each tick.
    func checkDeadline(_ now: NIODeadline) {
        if let oldest = inFlight.first, oldest.deadline < now { context?.close(promise: nil) }
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
                    try channel.pipeline.syncOperations.addHandler(ModuleReplies(bound.value))
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

    fileprivate func opened(_ context: ChannelHandlerContext) {
        guard !isStopped else { return context.close(promise: nil) }
        self.context = context
        receiver.connected()
    }

    fileprivate func closed() {
        guard context != nil else { return }
        context = nil
        let lost = inFlight.map(\.slots) + full.map(\.1) + [slots]
        inFlight.removeAll()
        full.removeAll()
        message = ModuleMessage()
        slots = []
        for slot in lost.joined() { receiver.answer(slot, .refused(.unavailable)) }
        receiver.endOfMessage()
        retryLater()
    }

    /// Takes the next message of answers; false when it does not fit what was asked, after which nothing can be trusted.
    fileprivate func receive(_ reply: ByteBuffer) -> Bool {
        guard let message = inFlight.popFirst() else { return false }
        var reply = reply
        guard let count = reply.readInteger(as: UInt32.self), Int(count) == message.slots.count else {
            for slot in message.slots { receiver.answer(slot, .refused(.internalFault)) }
            return false
        }
        retryMilliseconds = 20
        var isWhole = true
        for slot in message.slots {
            guard isWhole, let (error, length) = reply.readMultipleIntegers(as: (UInt16, UInt32).self) else {
                isWhole = false
                receiver.answer(slot, .refused(.internalFault))
                continue
            }
            if error == 0, length == 1, let byte = reply.readInteger(as: UInt8.self) {
                receiver.answer(slot, .byte(byte))
                continue
            }
            guard let body = reply.readSlice(length: Int(length)) else {
                isWhole = false
                receiver.answer(slot, .refused(.internalFault))
                continue
            }
            if error == 0 {
                receiver.answer(slot, .success(body))
            } else {
                receiver.answer(slot, .refused(ModuleError(rawValue: error) ?? .internalFault))
            }
        }
        receiver.endOfMessage()
        if !flushIsDue { flush() }
        return isWhole
    }
}

/// Cuts the module's stream of answers into messages.
private final class ModuleReplies: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let owner: ModuleChannel
    private var pending = ByteBuffer()

    init(_ owner: ModuleChannel) { self.owner = owner }

    func channelActive(context: ChannelHandlerContext) { owner.opened(context) }

    func channelInactive(context: ChannelHandlerContext) { owner.closed() }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let read = unwrapInboundIn(data)
        if pending.readableBytes == 0 {
            pending = read
        } else {
            pending.discardReadBytes()
            pending.writeImmutableBuffer(read)
        }
        while let length = pending.getInteger(at: pending.readerIndex, as: UInt32.self) {
            guard length <= ModuleMessageLimits.maximumLength else { return context.close(promise: nil) }
            guard pending.readableBytes >= 4 + Int(length) else { return }
            pending.moveReaderIndex(forwardBy: 4)
            guard let reply = pending.readSlice(length: Int(length)), owner.receive(reply) else {
                return context.close(promise: nil)
            }
        }
    }
}
