public import HSMBridge

/// One immutable picture of all keys, clients and grants; the hot path looks here and nowhere else.
public final class Snapshot: Sendable {
    /// The change counter that it shows.
    public let change: UInt64
    /// The counter of changes of keys alone.
    let keyChange: UInt64
    /// Monotonic nanoseconds at which it was known to be current.
    let currentAt: UInt64

    /// Shared with the pictures before and after it as long as no key changes.
    let keyIndex: KeyIndex
    private let clients: [String: ServiceClient]
    private let byToken: [String: (client: String, hash: [UInt8], until: Timestamp?)]
    private let byCertificate: [CertificateFingerprint: (client: String, validity: Validity)]

    init(
        change: UInt64, keyChange: UInt64, currentAt: UInt64, keys: KeyIndex, clients: [ServiceClient],
        tokens: [ServiceTokenTable.Stored]
    ) {
        self.change = change
        self.keyChange = keyChange
        self.currentAt = currentAt
        keyIndex = keys
        self.clients = Dictionary(clients.map { ($0.id, $0) }) { first, _ in first }
        byToken = Dictionary(tokens.map { ($0.prefix, ($0.client, $0.hash, $0.until)) }) { first, _ in first }
        byCertificate = Dictionary(
            clients.flatMap { client in client.certificates.map { ($0.fingerprint, (client.id, $0.validity)) } }
        ) { first, _ in first }
    }

    /// The same content, known to be current at a later time.
    init(_ other: Snapshot, currentAt: UInt64) {
        change = other.change
        keyChange = other.keyChange
        self.currentAt = currentAt
        keyIndex = other.keyIndex
        clients = other.clients
        byToken = other.byToken
        byCertificate = other.byCertificate
    }

    public var keys: [StoredKey] { keyIndex.all }
    public var keyCount: Int { keyIndex.count }
    public var clientCount: Int { clients.count }

    /// Nil for unknown and for disabled clients.
    public func client(_ id: String) -> ServiceClient? { clients[id].flatMap { $0.enabled ? $0 : nil } }

    /// Unknown ones not, disabled ones too: for those who have to say which it was.
    public func clientEvenDisabled(_ id: String) -> ServiceClient? { clients[id] }

    /// Whose token this is, and until when; nil for a token that nobody has. The end and whether the client is enabled are left
    /// to the caller, who has to say why it refuses.
    public func owner(ofToken text: String) -> (client: ServiceClient, until: Timestamp?)? {
        guard let token = ServiceToken(text), let stored = byToken[token.prefix],
            ServiceToken.areEqual(stored.hash, token.digest), let client = clients[stored.client]
        else { return nil }
        return (client, stored.until)
    }

    /// Whose certificate this is, and when it counts; nil for a certificate that nobody has.
    public func owner(of certificate: CertificateFingerprint) -> (client: ServiceClient, validity: Validity)? {
        guard let stored = byCertificate[certificate], let client = clients[stored.client] else { return nil }
        return (client, stored.validity)
    }

    /// The enabled client whose token this is and has not ended.
    public func client(token: String, now: Timestamp) -> ServiceClient? {
        guard let owner = owner(ofToken: token), owner.client.enabled, owner.until.map({ now < $0 }) ?? true else {
            return nil
        }
        return owner.client
    }

    /// The key of a label, `issuer/product/label` or `issuer/product/label/NN`, for a client's operation.
    ///
    /// Default deny: the grant is looked at first, so that a client without one learns nothing of the key, not even
    /// whether it exists. Without a version: the highest that the operation may use.
    public func key(
        _ label: String, for client: String, operation: ServiceOperation, now: Timestamp
    ) throws(KMSError) -> StoredKey {
        guard let asking = self.client(client) else { throw .clientUnknown }
        let identity = KeyIdentity(label)
        guard let name = identity?.name ?? KeyName(label) else { throw .invalidInput("key label") }
        guard Self.allows(asking, name, operation, now) else { throw .grantMissing }
        if let identity {
            guard let key = keyIndex.key(identity) else {
                throw keyIndex.isDestroyed(identity)
                    ? .keyStateForbids(label, .destroyed) : .notFound("key \(label)")
            }
            try key.requireUsable(protecting: operation.isProtecting, now: now)
            return key
        }
        let versions = keyIndex.versions(name)
        guard let newest = versions.first else { throw .notFound("key \(label)") }
        for key in versions where Self.isUsable(key, operation, now) { return key }
        try newest.requireUsable(protecting: operation.isProtecting, now: now)
        return newest
    }

    /// Key blocks that the client brings along, and commands without a key.
    public func mayPresentBlocks(_ client: String, operation: ServiceOperation, now: Timestamp) -> Bool {
        self.client(client)?.mayDo(operation, in: .presentedBlocks, now: now) ?? false
    }

    /// Without a look at grants or state.
    public func key(_ identity: KeyIdentity) -> StoredKey? { keyIndex.key(identity) }

    /// All versions of a key that have a value, the highest first, without a look at grants and dates.
    public func versions(of name: KeyName) -> [StoredKey] { keyIndex.versions(name) }

    /// The active version with the highest number, without a look at grants and dates.
    public func currentKey(_ name: KeyName) -> StoredKey? {
        keyIndex.versions(name).first { $0.state == .active }
    }

    private static func allows(
        _ client: ServiceClient, _ name: KeyName, _ operation: ServiceOperation, _ now: Timestamp
    ) -> Bool {
        client.mayDo(operation, in: .key(name), now: now)
            || client.mayDo(operation, in: .product(issuer: name.issuer, product: name.product), now: now)
    }

    private static func isUsable(_ key: StoredKey, _ operation: ServiceOperation, _ now: Timestamp) -> Bool {
        if operation.isProtecting { return key.state.mayProtect && key.validity.contains(now) }
        return key.state.mayVerify && key.validity.hasBegun(now)
    }
}
