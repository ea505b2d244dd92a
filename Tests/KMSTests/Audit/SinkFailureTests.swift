import Foundation
import Glibc
import HSMBridge
import Testing

@testable import KMS
@testable import MariaDB

/// A sink that cannot be written: nothing happens, and it goes on by itself when the sink is back.
@Suite struct SinkFailureTests {
    @Test func `a full disk from the start lets nothing begin`() async throws {
        await #expect(throws: KMSError.auditUnavailable) { _ = try await Rig.make(auditFile: "/dev/full") }
    }

    @Test(.enabled(if: geteuid() == 0))
    func `a disk that fills up refuses all work and changes nothing until there is room`()
        async throws
    {
        let mount = try TestDatabase.folder("tmpfs")
        try #require(unsafe Glibc.mount("tmpfs", mount, "tmpfs", 0, "size=256k") == 0)
        defer { unsafe umount2(mount, Int32(MNT_DETACH)) }
        let rig = try await Rig.make(auditFile: "\(mount)/audit.log")
        try await rig.makeProduct()
        try await fill(rig, "\(mount)/filler")
        let before = rig.centre.audit.head.sequence
        for _ in 0..<3 {
            await #expect(throws: KMSError.auditUnavailable) {
                try await rig.centre.createIssuer("CCB", name: "x", description: "", by: rig.alice)
            }
            // A refusal that cannot be recorded is not answered as one.
            await #expect(throws: KMSError.auditUnavailable) {
                try await rig.centre.createIssuer("CCB", name: "x", description: "", by: rig.bob)
            }
        }
        #expect(rig.centre.audit.head.sequence == before)
        #expect(try await rig.database.read { try IssuerTable.all(&$0).map(\.code) } == ["ICBC"])
        unsafe unlink("\(mount)/filler")
        try await rig.centre.createIssuer("CCB", name: "x", description: "", by: rig.alice)
        #expect(try await rig.database.read { try IssuerTable.all(&$0).map(\.code) } == ["CCB", "ICBC"])
        #expect(try await rig.centre.audit.verify().isIntact)
    }

    @Test(.enabled(if: geteuid() == 0)) func `an outcome that cannot be recorded is told, kept, and recorded first`()
        async throws
    {
        let mount = try TestDatabase.folder("tmpfs2")
        try #require(unsafe Glibc.mount("tmpfs", mount, "tmpfs", 0, "size=256k") == 0)
        defer { unsafe umount2(mount, Int32(MNT_DETACH)) }
        let rig = try await Rig.make(auditFile: "\(mount)/audit.log")
        await #expect(throws: KMSError.outcomeNotRecorded) {
            try await rig.centre.perform(.changeSettings, on: "disk", by: rig.alice) {
                try await self.fill(rig, "\(mount)/filler")
            }
        }
        unsafe unlink("\(mount)/filler")
        try await rig.centre.audit.append([
            AuditEvent(.changeSettings, actors: [], origin: "t", object: "next", outcome: .noted)
        ])
        let records = try await rig.centre.audit.records(from: 1, limit: 100)
        let begun = try #require(records.first { $0.object == "disk" })
        #expect(begun.outcome == "begun")
        #expect(records.suffix(2).map { "\($0.object) \($0.outcome)" } == ["disk done", "next noted"])
        #expect(records.suffix(2).first?.reference == begun.sequence)
        #expect(try await rig.centre.audit.verify().isIntact)
    }

    @Test func `a lost database refuses all work, and the trail is whole when it is back`() async throws {
        let server = try await TestDatabase.start("lost")
        let rig = try await Rig.make(on: server)
        try await rig.makeProduct()
        let configuration = server
        await server.stop()
        await #expect(throws: KMSError.self) {
            try await rig.centre.audit.append([
                AuditEvent(.changeSettings, actors: ["alice"], origin: "t", object: "while gone", outcome: .begun)
            ])
        }
        await #expect(throws: KMSError.self) {
            try await rig.centre.createIssuer("CCB", name: "x", description: "", by: rig.alice)
        }
        let next = try await TestDatabase.restart(configuration)
        try await rig.centre.createIssuer("CCB", name: "x", description: "", by: rig.alice)
        let records = try await rig.centre.audit.records(from: 1, limit: 1_000)
        let lost = try #require(records.first { $0.object == "while gone" })
        let note = try #require(records.first { $0.operation == "audit.reconcile" })
        #expect(note.fields.contains { $0.name == "sequence" && $0.value == "\(lost.sequence)-\(lost.sequence)" })
        #expect(try await rig.centre.audit.verify().isIntact)
        await next.stop()
    }

    @Test func `a crash between the two sinks is completed and noted at the next start`() async throws {
        let rig = try await Rig.make(withPeople: false)
        // Killed after the file was synced, before the table had it.
        let head = rig.centre.audit.head
        let position = AuditPosition(
            node: rig.settings.node, sequence: head.sequence + 1, time: rig.clock.clocks.wall(), monotonic: 1,
            boot: "b",
            previous: head.hash)
        let record = AuditRecord(
            AuditEvent(.exportKey, actors: ["bob"], origin: "t", object: "half", outcome: .begun), at: position)
        let again = try await reopen(rig) { text in text + String(decoding: record.line, as: UTF8.self) }
        let records = try await again.audit.records(from: head.sequence + 1, limit: 10)
        #expect(records.map(\.operation) == ["key.export", "audit.reconcile", "audit.start"])
        #expect(try await again.audit.verify().isIntact)
    }

    @Test func `a torn last line is marked, noted, and no hindrance`() async throws {
        let rig = try await Rig.make(withPeople: false)
        let again = try await reopen(rig) { text in text + "0123456789ABCDEF {\"v\":1,\"no" }
        let records = try await again.audit.records(from: 2, limit: 10)
        #expect(records.map(\.operation) == ["audit.reconcile", "audit.start"])
        #expect(records[0].fields.contains { $0.name == "torn" })
        #expect(try await again.audit.verify().isIntact)
        let once = try await reopen(rig, from: "\(rig.folder)/reopened.log") { $0 }
        #expect(try await once.audit.verify().isIntact)
    }

    @Test func `a lost file is written again from the table, and the trail says so`() async throws {
        let rig = try await Rig.make(withPeople: false)
        for number in 1...5 {
            try await rig.centre.audit.append([
                AuditEvent(.changeSettings, actors: [], origin: "t", object: "\(number)", outcome: .done)
            ])
        }
        let again = try await reopen(rig) { text in
            text.split(separator: "\n").prefix(2).joined(separator: "\n") + "\n"
        }
        let records = try await again.audit.records(from: 7, limit: 10)
        #expect(records.first?.fields.map(\.value) == ["file completed", "3-6"])
        #expect(try await again.audit.verify().isIntact)
    }

    @Test func `a file that somebody shortens or removes under us stops the work`() async throws {
        let rig = try await Rig.make()
        #expect(unsafe truncate(rig.settings.auditFile, 100) == 0)
        await #expect(throws: KMSError.auditUnavailable) {
            try await rig.centre.createIssuer("CCB", name: "x", description: "", by: rig.alice)
        }
        let other = try await Rig.make()
        unsafe unlink(other.settings.auditFile)
        await #expect(throws: KMSError.auditUnavailable) {
            try await other.centre.createIssuer("CCB", name: "x", description: "", by: other.alice)
        }
    }

    @Test func `two processes never write one file`() async throws {
        let rig = try await Rig.make(withPeople: false)
        await #expect(throws: KMSError.auditUnavailable) { _ = try await rig.reopened() }
    }

    @Test func `many at once get numbers without gaps, each in both sinks`() async throws {
        let rig = try await Rig.make(withPeople: false)
        let numbers = try await withThrowingTaskGroup(of: [UInt64].self) { group in
            for number in 0..<300 {
                group.addTask {
                    try await rig.centre.audit.append([
                        AuditEvent(.changeSettings, actors: [], origin: "t", object: "\(number)", outcome: .begun),
                        AuditEvent(.changeSettings, actors: [], origin: "t", object: "\(number)", outcome: .done),
                    ])
                }
            }
            return try await group.reduce(into: [UInt64]()) { $0 += $1 }
        }
        #expect(numbers.sorted() == Array(2...601))
        let check = try await rig.centre.audit.verify()
        #expect(check.isIntact)
        #expect(check.records == 601)
        let records = try await rig.centre.audit.records(from: 1, limit: 1_000)
        for number in numbers { #expect(records[Int(number) - 1].sequence == number) }
    }

    /// What the next process finds: the same table, and a file changed as `edit` says.
    private func reopen(
        _ rig: Rig, from path: String? = nil, _ edit: (String) -> String
    ) async throws -> KeyCentre {
        let text = try String(contentsOfFile: path ?? rig.settings.auditFile, encoding: .utf8)
        var settings = rig.settings
        settings.auditFile = "\(rig.folder)/reopened\(path == nil ? "" : "-again").log"
        try Data(edit(text).utf8).write(to: URL(filePath: settings.auditFile))
        return try await KeyCentre.open(
            database: rig.database, module: rig.module, settings: settings, clocks: rig.clock.clocks)
    }

    /// Fills the disk, then the room that is left in the audit file's own last page.
    private func fill(_ rig: Rig, _ path: String) async throws {
        try fill(path)
        for _ in 0..<100 {
            let event = AuditEvent(.changeSettings, actors: [], origin: "t", object: "filler", outcome: .noted)
            guard await isDone({ try await rig.centre.audit.append([event]) }) else { return }
        }
        Issue.record("the disk is not full")
    }

    private func fill(_ path: String) throws {
        let file = unsafe open(path, O_WRONLY | O_CREAT, 0o600)
        guard file >= 0 else { throw KMSError.internalFault("open") }
        defer { close(file) }
        let block = [UInt8](repeating: 1, count: 4_096)
        while unsafe write(file, block, block.count) > 0 {}
        while unsafe write(file, block, 1) > 0 {}
    }
}
