import HummingbirdCore
import Logging
import NIOCore

/// Hummingbird's connections behind the limits and the certificates of a door.
struct DoorChannel<Base: ServerChildChannel>: ServerChildChannel {
    struct Value: ServerChildChannelValue {
        let peer: ConnectedPeer
        let base: Base.Value
        var channel: any Channel { base.channel }
    }

    let admission: Admission
    let door: ServiceDoor
    let base: Base

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Value> {
        let (admission, door, base) = (admission, door, base)
        return channel.eventLoop.makeCompletedFuture { () throws -> ConnectedPeer in
            let peer = try admission.enter(channel, door)
            let pipeline = channel.pipeline.syncOperations
            if door == .https, let material = admission.tls {
                try pipeline.addHandlers(
                    admission.tlsHandlers(peer, material, on: channel.eventLoop) { _ in })
            } else {
                try pipeline.addHandler(DoorHandler(peer, admission, HandshakeVerdict()) { _ in })
            }
            try pipeline.addHandler(RequestTime(seconds: admission.settings.requestSeconds, peer))
            return peer
        }.flatMap { peer in
            base.setup(channel: channel, logger: logger).map { Value(peer: peer, base: $0) }
        }
    }

    func handle(value: Value, logger: Logger) async {
        await ConnectedPeer.$current.withValue(value.peer) { await base.handle(value: value.base, logger: logger) }
    }
}
