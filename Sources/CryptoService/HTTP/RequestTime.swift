import Hummingbird
import NIOCore
import NIOHTTPTypes

/// Closes an HTTP connection whose request, once begun, is not whole in its time: slow-loris, in the head or in the body.
///
/// Before the HTTP decoder, because the bytes of half a head never get beyond it; the end of a request is told by
/// `RequestEnds` behind the decoder. A library's idle time-out would be renewed with each byte of a body.
final class RequestTime: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// The request is whole.
    struct IsWhole: Sendable {}

    private let limit: TimeAmount
    private let peer: ConnectedPeer
    private var deadline: Scheduled<Void>?

    init(seconds: Int, _ peer: ConnectedPeer) {
        limit = .seconds(Int64(seconds))
        self.peer = peer
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        if deadline == nil {
            deadline = context.eventLoop.assumeIsolated().scheduleTask(in: limit) {
                self.peer.end(.frameTime)
                context.close(promise: nil)
            }
        }
        context.fireChannelRead(data)
    }

    func triggerUserOutboundEvent(context: ChannelHandlerContext, event: Any, promise: EventLoopPromise<Void>?) {
        guard event is IsWhole else { return context.triggerUserOutboundEvent(event, promise: promise) }
        cancel()
        promise?.succeed(())
    }

    func channelInactive(context: ChannelHandlerContext) {
        cancel()
        context.fireChannelInactive()
    }

    func handlerRemoved(context: ChannelHandlerContext) { cancel() }

    private func cancel() {
        deadline?.cancel()
        deadline = nil
    }
}

/// Tells `RequestTime` where a request ends.
final class RequestEnds: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPRequestPart
    typealias InboundOut = HTTPRequestPart

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        if case .end = unwrapInboundIn(data) {
            context.triggerUserOutboundEvent(RequestTime.IsWhole(), promise: nil)
        }
        context.fireChannelRead(data)
    }
}
