import KMS
import NIOCore
import Synchronization

/// Every connection of all doors, from its first byte: the limits that hold before anybody said who they are, and the list from
/// which those are closed who may not stay.
final class OpenConnections: Sendable {
    struct Limits: Sendable {
        var host: Int
        var http: Int
        var address: Int
        var handshakes: Int
    }

    /// One of them, with the way to end it.
    struct Entry: Sendable {
        let peer: ConnectedPeer
        let channel: any Channel
        /// Whether it has shown who it is; a plain connection has from the start.
        var isSettled: Bool
        /// It was told to close, and closes as fast as its peer takes leave.
        var isLeaving = false
    }

    private struct State {
        var entries: [ObjectIdentifier: Entry] = [:]
        var byAddress: [SourceAddress: Int] = [:]
        var hosts = 0
        var webs = 0
        var handshakes = 0
    }

    private let limits: Limits
    private let state = Mutex(State())

    init(_ limits: Limits) { self.limits = limits }

    func enter(_ peer: ConnectedPeer, _ channel: any Channel) throws(AdmissionRefusal) {
        let refusal = state.withLock { state -> AdmissionRefusal? in
            let isWeb = peer.door == .http || peer.door == .https
            let isTLS = peer.door == .tls || peer.door == .https
            guard (isWeb ? state.webs : state.hosts) < (isWeb ? limits.http : limits.host) else {
                return .connectionLimit
            }
            guard state.byAddress[peer.address, default: 0] < limits.address else { return .addressLimit }
            // Handshakes are the dearest thing that a stranger can ask for.
            guard !isTLS || state.handshakes < limits.handshakes else { return .handshakeLimit }
            state.byAddress[peer.address, default: 0] += 1
            if isWeb { state.webs += 1 } else { state.hosts += 1 }
            if isTLS { state.handshakes += 1 }
            state.entries[ObjectIdentifier(peer)] = Entry(peer: peer, channel: channel, isSettled: !isTLS)
            return nil
        }
        if let refusal { throw refusal }
        channel.closeFuture.whenComplete { _ in self.leave(peer) }
    }

    /// The handshake is over.
    func settle(_ peer: ConnectedPeer) {
        state.withLock { state in
            guard let entry = state.entries[ObjectIdentifier(peer)], !entry.isSettled else { return }
            state.entries[ObjectIdentifier(peer)]?.isSettled = true
            state.handshakes -= 1
        }
    }

    private func leave(_ peer: ConnectedPeer) {
        state.withLock { state in
            guard let entry = state.entries.removeValue(forKey: ObjectIdentifier(peer)) else { return }
            if !entry.isSettled { state.handshakes -= 1 }
            if peer.door == .http || peer.door == .https { state.webs -= 1 } else { state.hosts -= 1 }
            let left = state.byAddress[peer.address, default: 1] - 1
            state.byAddress[peer.address] = left > 0 ? left : nil
        }
    }

    /// Those that have shown who they are and are not leaving.
    var settled: [Entry] {
        state.withLock { state in state.entries.values.filter { $0.isSettled && !$0.isLeaving } }
    }

    /// Marks one that is told to close now; false where it has been told already, or is gone.
    func dismiss(_ peer: ConnectedPeer) -> Bool {
        state.withLock { state in
            guard state.entries[ObjectIdentifier(peer)]?.isLeaving == false else { return false }
            state.entries[ObjectIdentifier(peer)]?.isLeaving = true
            return true
        }
    }

    var hosts: Int { state.withLock { $0.hosts } }
}
