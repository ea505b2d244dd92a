import NIOCore

/// Closes an HTTP connection whose request, once begun, is not whole in its time: slow-loris, in the head or in the body.
///
/// Before the HTTP decoder, because the bytes of half a head never get beyond it; the end of a request is told by
/// `OperationHandler` behind the decoder. A library's idle time-out would be renewed with each byte of a body.
final class RequestTime: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// The request is whole.
    struct IsWhole: Sendable {}

    private let limit: TimeAmount
    private let peer: ConnectedPeer
    /// When the request that is coming in began.
    private var begun: NIODeadline?
    /// Since when no more is read, because its client does not take its answers: that is not its request's time.
    private var heldSince: NIODeadline?
    /// One look ahead at a time, however many requests come and go meanwhile.
    private var look: Scheduled<Void>?

    /// A request has begun and is not whole.
    var isComing: Bool { begun != nil }
    /// There was a first byte.
    private(set) var hasSpoken = false

    init(seconds: Int, _ peer: ConnectedPeer) {
        limit = .seconds(Int64(seconds))
        self.peer = peer
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        hasSpoken = true
        if begun == nil {
            begun = .now()
            if look == nil { lookAgain(in: limit, context) }
        }
        context.fireChannelRead(data)
    }

    private func lookAgain(in time: TimeAmount, _ context: ChannelHandlerContext) {
        look = context.eventLoop.assumeIsolated().scheduleTask(in: time) { [self] in
            look = nil
            guard let begun else { return }
            guard heldSince == nil else { return lookAgain(in: limit, context) }
            let left = begun + limit - .now()
            guard left <= .zero else { return lookAgain(in: left, context) }
            peer.end(.frameTime)
            context.close(promise: nil)
        }
    }

    /// What comes next is asked for at once, or whoever sits behind the decoder holds it.
    func channelReadComplete(context: ChannelHandlerContext) {
        heldSince = .now()
        context.fireChannelReadComplete()
    }

    func read(context: ChannelHandlerContext) {
        if let held = heldSince {
            heldSince = nil
            if let begun { self.begun = begun + (.now() - held) }
        }
        context.read()
    }

    func triggerUserOutboundEvent(context: ChannelHandlerContext, event: Any, promise: EventLoopPromise<Void>?) {
        guard event is IsWhole else { return context.triggerUserOutboundEvent(event, promise: promise) }
        begun = nil
        promise?.succeed(())
    }

    func channelInactive(context: ChannelHandlerContext) {
        cancel()
        context.fireChannelInactive()
    }

    func handlerRemoved(context: ChannelHandlerContext) { cancel() }

    private func cancel() {
        look?.cancel()
        look = nil
    }
}
