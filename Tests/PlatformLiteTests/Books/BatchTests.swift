import MariaDB
import Testing

@testable import PlatformLite

struct BatchTests {
    private func office(_ database: Database, _ verifier: ScriptedVerifier = ScriptedVerifier()) async throws
        -> BackOffice
    {
        let office = BackOffice(database: database, verifier: verifier, clock: { Scenario.now })
        try await Scenario.prepare(office)
        return office
    }

    /// One bad record of each kind, on cards of their own.
    private func badRecords() -> [(String, RecordFault)] {
        let first = Scenario.record(terminal: 2, transaction: 9_001, card: 901, sequence: 5, fen: 700)
        return [
            (Scenario.record(terminal: 2, transaction: 9_000, card: 900, sequence: 5, fen: 700, tac: 1), .wrongTAC),
            (first, .duplicate),
            (Scenario.record(terminal: 3, transaction: 9_001, card: 901, sequence: 5, fen: 800), .cardSequenceReused),
            (Scenario.record(terminal: 2, transaction: 9_001, card: 902, sequence: 1, fen: 900), .terminalNumberReused),
            (
                Scenario.record(transaction: 1, card: 903, sequence: 1, fen: 900, unknownTerminal: true),
                .unknownTerminal
            ),
            (Scenario.record(terminal: 2, transaction: 9_003, card: 901, sequence: 7, fen: 100), .sequenceGap),
            (
                Scenario.record(terminal: 0, transaction: 9_004, card: 904, sequence: 7, fen: 100)
                    .replacing("11000000000000000000", with: "11000000000000000009"), .wrongPSAM
            ),
            ("this,is,nothing", .malformed),
        ]
    }

    @Test func `Good records are posted, bad ones listed with their reason, and the books agree`() async throws {
        try await TestDatabase.with("story") { database in
            let office = try await office(database)
            let first = Scenario.record(terminal: 2, transaction: 9_001, card: 901, sequence: 5, fen: 700)
            let good = Scenario.purchases(1_200, cards: 40, seed: 1) + [first]
            let bad = badRecords()
            let upload = try await office.upload(Scenario.csv(good + bad.map(\.0)), id: nil, by: "test")
            #expect(upload.isNew)
            #expect(upload.status.state == .waiting)
            try await office.process(upload.status.id)
            let status = try #require(try await office.batch(upload.status.id))
            #expect(status.state == .complete)
            #expect(status.posted == good.count)
            #expect(status.suspended == 1)
            #expect(status.rejected == bad.count - 1)
            let listed = try await office.badLines(of: status.id)
            #expect(listed.map(\.fault) == bad.map(\.1))
            #expect(listed.map(\.line) == Array(good.count + 1...good.count + bad.count))
            #expect(listed[1].detail == "batch \(status.id) line \(good.count)")
            let check = try await office.checkLedger()
            #expect(check.findings == [])
            #expect(check.postings == Int64(good.count + 1))
        }
    }

    @Test func `The same upload again changes nothing and says so`() async throws {
        try await TestDatabase.with("again") { database in
            let office = try await office(database)
            let csv = Scenario.csv(Scenario.purchases(50, cards: 5, seed: 2))
            let first = try await office.upload(csv, id: "day-1", by: "test")
            try await office.process(first.status.id)
            let before = try await office.balances().map { "\($0.0) \($0.1)" }
            let second = try await office.upload(csv, id: "another-name", by: "test")
            #expect(!second.isNew)
            #expect(second.status.id == "day-1")
            try await office.process(second.status.id)
            #expect(try await office.balances().map { "\($0.0) \($0.1)" } == before)
            await #expect(throws: BackOffice.Refusal.batchIDTaken) {
                try await office.upload(Scenario.csv(["x"]), id: "day-1", by: "test")
            }
            // The same records in other clothes: a new batch, all duplicates.
            let third = try await office.upload(csv + Array("nothing\n".utf8), id: nil, by: "test")
            try await office.process(third.status.id)
            #expect(try await office.batch(third.status.id)?.rejected == 51)
            #expect(try await office.balances().map { "\($0.0) \($0.1)" } == before)
        }
    }

    @Test func `While the crypto service is away nothing is posted, and later it goes on`() async throws {
        try await TestDatabase.with("away") { database in
            let verifier = ScriptedVerifier()
            var office = try await office(database, verifier)
            office = BackOffice(database: database, verifier: verifier, clock: { Scenario.now }, verifyLines: 100)
            let csv = Scenario.csv(Scenario.purchases(450, cards: 9, seed: 3))
            let id = try await office.upload(csv, id: nil, by: "test").status.id
            verifier.fail(at: 3, .away)
            await #expect(throws: VerificationFailure.away) { try await office.process(id) }
            var status = try #require(try await office.batch(id))
            #expect(status.state == .waiting)
            #expect(status.verified == 200)
            #expect(status.posted == 0)
            #expect(status.problem == "the crypto service does not answer")
            verifier.setAway(.sealed)
            await #expect(throws: VerificationFailure.sealed) { try await office.process(id) }
            #expect(try await office.batch(id)?.problem == "the security module is sealed")
            verifier.setAway(nil)
            try await office.process(id)
            status = try #require(try await office.batch(id))
            #expect(status.state == .complete)
            #expect(status.problem == nil)
            #expect(status.posted == 450)
            #expect(try await office.unfinishedBatches() == [])
        }
    }

    @Test func `A crash after any step loses nothing and repeats nothing`() async throws {
        try await TestDatabase.with("crash") { database in
            let records = Scenario.purchases(230, cards: 9, seed: 4) + badRecords().map(\.0)
            _ = try await office(database)
            let id = try await BackOffice(database: database, verifier: ScriptedVerifier(), clock: { Scenario.now })
                .upload(Scenario.csv(records), id: nil, by: "test").status.id
            var steps = 0
            while true {
                // A new process each time: it knows only what the database knows.
                let fresh = BackOffice(
                    database: database, verifier: ScriptedVerifier(), clock: { Scenario.now }, verifyLines: 64,
                    postLines: 50)
                let step = try await fresh.processor.step(id)
                #expect(try await fresh.checkLedger().findings == [])
                if step == .nothingToDo { break }
                steps += 1
                #expect(steps < 100)
            }
            #expect(steps > 8)
            let check = BackOffice(database: database, verifier: ScriptedVerifier(), clock: { Scenario.now })
            let status = try #require(try await check.batch(id))
            #expect(status.posted + status.suspended + status.rejected == records.count)
            #expect(status.posted == 231)
        }
    }

    @Test func `Ten who upload and process the same batch at once make one`() async throws {
        try await TestDatabase.with("race") { database in
            let office = try await office(database)
            let csv = Scenario.csv(Scenario.purchases(700, cards: 20, seed: 5))
            let isNew = try await withThrowingTaskGroup { group in
                for _ in 0..<10 {
                    group.addTask {
                        let upload = try await office.upload(csv, id: nil, by: "test")
                        try await office.process(upload.status.id)
                        return upload.isNew
                    }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(isNew.filter { $0 }.count == 1)
            let status = try #require(try await office.latestBatches().first)
            #expect(status.posted == 700)
            let check = try await office.checkLedger()
            #expect(check.findings == [])
            #expect(check.postings == 700)
        }
    }

    @Test func `Any order and cut of uploads gives the same books`() async throws {
        var outcomes: Set<[String]> = []
        let records = Scenario.purchases(260, cards: 12, seed: 6)
        // Some numbers never come: the gaps stay.
        let kept = records.enumerated().filter { $0.offset % 41 != 17 }.map(\.element)
        func books(_ database: Database, _ seed: UInt64) async throws -> [String] {
            let office = try await office(database)
            var random = Seeded(seed)
            var pile = kept.shuffled(using: &random)
            if seed == 0 { pile = kept }
            while !pile.isEmpty {
                let part = Array(pile.prefix(seed == 0 ? 1_000 : Int.random(in: 1...60, using: &random)))
                pile.removeFirst(part.count)
                let id = try await office.upload(Scenario.csv(part), id: nil, by: "test").status.id
                try await office.process(id)
            }
            #expect(try await office.checkLedger().findings == [])
            return try await office.balances().filter { $0.1 != .zero }.map { "\($0.0) \($0.1)" }
        }
        outcomes.insert(try await TestDatabase.with("order_0") { try await books($0, 0) })
        outcomes.insert(try await TestDatabase.with("order_1") { try await books($0, 1) })
        outcomes.insert(try await TestDatabase.with("order_2") { try await books($0, 2) })
        outcomes.insert(try await TestDatabase.with("order_3") { try await books($0, 3) })
        #expect(outcomes.count == 1)
        #expect(outcomes.first?.contains { $0.hasPrefix("suspense -") } == true)
    }

    @Test func `A full batch of ten thousand is posted in bounded transactions`() async throws {
        try await TestDatabase.with("full") { database in
            let office = try await office(database)
            let records = Scenario.purchases(10_000, cards: 400, seed: 7)
            let id = try await office.upload(Scenario.csv(records), id: nil, by: "test").status.id
            var steps: [BatchProcessor.Step: Int] = [:]
            while true {
                let step = try await office.processor.step(id)
                if step == .nothingToDo { break }
                steps[step, default: 0] += 1
            }
            #expect(steps[.posted(500)] == 20)
            #expect(steps[.completed] == 1)
            #expect(try await office.batch(id)?.posted == 10_000)
            #expect(try await office.checkLedger().findings == [])
        }
    }
}
