import KMS
import NIOCore
import Synchronization

/// One open connection as admission sees it: by which door, from where, and with which certificate.
final class ConnectedPeer: Sendable {
    /// The connection that is being answered, for code that Hummingbird calls.
    @TaskLocal static var current: ConnectedPeer?

    let door: ServiceDoor
    let address: SourceAddress
    private let shown = Mutex<CertificateFingerprint?>(nil)
    /// Of HTTP: the token that it came with last.
    let memory = Mutex(TokenMemory())
    private let reason = Mutex(ConnectionEnd.client)

    init(_ door: ServiceDoor, _ address: SourceAddress) {
        self.door = door
        self.address = address
    }

    /// The certificate whose key the peer has proved to have; nil before the handshake is over, and where it showed none.
    var certificate: CertificateFingerprint? { shown.withLock { $0 } }

    func show(_ certificate: CertificateFingerprint) { shown.withLock { $0 = certificate } }

    /// Why it ends: the first reason that was given, else that the client closed it.
    var ended: ConnectionEnd { reason.withLock { $0 } }

    func end(_ reason: ConnectionEnd) { self.reason.withLock { if $0 == .client { $0 = reason } } }

    /// What is recorded as the origin of requests.
    var origin: String { "\(door.name) \(address)" }
}

extension SourceAddress {
    /// Nil for what is no internet address. Through the text, because the fields of the C structures belong to another module; it
    /// happens once for a connection.
    init?(_ address: SocketAddress?) {
        guard let text = address?.ipAddress else { return nil }
        // The zone of a link-local address is no part of it.
        self.init(String(text.prefix { $0 != "%" }))
    }
}
