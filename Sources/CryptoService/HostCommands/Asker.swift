import CryptoClient

/// Who waits for the answer to a request.
enum Asker {
    /// Place number `sequence` in the order of a host connection's requests.
    case connection(HostConnection, sequence: Int)
    /// A caller in this process: another door of the service.
    case call(HostCall)

    var identity: HostConnection.Identity {
        switch self {
        case .connection(let connection, _): connection.identity
        case .call(let call): call.identity
        }
    }

    /// The asker of the request that came `count` requests later on the same connection.
    func advanced(by count: Int) -> Asker {
        switch self {
        case .connection(let connection, let sequence): .connection(connection, sequence: sequence + count)
        case .call: self
        }
    }

    /// The keys that the client used lately on this loop: the same for all its connections and doors.
    var keys: ClientKeys {
        switch self {
        case .connection(let connection, _): connection.keys
        case .call(let call): call.keys
        }
    }
}

/// A request that came through another door than the host-command port. Lives on its event loop.
final class HostCall {
    let request: HostRequest
    let identity: HostConnection.Identity
    let keys: ClientKeys
    /// On the meter's clock.
    let arrived: UInt64
    /// Called once, on the loop.
    let done: (HostAnswer) -> Void

    init(
        request: HostRequest, identity: HostConnection.Identity, keys: ClientKeys, arrived: UInt64,
        done: @escaping (HostAnswer) -> Void
    ) {
        self.request = request
        self.identity = identity
        self.keys = keys
        self.arrived = arrived
        self.done = done
    }
}
