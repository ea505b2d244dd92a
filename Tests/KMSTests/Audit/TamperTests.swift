import Foundation
import HSMBridge
import Testing

@testable import KMS
@testable import MariaDB

/// Somebody with all rights on file and database changes the trail; the check names the first bad record.
@Suite struct TamperTests {
    /// Fifteen quiet records and the file's lines.
    private func trail() async throws -> (Rig, [String]) {
        let rig = try await Rig.make(withPeople: false)
        for number in 1...14 {
            try await rig.centre.audit.append([
                AuditEvent(.changeSettings, actors: ["alice"], origin: "t", object: "setting \(number)", outcome: .done)
            ])
        }
        let text = try String(contentsOfFile: rig.settings.auditFile, encoding: .utf8)
        let lines = text.split(separator: "\n").map(String.init)
        try #require(lines.count == 15)
        #expect(try await rig.centre.audit.verify().isIntact)
        return (rig, lines)
    }

    private func write(_ lines: [String], _ rig: Rig) throws {
        let handle = try #require(FileHandle(forWritingAtPath: rig.settings.auditFile))
        try handle.truncate(atOffset: 0)
        try handle.write(contentsOf: Data((lines.joined(separator: "\n") + "\n").utf8))
        try handle.close()
    }

    private func first(_ rig: Rig) async throws -> AuditFinding? { try await rig.centre.audit.verify().findings.first }

    private func finding(
        _ rig: Rig, _ sequence: UInt64, _ place: AuditFinding.Place, _ problem: AuditFinding.Problem
    ) -> AuditFinding {
        AuditFinding(node: rig.settings.node, sequence: sequence, place: place, problem: problem)
    }

    @Test func `an edited line is found`() async throws {
        var (rig, lines) = try await trail()
        lines[6] = lines[6].replacingOccurrences(of: "alice", with: "mallo")
        try write(lines, rig)
        #expect(try await first(rig) == finding(rig, 7, .file, .edited))
    }

    @Test func `a damaged line is found`() async throws {
        var (rig, lines) = try await trail()
        lines[6] = String(lines[6].dropLast(3))
        try write(lines, rig)
        #expect(try await first(rig) == finding(rig, 7, .file, .unreadable))
    }

    @Test func `a deleted line is found`() async throws {
        var (rig, lines) = try await trail()
        lines.remove(at: 6)
        try write(lines, rig)
        #expect(try await first(rig) == finding(rig, 7, .file, .deleted))
    }

    @Test func `exchanged lines are found`() async throws {
        var (rig, lines) = try await trail()
        lines.swapAt(6, 9)
        try write(lines, rig)
        #expect(try await first(rig) == finding(rig, 7, .file, .reordered))
    }

    @Test func `a line put in twice is found`() async throws {
        var (rig, lines) = try await trail()
        lines.insert(lines[6], at: 8)
        try write(lines, rig)
        #expect(try await first(rig) == finding(rig, 7, .file, .inserted))
    }

    @Test func `a file cut short is found`() async throws {
        var (rig, lines) = try await trail()
        lines.removeLast(3)
        try write(lines, rig)
        #expect(try await first(rig) == finding(rig, 13, .file, .truncated))
    }

    @Test func `a line called torn to hide it is found`() async throws {
        var (rig, lines) = try await trail()
        lines[6] += " #torn"
        try write(lines, rig)
        #expect(try await first(rig) == finding(rig, 7, .file, .deleted))
    }

    @Test func `a file rewritten from one record on, with all hashes right, is found`() async throws {
        var (rig, lines) = try await trail()
        var previous = try #require(AuditRecord(line: Array(lines[5].utf8))).hash
        for index in 6..<15 {
            let old = try #require(AuditRecord(line: Array(lines[index].utf8)))
            let canonical = index == 6 ? old.canonical.replacingOccurrences(of: "alice", with: "mallo") : old.canonical
            previous = AuditRecord.link(previous, Array(canonical.utf8))
            lines[index] = "\(Hex.encode(previous)) \(canonical)"
        }
        try write(lines, rig)
        #expect(try await first(rig) == finding(rig, 7, .file, .edited))
    }

    private static let unguard: [SQL] = [
        "DROP TRIGGER IF EXISTS audit_record_stays", "DROP TRIGGER IF EXISTS audit_record_unchanged",
    ]

    private func tamper(_ rig: Rig, _ statements: SQL...) async throws {
        for statement in Self.unguard + statements { try await rig.tamper(statement) }
    }

    @Test func `an edited row is found`() async throws {
        let (rig, _) = try await trail()
        try await tamper(
            rig, "UPDATE audit_record SET record = REPLACE(record, 'alice', 'mallo') WHERE sequence = 7")
        #expect(try await first(rig) == finding(rig, 7, .table, .edited))
    }

    @Test func `an edited row with a hash made to fit is found`() async throws {
        let (rig, _) = try await trail()
        let rows = try await rig.database.read { connection in
            try AuditRecordTable.rows(rig.settings.node, from: 6, through: 7, &connection)
        }
        let canonical = rows[1].record.replacingOccurrences(of: "alice", with: "mallo")
        let hash = AuditRecord.link(rows[0].hash, Array(canonical.utf8))
        try await tamper(rig, "UPDATE audit_record SET record = \(canonical), hash = \(hash) WHERE sequence = 7")
        #expect(try await first(rig) == finding(rig, 7, .table, .edited))
    }

    @Test func `a deleted row is found`() async throws {
        let (rig, _) = try await trail()
        try await tamper(rig, "DELETE FROM audit_record WHERE sequence = 7")
        #expect(try await first(rig) == finding(rig, 7, .table, .deleted))
    }

    @Test func `a table cut short is found`() async throws {
        let (rig, _) = try await trail()
        try await tamper(rig, "DELETE FROM audit_record WHERE sequence > 12")
        #expect(try await first(rig) == finding(rig, 13, .table, .truncated))
    }

    @Test func `exchanged rows are found`() async throws {
        let (rig, _) = try await trail()
        try await tamper(
            rig, "UPDATE audit_record SET sequence = 1000 WHERE sequence = 7",
            "UPDATE audit_record SET sequence = 7 WHERE sequence = 9",
            "UPDATE audit_record SET sequence = 9 WHERE sequence = 1000")
        #expect(try await first(rig) == finding(rig, 7, .table, .reordered))
    }

    @Test func `a row put in behind the end is found`() async throws {
        let (rig, _) = try await trail()
        let node = rig.settings.node
        let position = AuditPosition(
            node: node, sequence: 16, time: Timestamp(microseconds: 1), monotonic: 1, boot: "b",
            previous: rig.centre.audit.head.hash)
        let forged = AuditRecord(AuditEvent(.exportKey, actors: ["x"], origin: "", outcome: .done), at: position)
        try await rig.database.write { connection in try AuditRecordTable.insert([forged], &connection) }
        #expect(try await first(rig) == finding(rig, 16, .table, .inserted))
    }

    @Test func `random damage is found wherever it falls`() async throws {
        let (rig, lines) = try await trail()
        var generator = SeededGenerator(seed: 20_261_123)
        for _ in 0..<200 {
            let index = Int.random(in: 0..<15, using: &generator)
            var bytes = Array(lines[index].utf8)
            let bit = Int.random(in: 0..<bytes.count * 8, using: &generator)
            bytes[bit / 8] ^= 1 << UInt8(bit % 8)
            // The case of a hash digit means the same; a line end makes two lines.
            guard let text = String(validating: bytes, as: UTF8.self), text.uppercased() != lines[index].uppercased(),
                !text.contains("\n")
            else { continue }
            var changed = lines
            changed[index] = text
            try write(changed, rig)
            #expect(try await first(rig)?.sequence == UInt64(index + 1), "line \(index + 1), bit \(bit)")
        }
    }

    @Test func `the account of the program can neither edit nor delete a record, and no account can by mistake`()
        async throws
    {
        let (rig, _) = try await trail()
        for statement: SQL in [
            "UPDATE audit_record SET record = '{}'", "DELETE FROM audit_record", "DROP TABLE audit_record",
            "TRUNCATE TABLE audit_record", "DROP TRIGGER audit_record_stays", "DELETE FROM audit_checkpoint",
            "UPDATE audit_checkpoint SET sequence = 1", "DELETE FROM key_transport", "DELETE FROM administrator",
        ] {
            await #expect(throws: DatabaseError.self, "\(statement.text)") {
                try await rig.database.write { connection in try connection.execute(statement) }
            }
        }
        await #expect(throws: DatabaseError.self) { try await rig.tamper("DELETE FROM audit_record") }
        let excess = try await Migrations(KMSSchema.steps + KMSSchema.additions).excessRights(in: rig.database)
        // The account also has its rights on other rigs' schemas, which are not its own here.
        #expect(excess.filter { $0.found.contains("`\(rig.schema)`") }.isEmpty)
    }
}

/// SplitMix64: the same sequence for the same seed.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64
    init(seed: UInt64) { state = seed }
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
