import AcceptedConnections
import HummingbirdCore
import Logging
import NIOCore
import NIOHTTP1

/// Hummingbird's HTTP/1.1 with the operations answered before it. Set up behind a `DoorHandler`, which knows the peer.
struct OperationChannel: ServerChildChannel {
    let base: AcceptedHTTP1Channel
    let desk: OperationDesk
    let rules: OperationIntake.Rules

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<AcceptedConnection> {
        let (desk, rules) = (desk, rules)
        return base.setup(channel: channel, logger: logger).flatMapThrowing { connection in
            let pipeline = channel.pipeline.syncOperations
            let peer = try pipeline.handler(type: DoorHandler.self).peer
            let parser = try pipeline.handler(type: ByteToMessageHandler<HTTPRequestDecoder>.self)
            let time = try pipeline.handler(type: RequestTime.self)
            // The handler can hold a read back only between two: one at a time, or thousands of small requests come at once.
            try channel.syncOptions?.setOption(.maxMessagesPerRead, value: 1)
            try pipeline.addHandler(
                OperationHandler(desk: desk, rules: rules, peer: peer, requestTime: time), position: .after(parser))
            return connection
        }
    }

    func handle(value: AcceptedConnection, logger: Logger) async {
        await base.handle(value: value, logger: logger)
    }
}
