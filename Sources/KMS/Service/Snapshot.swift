public import HSMBridge

/// One immutable picture of all keys, clients and grants; the hot path looks here and nowhere else.
public final class Snapshot: Sendable {
    /// The change counter that it shows.
    public let change: UInt64
    /// Monotonic nanoseconds at which it was known to be current.
    let currentAt: UInt64

    private let byIdentity: [String: StoredKey]
    /// Versions of each key with a value, the highest first.
    private let byName: [String: [StoredKey]]
    private let clients: [String: ServiceClient]
    private let byToken: [[UInt8]: String]

    init(change: UInt64, currentAt: UInt64, keys: [StoredKey], clients: [ServiceClient], tokens: [[UInt8]: String]) {
        self.change = change
        self.currentAt = currentAt
        byIdentity = Dictionary(keys.map { ($0.identity.description, $0) }) { first, _ in first }
        byName = Dictionary(grouping: keys) { $0.identity.name.description }
            .mapValues { $0.sorted { $0.identity.version > $1.identity.version } }
        self.clients = Dictionary(clients.map { ($0.id, $0) }) { first, _ in first }
        byToken = tokens
    }

    /// The same content, known to be current at a later time.
    init(_ other: Snapshot, currentAt: UInt64) {
        change = other.change
        self.currentAt = currentAt
        byIdentity = other.byIdentity
        byName = other.byName
        clients = other.clients
        byToken = other.byToken
    }

    public var keys: [StoredKey] { Array(byIdentity.values) }

    /// Nil for unknown and for disabled clients.
    public func client(_ id: String) -> ServiceClient? { clients[id].flatMap { $0.enabled ? $0 : nil } }

    /// By bearer token; only digests are compared, and a digest tells nothing about how near a guess was.
    public func client(token: String) -> ServiceClient? {
        guard token.utf8.count == 64 else { return nil }
        return byToken[RandomToken.digest(token)].flatMap { client($0) }
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
        guard Self.allows(asking, name, operation) else { throw .grantMissing }
        if identity != nil {
            guard let key = byIdentity[label] else { throw .notFound("key \(label)") }
            try key.requireUsable(protecting: operation.isProtecting, now: now)
            return key
        }
        guard let versions = byName[name.description], let newest = versions.first else {
            throw .notFound("key \(label)")
        }
        for key in versions where Self.isUsable(key, operation, now) { return key }
        try newest.requireUsable(protecting: operation.isProtecting, now: now)
        return newest
    }

    /// Key blocks that the client brings along, and commands without a key.
    public func mayPresentBlocks(_ client: String, operation: ServiceOperation) -> Bool {
        self.client(client)?.grants.contains(ServiceGrant(scope: .presentedBlocks, operation: operation)) ?? false
    }

    /// Without a look at grants or state.
    public func key(_ identity: KeyIdentity) -> StoredKey? { byIdentity[identity.description] }

    /// The active version with the highest number, without a look at grants and dates.
    public func currentKey(_ name: KeyName) -> StoredKey? { byName[name.description]?.first { $0.state == .active } }

    private static func allows(_ client: ServiceClient, _ name: KeyName, _ operation: ServiceOperation) -> Bool {
        client.grants.contains(ServiceGrant(scope: .key(name), operation: operation))
            || client.grants.contains(
                ServiceGrant(scope: .product(issuer: name.issuer, product: name.product), operation: operation))
    }

    private static func isUsable(_ key: StoredKey, _ operation: ServiceOperation, _ now: Timestamp) -> Bool {
        if operation.isProtecting { return key.state.mayProtect && key.validity.contains(now) }
        return key.state.mayVerify && key.validity.hasBegun(now)
    }
}
