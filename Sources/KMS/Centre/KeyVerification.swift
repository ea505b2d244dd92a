public import HSMBridge
internal import MariaDB

/// What a check of all stored blocks found.
public struct KeyVerification: Sendable, Hashable {
    public let checked: Int
    public let findings: [KeyFinding]
}

/// A row whose block is not what the row says.
public struct KeyFinding: Sendable, Hashable {
    public let identity: KeyIdentity
    public let problem: String
}

extension KeyCentre {
    /// Opens every stored block in the module as the key of its row and compares identity, attributes and check value.
    public func verifyAllKeys(by actor: Actor) async throws(KMSError) -> KeyVerification {
        try await carryOut(.verifyKeys, on: "all keys", by: actor) { (notes) async throws(KMSError) in
            let stored = try await self.read { connection in try KeyVersionTable.all(&connection).compactMap(\.stored) }
            var findings: [KeyFinding] = []
            for start in stride(from: 0, to: stored.count, by: 64) {
                let batch = Array(stored[start..<min(start + 64, stored.count)])
                let results: [Result<KeyDescription, ModuleRefusal>]
                do throws(ModuleError) {
                    results = try await self.module.execute(all: batch.map { InspectKey(key: $0.reference) })
                } catch { throw .module(error) }
                for index in batch.indices {
                    // A module that is sealed or gone says nothing about the rows.
                    if case .failure(let refusal) = results[index], !Self.isAboutBlock(refusal.error) {
                        throw .module(refusal.error)
                    }
                    if let problem = Self.problem(batch[index], results[index]) {
                        findings.append(KeyFinding(identity: batch[index].identity, problem: problem))
                    }
                }
            }
            notes.fields[.count] = String(stored.count)
            notes.fields[.finding] = String(findings.count)
            for finding in findings.prefix(100) {
                try await self.audit.appendOutcome(
                    Self.finding(finding.identity.description, finding.problem, actor.origin))
            }
            return KeyVerification(checked: stored.count, findings: findings)
        }
    }

    private static func isAboutBlock(_ error: ModuleError) -> Bool {
        switch error {
        case .keyBlockMalformed, .keyBlockAuthentication, .keyIdentityMismatch, .lmkTermUnknown, .attributesContradict,
            .algorithmNotPermitted, .usageNotPermitted, .modeNotPermitted, .keyLengthInvalid, .weakKey, .knownVendorKey:
            true
        default: false
        }
    }

    private static func problem(_ key: StoredKey, _ result: Result<KeyDescription, ModuleRefusal>) -> String? {
        switch result {
        case .failure(let refusal): return "the block does not open as this key: \(refusal.error)"
        case .success(let description):
            if description.identity != key.identity { return "the block has no identity of ours" }
            if description.attributes != key.attributes { return "the block is for another use than the row says" }
            if description.checkValue != key.checkValue {
                return "check value \(description.checkValue) in the block, \(key.checkValue) in the row"
            }
            return nil
        }
    }
}
