import CryptoClient
import NIOCore
import NIOHTTP1

/// Answers the operations (`POST /v1/…`) on the event loop that their bytes came on, and hands everything else to Hummingbird.
///
/// Stands between NIO's HTTP parser and Hummingbird's handlers. An operation costs no task and no hop that way, and shares its
/// message to the module with the host commands of the same turn of the loop. What is asked while an answer is outstanding waits
/// its turn here, so that answers keep the order of the requests whoever gives them. Confined to its event loop.
final class OperationHandler: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias InboundOut = HTTPServerRequestPart
    typealias OutboundIn = HTTPServerResponsePart
    typealias OutboundOut = HTTPServerResponsePart

    private enum Phase {
        case idle
        /// Hummingbird has the request; `isSent`: all of it.
        case passing(isSent: Bool)
        case reading(OperationIntake)
        /// The module, or a slow command, has it.
        case waiting
        /// The last answer is on its way, or `isWritten` and only the client's end is waited for; what still comes is dropped.
        case closing(isWritten: Bool, since: NIODeadline)
    }

    private let desk: OperationDesk
    private let rules: OperationIntake.Rules
    private let peer: ConnectedPeer
    private let requestTime: RequestTime
    private var phase = Phase.idle
    private var queue = CircularBuffer<HTTPServerRequestPart>()
    /// Parts that may wait before no more is read.
    private static let queueLimit = 64
    private var readIsHeld = false
    private var context: ChannelHandlerContext?
    /// From where finished responses go out: below the encoder, because they are bytes already.
    private var exit: ChannelHandlerContext?
    private var head = OperationResponseHead()
    private var isReading = false
    private var needsFlush = false
    private var lastActivity = NIODeadline.now()
    private var clock: RepeatedTask?
    /// What waits in the queue is being taken up, further down the stack.
    private var isDraining = false
    /// The connection ends with the request under way: its client wants so, or the service stops. What waits behind it is not begun.
    private var endsAfterThis = false
    /// When a service that stops waits no longer.
    private var stopsAt: NIODeadline?
    /// The client sends no more, and still listens: what it has sent is answered.
    private var inputHasEnded = false
    /// What came is not HTTP: told when everything before it is answered.
    private var parserError: HTTPParserError?
    private let openedAt = NIODeadline.now()

    init(desk: OperationDesk, rules: OperationIntake.Rules, peer: ConnectedPeer, requestTime: RequestTime) {
        self.desk = desk
        self.rules = rules
        self.peer = peer
        self.requestTime = requestTime
    }

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        exit = try? context.pipeline.syncOperations.context(handlerType: HTTPResponseEncoder.self)
        let bound = NIOLoopBound(self, eventLoop: context.eventLoop)
        clock = context.eventLoop.scheduleRepeatedTask(initialDelay: .seconds(1), delay: .seconds(1)) { _ in
            bound.value.checkTime()
        }
    }

    func handlerRemoved(context: ChannelHandlerContext) { end() }

    func channelInactive(context: ChannelHandlerContext) {
        end()
        context.fireChannelInactive()
    }

    private func end() {
        clock?.cancel()
        clock = nil
        context = nil
        exit = nil
        queue.removeAll()
    }

    /// Closes whoever is silent in the middle of a body or for long between two requests, takes no answer, or does not leave.
    private func checkTime() {
        let now = NIODeadline.now()
        let silence = now - lastActivity
        if let stopsAt, now > stopsAt { return close(.stop) }
        switch phase {
        // One whose answers nobody takes is not read: it is silent as one between two requests is.
        case .idle where readIsHeld, .reading where readIsHeld: if silence > rules.idleTime { close(.idle) }
        case .reading, .passing(isSent: false): if silence > rules.bodyTime { close(.frameTime) }
        case .passing(isSent: true): if silence > rules.answerTime { close(.frameTime) }
        // Not renewed by what is still sent: else a body without an end would hold the connection.
        case .closing(let isWritten, let since):
            if now - since > (isWritten ? rules.bodyTime : rules.answerTime) { close(.frameTime) }
        case .idle where requestTime.isComing: break
        case .idle where !requestTime.hasSpoken: if now - openedAt > rules.firstByteTime { close(.firstByte) }
        case .idle: if silence > rules.idleTime { close(.idle) }
        case .waiting: break
        }
    }

    private func close(_ reason: ConnectionEnd) {
        peer.end(reason)
        context?.close(promise: nil)
    }

    // MARK: In

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        isReading = true
        lastActivity = .now()
        let part = unwrapInboundIn(data)
        if case .end = part { context.triggerUserOutboundEvent(RequestTime.IsWhole(), promise: nil) }
        guard queue.isEmpty else { return queue.append(part) }
        take(part)
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        isReading = false
        flush()
        context.fireChannelReadComplete()
    }

    private func take(_ part: HTTPServerRequestPart) {
        guard let context else { return }
        switch (phase, part) {
        case (.idle, .head(let head)):
            guard head.method == .POST, let route = ServiceRoute.byPath[Self.path(head.uri)] else {
                phase = .passing(isSent: false)
                if !head.isKeepAlive { endsAfterThis = true }
                return context.fireChannelRead(wrapInboundOut(part))
            }
            begin(route, head)
        case (.reading(var intake), .body(let bytes)):
            if intake.take(bytes) {
                phase = .reading(intake)
            } else {
                refuse(HTTPProblem(.bodyTooLong, "the body is longer than the limit", code: .dataLength), .frameSize)
            }
        case (.reading(let intake), .end): carryOut(intake)
        case (.passing(isSent: false), .end):
            phase = .passing(isSent: true)
            context.fireChannelRead(wrapInboundOut(part))
        case (.passing(isSent: false), _): context.fireChannelRead(wrapInboundOut(part))
        case (.closing, _): break
        default: queue.append(part)
        }
    }

    private static func path(_ uri: String) -> String {
        guard uri.utf8.contains(UInt8(ascii: "?")) else { return uri }
        return String(uri.prefix { $0 != "?" })
    }

    private func begin(_ route: ServiceRoute, _ head: HTTPRequestHead) {
        let intake = OperationIntake(route, head, rules, peer)
        if !intake.keepsAlive { endsAfterThis = true }
        if intake.isHopeless {
            return refuse(HTTPProblem(.bodyTooLong, "the body is longer than the limit", code: .dataLength), .frameSize)
        }
        if intake.wantsLeave, let exit {
            exit.writeAndFlush(NIOAny(ByteBuffer(string: "HTTP/1.1 100 Continue\r\n\r\n")), promise: nil)
        }
        phase = .reading(intake)
    }

    private func carryOut(_ intake: OperationIntake) {
        phase = .waiting
        guard let context else { return }
        desk.carryOut(intake, on: context.eventLoop) { [self] in answer($0) }
    }

    private func answer(_ outcome: OperationOutcome) {
        guard context != nil, case .waiting = phase else { return }
        phase = .idle
        lastActivity = .now()
        respond(outcome)
        next()
    }

    /// What came while the last request was under way. A request that is answered at once calls this again: that returns, and the
    /// loop goes on, because thousands of requests in one read must not become as many frames on the stack.
    private func next() {
        guard !isDraining else { return }
        isDraining = true
        drain()
        isDraining = false
        // What was passed on outside of a read is taken up at the end of one.
        if !isReading, case .passing = phase { context?.fireChannelReadComplete() }
        tellParserError()
        if case .idle = phase, isAtEnd { finish() }
        releaseRead()
    }

    private func drain() {
        while let part = queue.first {
            switch (phase, part) {
            case (.idle, _), (.reading, _), (.passing(isSent: false), _): take(queue.removeFirst())
            case (.closing, _): return queue.removeAll()
            default: return
            }
        }
    }

    /// Nothing waits behind the request under way, and nothing more will.
    private var isAtEnd: Bool { endsAfterThis || inputHasEnded && queue.isEmpty && parserError == nil }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        guard let error = error as? HTTPParserError else {
            peer.end(.fault)
            return context.fireErrorCaught(error)
        }
        if parserError == nil { parserError = error }
        tellParserError()
    }

    /// Hummingbird writes its 400 as soon as it hears of it, also before the answer to an operation under way.
    private func tellParserError() {
        guard let error = parserError, queue.isEmpty else { return }
        switch phase {
        case .waiting, .passing(isSent: true), .closing: return
        // It is in the middle of a body that Hummingbird reads.
        case .passing(isSent: false): context?.fireErrorCaught(error)
        case .idle, .reading:
            // A client that leaves in the middle of a request is no fault.
            let reason: ConnectionEnd? = error == .invalidEOFState ? nil : .fault
            refuse(HTTPProblem(.malformedHeader, "what came is not HTTP/1.1"), reason)
        }
        parserError = nil
    }

    // MARK: Out

    /// The connection's last answer, to a request that is not read to its end.
    private func refuse(_ problem: HTTPProblem, _ reason: ConnectionEnd?) {
        if let reason { peer.end(reason) }
        endsAfterThis = true
        respond(.problem(problem))
    }

    private func respond(_ outcome: OperationOutcome) {
        guard let exit else { return }
        head.isLast = isAtEnd
        let bytes = head.response(outcome, exit.channel.allocator)
        if head.isLast { return leave(exit.writeAndFlush(NIOAny(bytes)), waits: !inputHasEnded) }
        exit.write(NIOAny(bytes), promise: nil)
        guard !needsFlush else { return }
        needsFlush = true
        // Inside a read the end of it flushes; else all answers of one message of the module go out together.
        if !isReading { desk.atEndOfTurn(exit.eventLoop) { [self] in flush() } }
    }

    /// Closes a connection on which nothing is asked, behind the answers that are still on their way.
    private func finish() {
        guard let exit else { return }
        leave(exit.writeAndFlush(NIOAny(ByteBuffer())), waits: readIsHeld)
    }

    /// Closes behind the last answer. Where the client may still send, only this half is closed and its end waited for, with what it
    /// sends read over (RFC 9112 §9.6): a socket that is closed with bytes unread resets, and takes from the client what it has not
    /// read yet.
    private func leave(_ written: EventLoopFuture<Void>, waits: Bool) {
        phase = .closing(isWritten: false, since: .now())
        written.assumeIsolated().whenComplete { [self] _ in
            phase = .closing(isWritten: true, since: .now())
            context?.close(mode: waits ? .output : .all, promise: nil)
        }
    }

    private func flush() {
        guard needsFlush else { return }
        needsFlush = false
        exit?.flush()
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        lastActivity = .now()
        guard case .passing(let isSent) = phase else { return context.write(data, promise: promise) }
        switch unwrapOutboundIn(data) {
        case .head(var head):
            if isAtEnd { head.headers.replaceOrAdd(name: "connection", value: "close") }
            context.write(wrapOutboundOut(.head(head)), promise: promise)
        case .body: context.write(data, promise: promise)
        // Hummingbird reads a body to its end also where it has answered before.
        case .end where isSent && !isAtEnd:
            context.write(data, promise: promise)
            phase = .idle
            next()
        case .end:
            let promise = promise ?? context.eventLoop.makePromise()
            leave(promise.futureResult, waits: !inputHasEnded)
            context.writeAndFlush(data, promise: promise)
        }
    }

    /// Not reading is what tells a client that sends faster than it listens.
    private func mayRead(_ context: ChannelHandlerContext) -> Bool {
        queue.count < Self.queueLimit && context.channel.isWritable
    }

    func read(context: ChannelHandlerContext) {
        guard mayRead(context) else {
            readIsHeld = true
            return
        }
        context.read()
    }

    private func releaseRead() {
        guard readIsHeld, let context, mayRead(context) else { return }
        readIsHeld = false
        lastActivity = .now()
        context.read()
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        releaseRead()
        context.fireChannelWritabilityChanged()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        switch (event, phase) {
        // A server that stops. Hummingbird, which does not know of our requests, would close before they are answered.
        case (is ChannelShouldQuiesceEvent, _):
            peer.end(.stop)
            endsAfterThis = true
            stopsAt = .now() + rules.stopTime
            if case .idle = phase { finish() }
        // The body that Hummingbird reads will not be whole: that it must hear.
        case (ChannelEvent.inputClosed, .passing(isSent: false)): context.fireUserInboundEventTriggered(event)
        case (ChannelEvent.inputClosed, _):
            inputHasEnded = true
            if case .idle = phase { finish() }
        default: context.fireUserInboundEventTriggered(event)
        }
    }
}
