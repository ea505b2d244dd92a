import Foundation
import HSMBridge
import Testing

@testable import KMS
@testable import MariaDB

@Suite struct CheckpointTests {
    private func signed() async throws -> (Rig, AuditCheckpoint) {
        let rig = try await Rig.make()
        try await rig.makeProduct()
        try await rig.makeKey("AUDIT", Rig.signing)
        return (rig, try await rig.centre.checkpoint(signedWith: Rig.id("AUDIT"), by: rig.carol))
    }

    @Test func `openssl alone verifies a checkpoint, and refuses one with a changed character`() async throws {
        let (rig, checkpoint) = try await signed()
        func isValid(_ message: String) throws -> Bool {
            let files = ["m.txt", "m.sig", "key.pem"].map { "\(rig.folder)/\($0)" }
            try Data(message.utf8).write(to: URL(filePath: files[0]))
            try Data(checkpoint.signature).write(to: URL(filePath: files[1]))
            try Data(checkpoint.publicKeyPEM.utf8).write(to: URL(filePath: files[2]))
            let process = Process()
            process.executableURL = URL(filePath: "/usr/bin/openssl")
            process.arguments = ["dgst", "-sha256", "-verify", files[2], "-signature", files[1], files[0]]
            process.standardOutput = FileHandle.nullDevice
            process.standardError = FileHandle.nullDevice
            try process.run()
            process.waitUntilExit()
            return process.terminationStatus == 0
        }
        #expect(try isValid(checkpoint.message))
        #expect(try !isValid(checkpoint.message.replacingOccurrences(of: "sequence: ", with: "sequence: 1")))
        let check = try await rig.centre.verifyAudit(by: rig.erin)
        #expect(check.isIntact)
        #expect(check.checkpoints == 1)
    }

    @Test func `a trail cut from both sinks behind a signed head is found, after a restart too`() async throws {
        let (rig, checkpoint) = try await signed()
        try await rig.tamper("DROP TRIGGER audit_record_stays")
        try await rig.tamper("DELETE FROM audit_record WHERE sequence >= \(checkpoint.sequence)")
        let text = try String(contentsOfFile: rig.settings.auditFile, encoding: .utf8)
        let kept = text.split(separator: "\n").prefix(Int(checkpoint.sequence) - 1).joined(separator: "\n") + "\n"
        let path = "\(rig.folder)/cut.log"
        try Data(kept.utf8).write(to: URL(filePath: path))
        var settings = rig.settings
        settings.auditFile = path
        let again = try await KeyCentre.open(
            database: rig.database, module: rig.module, settings: settings, clocks: rig.clock.clocks)
        let finding = try #require(try await again.verifyAudit(by: rig.erin).findings.first)
        #expect(finding.place == .checkpoint)
        #expect(finding.sequence == checkpoint.sequence)
        _ = rig
    }

    @Test func `a checkpoint row made to fit is found by signing again`() async throws {
        let (rig, checkpoint) = try await signed()
        let rows = try await rig.centre.audit.records(from: 3, limit: 1)
        let message = AuditCheckpoint.message(
            node: checkpoint.node, sequence: 3, head: rows[0].hash, time: checkpoint.time)
        try await rig.tamper(
            "DROP TRIGGER audit_checkpoint_unchanged",
            "UPDATE audit_checkpoint SET sequence = 3, head = \(rows[0].hash), message = \(message)")
        #expect(try await rig.centre.audit.verify().isIntact)
        let findings = try await rig.centre.verifyAudit(by: rig.erin).findings
        #expect(findings.map(\.place) == [.checkpoint])
        #expect(findings.map(\.sequence) == [3])
    }

    @Test func `only a signing key signs a checkpoint`() async throws {
        let rig = try await Rig.make()
        try await rig.makeProduct()
        try await rig.makeKey("DPK", Rig.purchase)
        await #expect(throws: KMSError.module(.usageNotPermitted)) {
            _ = try await rig.centre.checkpoint(signedWith: Rig.id("DPK"), by: rig.carol)
        }
    }
}
