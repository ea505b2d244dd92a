import CryptoClient
import HSMBridge
import KMS
import NIOCore

/// A key that a client may use for one operation now.
struct GrantedKey: Sendable, Hashable {
    /// A key block under the LMK, with the identity that it must have where it is a stored one.
    let reference: KeyReference
    /// `issuer/product/label/NN`, or `*` for a block that is not stored here: the name under which requests are counted.
    let name: String
}

/// Who may use which key for what: grants, state and dates, for labels and for presented blocks alike.
struct KeyAccess: Sendable {
    let snapshot: Snapshot
    let client: String
    let now: Timestamp
    let isStale: Bool

    /// The name in the counts of what has no stored key.
    static let unnamed = "*"

    /// A key as a host command names it.
    func key(_ key: HostKeyReference, for operation: ServiceOperation) throws(Refusal) -> GrantedKey {
        switch key.form {
        case .label: return try self.key(label: String(buffer: key.text), for: operation)
        case .lmkBlock: return try self.key(block: String(buffer: key.text), for: operation)
        default:
            try requireClient()
            throw .host(.keyScheme)
        }
    }

    /// A key as a JSON request names it: a label, or a key block under the LMK (which has no `/` before its optional blocks).
    func key(text: String, for operation: ServiceOperation) throws(Refusal) -> GrantedKey {
        if (try? KeyBlockHeader(parsing: text)) != nil { return try key(block: text, for: operation) }
        return try key(label: text, for: operation)
    }

    /// Leave for a command that names no stored key.
    func requireGrant(_ operation: ServiceOperation) throws(Refusal) {
        try requireClient()
        guard snapshot.mayPresentBlocks(client, operation: operation, now: now) else { throw .keys(.grantMissing) }
    }

    /// The client exists and is not disabled, and the picture of grants is fresh enough to say so.
    func requireClient() throws(Refusal) {
        guard !isStale else { throw .keys(.directoryStale) }
        guard snapshot.client(client) != nil else { throw .keys(.clientUnknown) }
    }

    private func key(label: String, for operation: ServiceOperation) throws(Refusal) -> GrantedKey {
        try requireClient()
        do throws(KMSError) {
            let stored = try snapshot.key(label, for: client, operation: operation, now: now)
            return GrantedKey(reference: stored.reference, name: stored.identity.description)
        } catch {
            throw .keys(error)
        }
    }

    private func key(block: String, for operation: ServiceOperation) throws(Refusal) -> GrantedKey {
        try requireGrant(operation)
        guard let header = try? KeyBlockHeader(parsing: block) else { throw .host(.keyBlockFormat) }
        let given = GrantedKey(reference: .block(block, expected: nil), name: Self.unnamed)
        // Without a name it is no block of this house; the module says so.
        guard let identity = header.optionalBlock(LMKBlockField.identity).flatMap({ KeyIdentity($0) }) else {
            return given
        }
        guard let stored = snapshot.key(identity) else {
            // Only what was made for hosts is stored nowhere. Another name without a value is that of a destroyed key, or of one
            // that was never ours to use: a copy of the block would outlive its key.
            guard identity.issuer == KeyIdentity.hostIssuer else { throw .host(.keyBlockOther) }
            return given
        }
        // A copy of a stored block opens no more than its label: a suspended key would otherwise serve on by its block.
        guard header.optionalBlock(LMKBlockField.factors) != nil else {
            return try key(label: identity.description, for: operation)
        }
        // A card's key has the name of its master and ends with it.
        do throws(KMSError) {
            try stored.requireUsable(protecting: operation.isProtecting, now: now)
        } catch { throw .keys(error) }
        return given
    }
}
