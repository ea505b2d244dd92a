public import HummingbirdCore
public import NIOCore
import NIOHTTPTypes
import Synchronization

/// A connection that was accepted, and may be dropped before anybody serves it: a server that stops does so with those that come
/// in that moment (swift-nio issue 2813).
///
/// The library ends the process where one of its channels is dropped without having been served, so this serves it for a moment.
public final class AcceptedConnection: ServerChildChannelValue {
    private let connection: HTTP1Channel.Value
    private let isServed = Atomic<Bool>(false)

    public var channel: any Channel { connection.channel }

    public init(_ connection: HTTP1Channel.Value) { self.connection = connection }

    deinit {
        guard !isServed.load(ordering: .relaxed) else { return }
        Task { [connection] in try? await connection.executeThenClose { _, _ in } }
    }

    /// For who serves it; called once.
    public func serve() -> HTTP1Channel.Value {
        isServed.store(true, ordering: .relaxed)
        return connection
    }
}
