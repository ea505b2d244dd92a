import FoundationEssentials
import Testing

@testable import CardSimulator

struct FleetTests {
    static let key: [UInt8] = (0..<16).map { $0 * 17 }

    static func simulation(_ seed: UInt64 = 1) throws -> CardFleet.Simulation {
        try CardFleet.simulate(CardFleet.Settings(seed: seed), tacMasterKey: key)
    }

    @Test func `the same seed gives the same bytes and another seed others`() throws {
        let once = CardFleet.recordLines(try Self.simulation())
        #expect(once == CardFleet.recordLines(try Self.simulation()))
        #expect(once != CardFleet.recordLines(try Self.simulation(2)))
        #expect(once.count == 10_001)
    }

    /// Finds what is bad by looking at the records alone, with its own formula for the TAC.
    @Test(arguments: [UInt64(1), 2, 3, 77]) func `exactly the stated records are bad, each for the stated reason`(
        _ seed: UInt64
    ) throws {
        let simulation = try Self.simulation(seed)
        let known = Set(simulation.terminals.map(\.number))
        let opening = Dictionary(uniqueKeysWithValues: simulation.cards.map { ($0.serialNumber, $0) })
        var found: [Int: String] = [:]
        var seen: Set<[String]> = []
        var next: [[UInt8]: (sequence: UInt16, balance: UInt32)] = [:]
        for record in simulation.records {
            let card = try #require(opening[record.card])
            let fields = Array(CardFleet.recordLine(record).split(separator: ",").map(String.init).dropFirst())
            guard seen.insert(fields).inserted else {
                found[record.id] = "duplicate"
                continue
            }
            let master = try #require(CardCipher(Self.key))
            let factor = Array(record.card[2...])
            let dtk = master.encrypt(factor) + master.encrypt(factor.map { 255 - $0 })
            let tac = try #require(CardCipher(zip(dtk[..<8], dtk[8...]).map { $0 ^ $1 })).mac(
                record.amount.bytes + [6] + record.terminal + record.terminalTransaction.bytes + record.date
                    + record.time)
            let expected = next[record.card] ?? (card.firstSequence, card.openingBalance)
            if tac != record.tac {
                found[record.id] =
                    expected.balance == record.balanceAfter + record.amount ? "wrong_tac" : "changed_amount"
            } else if !known.contains(record.terminal) {
                found[record.id] = "unknown_terminal"
            } else if record.cardSequence < expected.sequence {
                found[record.id] = "sequence_repeated"
                continue
            } else if record.cardSequence > expected.sequence {
                found[record.id] = "sequence_gap"
            } else {
                #expect(expected.balance == record.balanceAfter + record.amount)
            }
            next[record.card] = (record.cardSequence + 1, record.balanceAfter)
        }
        let truth = Dictionary(uniqueKeysWithValues: simulation.findings.map { ($0.id, $0.defect.rawValue) })
        #expect(found == truth)
        #expect(truth.count == 25)
        #expect(Set(truth.values).count == 6)
    }

    @Test func `records look like a canteen`() throws {
        let simulation = try Self.simulation()
        #expect(simulation.terminals.count == 20)
        #expect(Set(simulation.terminals.map(\.merchant)).count == 6)
        #expect(simulation.records.allSatisfy { (100...6000).contains($0.amount) && $0.time[0] < 0x24 })
        #expect(Set(simulation.records.map(\.date)).count >= 5)
        #expect(Set(simulation.records.map(\.card)).count > 1_400)
        #expect(simulation.records.map(\.id) == Array(1...10_000))
        // Only repeated uploads may use a terminal's number twice.
        let pairs = Set(simulation.records.map { $0.terminal + $0.terminalTransaction.bytes })
        #expect(pairs.count == 10_000 - simulation.findings.count { $0.defect == .duplicate })
    }

    @Test(arguments: [(20, 0), (100, 12), (1_000, 60), (30_000, 600)])
    func `the numbers asked for are met`(_ records: Int, _ bad: Int) throws {
        var settings = CardFleet.Settings(seed: 9)
        (settings.records, settings.bad) = (records, bad)
        let simulation = try CardFleet.simulate(settings, tacMasterKey: Self.key)
        #expect(simulation.records.count == records)
        #expect(simulation.findings.count == bad)
        #expect(Set(simulation.findings.map(\.id)).count == bad)
    }

    @Test func `impossible numbers and keys are refused`() throws {
        var settings = CardFleet.Settings(seed: 9)
        settings.bad = 2_000
        #expect(throws: CardFleet.Failure.self) { try CardFleet.simulate(settings, tacMasterKey: Self.key) }
        #expect(throws: CardFleet.Failure.badKey) {
            try CardFleet.simulate(CardFleet.Settings(seed: 1), tacMasterKey: [1, 2, 3])
        }
    }

    @Test func `files are written with their header lines`() throws {
        let folder = FileManager.default.temporaryDirectory.appending(
            path: "kmsd-fleet-\(UInt32.random(in: 0 ... .max))")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let key = folder.appending(path: "key.json").path
        try Data(#"{"tac_master_key": "00112233445566778899AABBCCDDEEFF"}"#.utf8).write(to: URL(filePath: key))
        let records = folder.appending(path: "records.csv").path
        let truth = folder.appending(path: "truth.csv").path
        var settings = CardFleet.Settings(seed: 4)
        settings.records = 200
        try CardFleet.write(settings, keyFile: key, to: CardFleet.Files(records: records, truth: truth))
        let lines = try String(contentsOfFile: records, encoding: .utf8).split(separator: "\n")
        #expect(lines.count == 201)
        #expect(
            lines[0] == "record_id,terminal_no,psam_no,terminal_txn,card_asn,card_seq,amount_fen,balance_after_fen,"
                + "txn_type,date,time,key_version,tac")
        #expect(lines[1].split(separator: ",").map(\.count)[1...2] == [12, 20])
        #expect(try String(contentsOfFile: truth, encoding: .utf8).split(separator: "\n").count == 26)
        try Data("{}".utf8).write(to: URL(filePath: key))
        #expect(throws: CardFleet.Failure.badKey) {
            try CardFleet.write(settings, keyFile: key, to: CardFleet.Files(records: records, truth: truth))
        }
    }
}
