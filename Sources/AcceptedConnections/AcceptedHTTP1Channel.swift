public import HummingbirdCore
public import Logging
public import NIOCore

/// Hummingbird's HTTP/1.1, whose connections may be dropped before they are served.
public struct AcceptedHTTP1Channel: ServerChildChannel {
    private let base: HTTP1Channel

    public init(_ base: HTTP1Channel) { self.base = base }

    public func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<AcceptedConnection> {
        base.setup(channel: channel, logger: logger).map { AcceptedConnection($0) }
    }

    public func handle(value: AcceptedConnection, logger: Logger) async {
        await base.handle(value: value.serve(), logger: logger)
    }
}
