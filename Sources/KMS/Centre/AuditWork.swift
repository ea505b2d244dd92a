public import HSMBridge
internal import MariaDB

extension KeyCentre {
    /// Checks the whole trail, checkpoints and their signatures included.
    public func verifyAudit(by actor: Actor) async throws(KMSError) -> AuditVerification {
        try await carryOut(.verifyAudit, on: "audit trail", by: actor) { (notes) async throws(KMSError) in
            let plain = try await self.audit.verify()
            let signatures = try await self.signatureFindings()
            let all = AuditVerification(
                node: plain.node, records: plain.records, head: plain.head, checkpoints: plain.checkpoints,
                findings: (plain.findings + signatures).sorted { $0.sequence < $1.sequence })
            notes.fields[.count] = String(all.records)
            notes.fields[.finding] = all.findings.first.map(\.text) ?? "none"
            return all
        }
    }

    public func auditRecords(from: UInt64, limit: Int, by actor: Actor) async throws(KMSError) -> [AuditRecord] {
        try await authorise(.readAudit, by: actor)
        return try await audit.records(from: from, limit: limit)
    }

    /// Signs the trail's head with an RSA key of usage S0. The signature is worth as much as the place where it is kept:
    /// give it to somebody who cannot write here.
    public func checkpoint(signedWith id: KeyIdentity, by actor: Actor) async throws(KMSError) -> AuditCheckpoint {
        try await carryOut(.checkpoint, on: id.description, by: actor) { (notes) async throws(KMSError) in
            let key = try await self.usable(id)
            guard key.attributes.usage == .signature, let publicKey = key.publicKey else {
                throw .module(.usageNotPermitted)
            }
            let head = self.audit.head
            let time = self.clocks.wall()
            let message = AuditCheckpoint.message(
                node: self.audit.node, sequence: head.sequence, head: head.hash, time: time)
            let signature = try await self.signature(message, key)
            let checkpoint = AuditCheckpoint(
                node: self.audit.node, sequence: head.sequence, head: head.hash, time: time, key: id.description,
                message: message, signature: signature, publicKey: publicKey)
            try await self.write { connection in try AuditCheckpointTable.insert(checkpoint, &connection) }
            notes.checkValue = key.checkValue
            notes.fields[.sequence] = String(head.sequence)
            return checkpoint
        }
    }

    public func checkpoints(by actor: Actor) async throws(KMSError) -> [AuditCheckpoint] {
        try await authorise(.readAudit, by: actor)
        let node = audit.node
        return try await read { connection in try AuditCheckpointTable.all(node, &connection) }
    }

    /// This room cannot verify RSA, but PKCS #1 v1.5 always signs alike: the module signs again, and the two must agree.
    /// The last hundred; keys that are gone, and a module that is sealed, are left to `openssl`.
    private func signatureFindings() async throws(KMSError) -> [AuditFinding] {
        let node = audit.node
        let all = try await read { connection in try AuditCheckpointTable.all(node, &connection) }
        var findings: [AuditFinding] = []
        for checkpoint in all.suffix(100) {
            guard let id = KeyIdentity(checkpoint.key),
                let key = try await read({ connection in try KeyVersionTable.one(id, &connection) })?.stored
            else { continue }
            let again: [UInt8]
            do throws(KMSError) { again = try await signature(checkpoint.expectedMessage, key) } catch { continue }
            if again != checkpoint.signature || key.publicKey != checkpoint.publicKey {
                findings.append(
                    AuditFinding(node: node, sequence: checkpoint.sequence, place: .checkpoint, problem: .edited))
            }
        }
        return findings
    }

    private func signature(_ message: String, _ key: StoredKey) async throws(KMSError) -> [UInt8] {
        do throws(ModuleRefusal) {
            return try await module.execute(Sign(key: key.reference, message: [UInt8](message.utf8))).bytes
        } catch { throw .of(error, stored: key.identity.description) }
    }
}
