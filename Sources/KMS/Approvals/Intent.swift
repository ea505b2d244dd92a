public import HSMBridge

/// Exactly what a second person approves: nothing may be left open that matters.
public enum Intent: Sendable, Hashable {
    case exportKey(KeyIdentity, under: KeyIdentity)
    case destroyKey(KeyIdentity)
    case compromiseKey(KeyIdentity)
    case grantRole(Role, to: String)
    case resetPassword(of: String)
    case writeOffStock(kind: String, count: Int, reason: String)
    /// The digest of the archive, so that another one cannot be slipped in.
    case restore(archiveDigest: String)

    public var operation: Operation {
        switch self {
        case .exportKey: .exportKey
        case .destroyKey: .destroyKey
        case .compromiseKey: .compromiseKey
        case .grantRole: .grantRole
        case .resetPassword: .resetPassword
        case .writeOffStock: .writeOffStock
        case .restore: .restore
        }
    }

    /// What it is done to, for the audit trail.
    public var object: String {
        switch self {
        case .exportKey(let key, _), .destroyKey(let key), .compromiseKey(let key): key.description
        case .grantRole(_, let name), .resetPassword(let name): name
        case .writeOffStock(let kind, _, _): kind
        case .restore(let digest): digest
        }
    }

    /// The one text of an intent, shown to the approver and hashed: each part with its length, so that no two intents share
    /// it however their parts are chosen.
    public var canonicalText: String {
        let parts: [String] =
            switch self {
            case .exportKey(let key, let transport): [key.description, "under", transport.description]
            case .destroyKey(let key), .compromiseKey(let key): [key.description]
            case .grantRole(let role, let name): [role.rawValue, "to", name]
            case .resetPassword(let name): ["of", name]
            case .writeOffStock(let kind, let count, let reason): [kind, String(count), reason]
            case .restore(let digest): [digest]
            }
        return parts.reduce(operation.rawValue) { "\($0) \($1.utf8.count):\($1)" }
    }

    var digest: [UInt8] { SHA256.hash([UInt8]("kmsd-intent-v1 \(canonicalText)".utf8)) }

    /// Free parts are short printable text.
    func requireValid() throws(KMSError) {
        switch self {
        case .writeOffStock(let kind, let count, let reason):
            guard count > 0 else { throw .invalidInput("count") }
            try Input.text(kind, "kind", 1...64)
            try Input.text(reason, "reason", 1...200)
        case .restore(let digest): try Input.text(digest, "digest", 64...64)
        case .grantRole(_, let name), .resetPassword(let name): try Input.account(name)
        case .exportKey, .destroyKey, .compromiseKey: break
        }
    }
}

/// One request for a second person.
public struct Approval: Sendable, Hashable {
    public let id: ApprovalID
    public let operation: String
    public let object: String
    public let text: String
    public let requestedBy: String
    public let requestedAt: Timestamp
    public let expiresAt: Timestamp
    public let decision: Decision
    public let decidedBy: String?

    public enum Decision: String, Sendable, Hashable, CaseIterable { case pending, approved, refused, used }
}

/// The number of an approval.
public typealias ApprovalID = Int64
