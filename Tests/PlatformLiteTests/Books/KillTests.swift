import Glibc
import MariaDB
import Testing

@testable import PlatformLite

struct KillTests {
    @Test func `A database server that is killed again and again loses and repeats nothing`() async throws {
        try await TestDatabase.withOwnServer { server, database in
            let office = BackOffice(
                database: database, verifier: ScriptedVerifier(), clock: { Scenario.now }, verifyLines: 200,
                postLines: 50)
            try await Scenario.prepare(office)
            let records = Scenario.purchases(1_500, cards: 40, seed: 61)
            let id = try await office.upload(Scenario.csv(records), id: nil, by: "test").status.id
            let worker = Task {
                var failures = 0
                // The worker of the program does the same: a failure is tried again, from what the database knows.
                while try await office.batch(id)?.state != .complete {
                    do { try await office.process(id) } catch is DatabaseError { failures += 1 }
                    if failures > 50 { break }
                }
            }
            var kills = 0
            for threshold in [100, 500, 900, 1_300] {
                // Polling the progress is what waits here, and it is itself a client of the killed server.
                while let status = try? await office.batch(id), status.posted < threshold, status.state != .complete {}
                if let process = server.processID, kill(process, SIGKILL) == 0 { kills += 1 }
            }
            try await worker.value
            #expect(kills >= 2)
            let status = try #require(try await office.batch(id))
            #expect(status.state == .complete)
            #expect(status.posted == records.count)
            let check = try await office.checkLedger()
            #expect(check.findings == [])
            #expect(check.postings == Int64(records.count))
        }
    }
}
