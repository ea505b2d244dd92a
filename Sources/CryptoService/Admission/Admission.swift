public import KMS
public import Logging
import NIOCore
import Synchronization

/// Who may ask: turns what a connection shows into a client, or says why not. One for a process, for all doors.
///
/// Every answer is made from the key directory's present picture, so that what was revoked a moment ago does not count any
/// more; connections that are open are looked at again after each refresh of the directory, and closed when they may not stay.
public final class Admission: Sendable {
    /// What somebody shows.
    enum Credential: Sendable {
        /// A plain connection: its address is all there is.
        case plain
        case certificate(CertificateFingerprint)
        case token(String)
    }

    let settings: CryptoSettings
    let tls: TLSMaterial?
    let logger: Logger
    private let directory: KeyDirectory
    private let failedChecks: FailedChecks
    private let clocks: Clocks
    private let metrics: ServiceMetrics
    private let connections: OpenConnections
    private let counts = AdmissionCounts()
    private let rates = Mutex<[String: ClientRate]>([:])

    /// `tls` nil: the doors with TLS stay closed.
    public init(
        _ settings: CryptoSettings, centre: KeyCentre, tls: TLSMaterial? = nil,
        metrics: ServiceMetrics = ServiceMetrics(), clocks: Clocks = .system, logger: Logger
    ) {
        self.settings = settings
        self.tls = tls
        self.logger = logger
        self.metrics = metrics
        directory = centre.directory
        failedChecks = centre.failedChecks
        self.clocks = clocks
        connections = OpenConnections(
            OpenConnections.Limits(
                host: settings.connectionLimit, http: settings.httpConnectionLimit,
                address: settings.addressConnectionLimit, handshakes: settings.handshakeLimit))
        directory.watch { [weak self] snapshot in self?.lookAgain(snapshot) }
    }

    /// How often each door let somebody in or did not, since the start.
    public var figures: [AdmissionFigure] { counts.figures }

    /// Host-command connections that are open now, with those that have not said yet who they are.
    var hostConnections: Int { connections.hosts }

    // MARK: Connections

    /// Takes a connection in, as far as its address says; refusals are counted and logged here. The caller closes then.
    func enter(_ channel: any Channel, _ door: ServiceDoor) throws(AdmissionRefusal) -> ConnectedPeer {
        guard let address = SourceAddress(channel.remoteAddress) else { throw .plainNotAllowed }
        let peer = ConnectedPeer(door, address)
        do throws(AdmissionRefusal) {
            switch door {
            case .tcp: _ = try judge(.plain, peer, directory.snapshot)
            // Whoever puts something before it that speaks TLS has it on this machine.
            case .http: if !address.isLoopback { throw .plainNotAllowed }
            case .tls, .https: break
            }
            try connections.enter(peer, channel)
            if door == .http || door == .https {
                metrics.connectionOpened(door)
                channel.closeFuture.whenComplete { [metrics] _ in metrics.connectionClosed(door, peer.ended) }
            }
        } catch {
            refuse(error, peer)
            throw error
        }
        return peer
    }

    /// The handshake is over and the peer has proved to have the key of `certificate`; nil: it showed none.
    func settle(_ peer: ConnectedPeer, _ certificate: CertificateFingerprint?) throws(AdmissionRefusal) {
        connections.settle(peer)
        guard let certificate else {
            if peer.door == .tls { throw .noCertificate }
            return
        }
        peer.show(certificate)
        _ = try judge(.certificate(certificate), peer, directory.snapshot)
    }

    /// Looks at a certificate in the middle of a handshake, before the peer has proved to have its key: who is nobody's client
    /// is sent away with an alert, and learns in its own log why.
    func preview(_ certificate: CertificateFingerprint, _ peer: ConnectedPeer) throws(AdmissionRefusal) {
        _ = try judge(.certificate(certificate), peer, directory.snapshot)
    }

    /// The client of a connection of the host-command doors.
    func client(of peer: ConnectedPeer) throws(AdmissionRefusal) -> AdmittedClient {
        let id = try judge(peer.certificate.map { .certificate($0) } ?? .plain, peer, directory.snapshot)
        counts.count(peer.door, "admitted")
        return AdmittedClient(id: id, rate: rate(of: id))
    }

    // MARK: Requests over HTTP

    /// The client of one request, by its `Authorization` header or the certificate of its connection, and its place in the
    /// client's rate. To be called once for each request.
    func admit(authorization: String?, _ peer: ConnectedPeer) throws(AdmissionRefusal) -> AdmittedClient {
        do throws(AdmissionRefusal) {
            guard !directory.isStale else { throw .directoryStale }
            let client = try client(authorization, peer)
            if let wait = client.rate.take() {
                metrics.rateRefused(client: client.id)
                throw .rateExceeded(waitNanoseconds: wait)
            }
            counts.count(peer.door, "admitted")
            return client
        } catch {
            refuse(error, peer)
            throw error
        }
    }

    /// The other places of a batch of `count` records, whose first one its request has taken: all or none.
    func admit(batch count: Int, of client: AdmittedClient, _ peer: ConnectedPeer) throws(AdmissionRefusal) {
        guard count > 1, let shortage = client.rate.takeRest(count - 1) else { return }
        metrics.rateRefused(client: client.id)
        let refusal: AdmissionRefusal =
            switch shortage {
            case .wait(let nanoseconds): .rateExceeded(waitNanoseconds: nanoseconds)
            case .never: .batchOverBurst
            }
        refuse(refusal, peer)
        throw refusal
    }

    private func client(_ authorization: String?, _ peer: ConnectedPeer) throws(AdmissionRefusal) -> AdmittedClient {
        let snapshot = directory.snapshot
        let certified: String? =
            if let certificate = peer.certificate { try judge(.certificate(certificate), peer, snapshot) } else { nil }
        guard let authorization else {
            guard let certified else { throw .noCredential }
            return AdmittedClient(id: certified, rate: rate(of: certified))
        }
        let remembered = peer.memory.withLock { $0.client(authorization, snapshot.change, clocks.wall()) }
        if let remembered, certified ?? remembered.id == remembered.id { return remembered }
        guard let token = Self.token(in: authorization) else { throw .tokenUnknown }
        let id = try judge(.token(token), peer, snapshot)
        guard certified ?? id == id else { throw .clientMismatch }
        let client = AdmittedClient(id: id, rate: rate(of: id))
        let until = snapshot.owner(ofToken: token)?.until
        peer.memory.withLock { $0 = TokenMemory(authorization, snapshot.change, until, client) }
        return client
    }

    /// `Bearer TOKEN`, the first word in either case. Anything else, several headers in one included, is no token.
    private static func token(in authorization: String) -> String? {
        let words = authorization.split(separator: " ", omittingEmptySubsequences: false)
        guard words.count == 2, words[0].lowercased() == "bearer" else { return nil }
        return String(words[1])
    }

    // MARK: The decision

    /// The client's name. Everything that lets somebody in goes through here.
    private func judge(
        _ credential: Credential, _ peer: ConnectedPeer, _ snapshot: Snapshot
    ) throws(AdmissionRefusal) -> String {
        let client: ServiceClient
        switch credential {
        case .plain:
            guard
                let id = PlainAddress.client(
                    at: peer.address, settings.plainAddresses, usual: settings.plainClient)
            else { throw .plainNotAllowed }
            // Without a client of this name every request is refused; it may come while the connection is open.
            guard let known = snapshot.clientEvenDisabled(id) else { return id }
            guard known.mayComeFrom(peer.address) else { throw .addressNotAllowed }
            return id
        case .certificate(let fingerprint):
            guard let owner = snapshot.owner(of: fingerprint) else { throw .certificateUnknown }
            guard owner.validity.contains(clocks.wall()) else { throw .certificateExpired }
            client = owner.client
        case .token(let text):
            guard let owner = snapshot.owner(ofToken: text) else { throw .tokenUnknown }
            if let until = owner.until, until <= clocks.wall() { throw .tokenExpired }
            client = owner.client
        }
        guard client.enabled else { throw .clientDisabled }
        guard client.mayComeFrom(peer.address) else { throw .addressNotAllowed }
        return client.id
    }

    /// One bucket for a client, whatever the door.
    private func rate(of client: String) -> ClientRate {
        rates.withLock { rates in
            if let known = rates[client] { return known }
            let rate = ClientRate(
                directory.snapshot.clientEvenDisabled(client)?.limit, clock: clocks.monotonicNanoseconds)
            rates[client] = rate
            return rate
        }
    }

    // MARK: After each refresh of the directory

    /// Sets new limits, and closes who may not stay: certificates revoked or run out, clients disabled, addresses taken away.
    private func lookAgain(_ snapshot: Snapshot) {
        rates.withLock { rates in
            for (id, rate) in rates { rate.set(snapshot.clientEvenDisabled(id)?.limit) }
        }
        for entry in connections.settled {
            let credential: Credential
            if let certificate = entry.peer.certificate {
                credential = .certificate(certificate)
            } else if entry.peer.door == .tcp {
                credential = .plain
            } else {
                continue
            }
            do throws(AdmissionRefusal) { _ = try judge(credential, entry.peer, snapshot) } catch {
                // Another refresh may have come while it closes: it is counted and recorded once.
                guard connections.dismiss(entry.peer) else { continue }
                logger.notice("connection closed", metadata: describe(error, entry.peer))
                counts.count(entry.peer.door, "closed")
                failedChecks.recordAdmission(error.name, origin: entry.peer.origin)
                entry.peer.end(.access)
                // A host connection counts its own end, and is told the reason.
                entry.channel.pipeline.fireUserInboundEventTriggered(ConnectionEnd.access)
                entry.channel.close(promise: nil)
            }
        }
    }

    // MARK: Refusals

    /// Counts and records a refusal, and says it in the log as long as there are not too many of them. Never with a credential.
    func refuse(_ refusal: AdmissionRefusal, _ peer: ConnectedPeer, shown: CertificateFingerprint? = nil) {
        counts.count(peer.door, refusal.name)
        switch refusal {
        case .rateExceeded, .batchOverBurst: return
        case .connectionLimit, .handshakeLimit: metrics.connectionRefused(peer.door, .limit)
        case .addressLimit: metrics.connectionRefused(peer.door, .addressLimit)
        case .plainNotAllowed: metrics.connectionRefused(peer.door, .address)
        default: metrics.connectionRefused(peer.door, .access)
        }
        failedChecks.recordAdmission(refusal.name, origin: peer.origin)
        let second = UInt64(max(0, clocks.wall().microseconds / 1_000_000))
        guard let unsaid = counts.mayLog(second: second) else { return }
        var metadata = describe(refusal, peer)
        // The administrator who is to add it wants to know which one came.
        if let shown { metadata["certificate"] = "\(shown)" }
        if unsaid > 0 { metadata["unsaid"] = "\(unsaid)" }
        logger.notice("refused", metadata: metadata)
    }

    private func describe(_ refusal: AdmissionRefusal, _ peer: ConnectedPeer) -> Logger.Metadata {
        var metadata: Logger.Metadata = [
            "reason": "\(refusal.name)", "door": "\(peer.door.name)", "address": "\(peer.address)",
        ]
        if let certificate = peer.certificate { metadata["certificate"] = "\(certificate)" }
        return metadata
    }
}

/// A client that was let in.
struct AdmittedClient: Sendable {
    let id: String
    let rate: ClientRate

    /// Before anybody was let in.
    static let nobody = AdmittedClient(id: "", rate: .unlimited)
}

/// The token that a connection came with last: hashing one for each request would cost more than the request.
struct TokenMemory: Sendable {
    private var last: (header: String, change: UInt64, until: Timestamp?, client: AdmittedClient)?

    init() {}

    fileprivate init(_ header: String, _ change: UInt64, _ until: Timestamp?, _ client: AdmittedClient) {
        last = (header, change, until, client)
    }

    /// The same words as last time, and nothing has changed since. Comparing with a token that this very connection has shown
    /// tells nothing to anybody.
    func client(_ header: String, _ change: UInt64, _ now: Timestamp) -> AdmittedClient? {
        guard let last, last.change == change, last.header == header, last.until.map({ now < $0 }) ?? true else {
            return nil
        }
        return last.client
    }
}
