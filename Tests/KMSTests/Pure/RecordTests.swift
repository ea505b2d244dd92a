import HSMBridge
import Testing

@testable import KMS

@Suite struct RecordTests {
    private func record(_ event: AuditEvent) -> AuditRecord {
        AuditRecord(
            event,
            at: AuditPosition(
                node: "a", sequence: 7, time: Timestamp(microseconds: 1), monotonic: 9, boot: "b",
                previous: AuditRecord.firstPrevious))
    }

    @Test func `a record reads back from its line, quotes, control characters and Chinese included`() throws {
        let event = AuditEvent(
            .createIssuer, actors: ["alice", "bob"], origin: "tcp \"x\"\\\n", object: "发卡行",
            checkValue: KeyCheckValue("8CE396"), outcome: .failed(code: "K-301"), reference: 3,
            fields: [.count: "1", .algorithm: "sm4"])
        let written = record(event)
        #expect(!written.canonical.contains("\n"))
        let line = written.line
        #expect(line.last == 0x0A)
        #expect(AuditRecord(line: [UInt8](line.dropLast())) == written)
        #expect(written.fields.map(\.name) == ["algorithm", "count"])
    }

    @Test func `a line with any one bit changed is another record or none`() {
        let written = record(AuditEvent(.readAudit, actors: ["erin"], origin: "cli", outcome: .done))
        let line = [UInt8](written.line.dropLast())
        for bit in 0..<line.count * 8 {
            var changed = line
            changed[bit / 8] ^= 1 << UInt8(bit % 8)
            guard let read = AuditRecord(line: changed) else { continue }
            let isLinked = AuditRecord.link(AuditRecord.firstPrevious, [UInt8](read.canonical.utf8)) == read.hash
            // The case of a digit of the hash is the only change that means the same.
            #expect(!isLinked || (read.hash == written.hash && read.canonical == written.canonical), "bit \(bit)")
        }
    }

    @Test func `long values are cut between characters`() {
        let written = record(
            AuditEvent(
                .signIn, actors: [], origin: String(repeating: "银", count: 1_000), outcome: .noted,
                fields: [.reason: String(repeating: "x", count: 5_000)]))
        #expect(written.origin == String(repeating: "银", count: 42))
        #expect(written.fields[0].value.utf8.count == 200)
        #expect(written.canonical.utf8.count < AuditRecord.maximumLength)
    }

    @Test func `two different intents never share their text`() {
        let one = Intent.writeOffStock(kind: "a 1:b", count: 1, reason: "c")
        let other = Intent.writeOffStock(kind: "a", count: 1, reason: "b 1:c")
        #expect(one.canonicalText != other.canonicalText)
        #expect(one.digest != other.digest)
    }
}
