import Foundation

// Chapters 4 and 10: what tampering in the database meets, and the trail at the end.
extension Story {
    /// The attacker owns the database: everything here is done as its administrator, over its socket.
    private func sql(_ text: String) async throws -> String {
        let outcome = try await doors.run(
            "/usr/bin/mariadb",
            ["--no-defaults", "--socket=\(settings.database.socket)", "--batch", "--skip-column-names", "kms"],
            typing: [text])
        guard outcome.status == 0 else { throw StoryMismatch("SQL: \(outcome.complaint)") }
        return String(decoding: outcome.output, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
    }

    /// The key_version row of a key, as a condition.
    private func row(_ name: String) -> String {
        let parts = name.split(separator: "/")
        return StoryTables.keyVersion(issuer: String(parts[0]), product: String(parts[1]), label: String(parts[2]))
    }

    func tampering(_ notes: inout StoryNotes) async throws {
        let (load, purchase) = (row(Self.loadKey), row(Self.purchaseKey))
        let (blockOfLoad, blockOfPurchase) = (
            try await sql("SELECT key_block FROM key_version WHERE \(load);"),
            try await sql("SELECT key_block FROM key_version WHERE \(purchase);")
        )
        try expect(
            blockOfLoad.hasPrefix("D") && blockOfPurchase.hasPrefix("D"), "stored values must be version D key blocks")
        notes.publish("storedForm", "X9.143 version \(blockOfLoad.prefix(1)), header \(blockOfLoad.prefix(16))")

        try await sqlChange("UPDATE key_version SET key_block = '\(blockOfPurchase)' WHERE \(load);")
        let moved = try await verdict()
        try expect(moved.contains(Self.loadKey), "a moved block must be found: \(moved)")
        notes.tell("the purchase master's block moved to the load master's row: \(moved)")
        notes.publish("movedBlock", moved)

        let edited = blockOfLoad.prefix(8) + "B" + blockOfLoad.dropFirst(9)
        try await sqlChange("UPDATE key_version SET key_block = '\(edited)' WHERE \(load);")
        let changed = try await verdict()
        try expect(changed.contains(Self.loadKey), "a changed header must be found: \(changed)")
        notes.tell("one header character changed: \(changed)")
        notes.publish("changedHeader", changed)

        try await sqlChange("UPDATE key_version SET key_block = '\(blockOfLoad)' WHERE \(load);")
        try await doors.kmsd(["key", "verify"], as: "adam")
        notes.tell("put back: all keys verify")

        try await auditTampering(&notes)
    }

    private func sqlChange(_ text: String) async throws { _ = try await sql(text) }

    /// What `kmsd key verify` says when it finds something.
    private func verdict() async throws -> String {
        let outcome = try await doors.attempt(["key", "verify"], as: "adam")
        try expect(outcome.status != 0, "kmsd key verify found nothing")
        let object = try outcome.object()
        let findings = object["findings"] as? [[String: Any]] ?? []
        return findings.map { "\($0["identity"] ?? ""): \($0["problem"] ?? "")" }.joined(separator: "; ")
    }

    private func auditTampering(_ notes: inout StoryNotes) async throws {
        let intact = try await doors.kmsd(["audit", "verify"], as: "adam").object()
        notes.tell("audit trail: \(intact["records"] ?? "?") records, intact")
        let victim = try await sql("SELECT MIN(sequence) + 5 FROM audit_record;")
        try await sqlChange(StoryTables.keep(victim) + StoryTables.dropTriggers)
        for (what, change) in [
            ("one record edited", StoryTables.auditEdit(victim)),
            ("one record deleted", "DELETE FROM audit_record WHERE sequence = \(victim);"),
        ] {
            try await sqlChange(change)
            let outcome = try await doors.attempt(["audit", "verify"], as: "adam")
            try expect(outcome.status != 0, "audit verify did not find: \(what)")
            let found = (try outcome.object()["findings"] as? [[String: Any]])?.first ?? [:]
            try expect("\(found["sequence"] ?? "")" == victim, "audit verify must name record \(victim): \(found)")
            notes.tell("\(what): record \(found["sequence"] ?? "?") \(found["problem"] ?? "")")
            notes.publish("audit, \(what)", "record \(found["sequence"] ?? "?"): \(found["problem"] ?? "")")
            try await sqlChange(StoryTables.putBack(victim))
        }
        try await sqlChange("DROP TABLE story_kept; " + StoryTables.restoreTriggers)
        try await doors.kmsd(["audit", "verify"], as: "adam")
        notes.tell("put back: the trail verifies again")
    }

    func audit(_ notes: inout StoryNotes) async throws {
        let folder = desk + "/checkpoint"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try await doors.kmsd(["audit", "checkpoint", "--key", Self.checkpointKey, "--out", folder], as: "mia")
        let openssl = try await doors.run(
            "/usr/bin/openssl",
            [
                "dgst", "-sha256", "-verify", folder + "/public.pem", "-signature", folder + "/signature",
                folder + "/message",
            ])
        try expect(openssl.status == 0, "openssl does not accept the checkpoint: \(openssl.complaint)")
        notes.tell("signed checkpoint, checked by openssl alone")
        let trail = try await doors.kmsd(["audit", "verify"], as: "adam").object()
        notes.tell("\(trail["records"] ?? "?") records in two sinks, chain intact, head \(trail["head"] ?? "?")")
        notes.publish("records", "\(trail["records"] ?? "")")
        notes.publish("head", "\(trail["head"] ?? "")")
        try await doors.kmsd(["key", "verify"], as: "adam")
    }
}

/// The statements of the story's attacker. They name tables as `docs/architecture.md` does not: an attacker has the schema.
enum StoryTables {
    static func keyVersion(issuer: String, product: String, label: String) -> String {
        "issuer = '\(issuer)' AND product = '\(product)' AND label = '\(label)' AND version = 1"
    }

    static func auditEdit(_ sequence: String) -> String {
        "UPDATE audit_record SET record = JSON_SET(record, '$.object', 'SOMETHING/ELSE') WHERE sequence = \(sequence);"
    }

    /// Append-only is kept by rights and triggers; the owner of the database can take the triggers away, but not unseen.
    static let dropTriggers =
        "DROP TRIGGER IF EXISTS audit_record_stays; DROP TRIGGER IF EXISTS audit_record_unchanged;"

    static let restoreTriggers = """
        CREATE TRIGGER audit_record_stays BEFORE DELETE ON audit_record FOR EACH ROW
        SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'audit records are never deleted';
        CREATE TRIGGER audit_record_unchanged BEFORE UPDATE ON audit_record FOR EACH ROW
        SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'audit records are never changed';
        """

    static func keep(_ sequence: String) -> String {
        "CREATE TABLE story_kept AS SELECT node, sequence, record, hash FROM audit_record WHERE sequence = \(sequence);"
    }

    static func putBack(_ sequence: String) -> String {
        "DELETE FROM audit_record WHERE sequence = \(sequence); "
            + "INSERT INTO audit_record (node, sequence, record, hash) SELECT node, sequence, record, hash FROM story_kept;"
    }
}
