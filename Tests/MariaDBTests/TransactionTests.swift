import Dispatch
import Synchronization
import Testing

@testable import MariaDB

@Suite struct TransactionTests {
    private struct Refusal: Error {}

    @Test func `what a job does is kept whole or not at all`() async throws {
        let settings = try await TestServer.schema("whole")
        try await TestServer.with(settings) { database in
            try await create("entry", in: database)
            await #expect(throws: Refusal.self) {
                try await database.write { connection in
                    try connection.execute("INSERT INTO entry VALUES (1, 0)")
                    throw Refusal()
                }
            }
            #expect(try await count(database) == 0)
            await #expect(throws: DatabaseError.transactionBroken) {
                try await database.write { connection in
                    try connection.execute("INSERT INTO entry VALUES (2, 0)")
                    try connection.execute("CREATE TABLE other (id INT)")
                    try connection.execute("INSERT INTO entry VALUES (3, 0)")
                }
            }
            #expect(try await database.read { try $0.query("SELECT * FROM entry WHERE id = 3").isEmpty })
        }
    }

    @Test func `a reading job cannot write`() async throws {
        let settings = try await TestServer.schema("reading")
        try await TestServer.with(settings) { database in
            try await create("entry", in: database)
            await #expect(throws: DatabaseError.other(code: 1792)) {
                try await database.read { try $0.execute("INSERT INTO entry VALUES (1, 0)") }
            }
        }
    }

    @Test func `an update counts the rows it matched`() async throws {
        let settings = try await TestServer.schema("matched")
        try await TestServer.with(settings) { database in
            try await create("entry", in: database)
            let outcomes = try await database.write { connection in
                [
                    try connection.execute("INSERT INTO entry VALUES (1, 5)"),
                    try connection.execute("UPDATE entry SET value = 5 WHERE id = 1"),
                    try connection.execute("UPDATE entry SET value = 6 WHERE id = 2"),
                ].map(\.affectedRows)
            }
            #expect(outcomes == [1, 1, 0])
        }
    }

    @Test func `two jobs that deadlock both end well`() async throws {
        let settings = try await TestServer.schema("deadlock")
        try await TestServer.with(settings) { database in
            try await create("entry", in: database)
            try await database.write { try $0.execute("INSERT INTO entry VALUES (1, 0), (2, 0)") }
            let meeting = Meeting()
            let runs = Atomic(0)
            let locking: @Sendable (Int, Int) async throws -> Void = { first, second in
                let isFirstRun = Atomic(true)
                try await database.write { connection in
                    runs.add(1, ordering: .relaxed)
                    try connection.execute("UPDATE entry SET value = value + 1 WHERE id = \(first)")
                    // Both hold their first row before either asks for its second: a deadlock for certain.
                    if isFirstRun.exchange(false, ordering: .relaxed) { meeting.arrive() }
                    try connection.execute("UPDATE entry SET value = value + 1 WHERE id = \(second)")
                }
            }
            async let one: Void = locking(1, 2)
            async let two: Void = locking(2, 1)
            _ = try await (one, two)
            #expect(runs.load(ordering: .relaxed) >= 3)
            let values = try await database.read { try $0.query("SELECT value FROM entry").map { try $0.int("value") } }
            #expect(values == [2, 2])
        }
    }

    @Test func `a job that swallows a deadlock cannot commit half of itself`() async throws {
        let settings = try await TestServer.schema("swallow")
        try await TestServer.with(settings) { database in
            try await create("entry", in: database)
            try await database.write { try $0.execute("INSERT INTO entry VALUES (1, 0), (2, 0)") }
            let meeting = Meeting()
            let locking: @Sendable (Int, Int) async throws -> Void = { first, second in
                let runs = Atomic(0)
                try await database.write { connection in
                    let run = runs.add(1, ordering: .relaxed).newValue
                    try connection.execute("UPDATE entry SET value = value + 1 WHERE id = \(first)")
                    if run == 1 { meeting.arrive() }
                    _ = try? connection.execute("UPDATE entry SET value = value + 1 WHERE id = \(second)")
                    _ = try? connection.execute("INSERT INTO entry VALUES (\(first * 100 + run), 0)")
                }
            }
            async let one: Void = locking(1, 2)
            async let two: Void = locking(2, 1)
            _ = try await (one, two)
            let rows = try await database.read { try $0.query("SELECT id, value FROM entry ORDER BY id") }
            // One note of each job, from the run that was kept: a note of a run that was rolled back would be a fifth row.
            #expect(try rows.map { try $0.int("value") } == [2, 2, 0, 0])
            #expect(try rows.map { try min(3, $0.int("id") / 100) } == [0, 0, 1, 2])
        }
    }

    @Test func `reading and then writing loses no update`() async throws {
        var settings = try await TestServer.schema("lost")
        settings.transactionTries = 100
        try await TestServer.with(settings, workers: 4, queueLimit: 1_000) { database in
            try await create("entry", in: database)
            try await database.write { try $0.execute("INSERT INTO entry VALUES (1, 0)") }
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<100 {
                    group.addTask {
                        try await database.write { connection in
                            let value = try connection.requireOne("SELECT value FROM entry WHERE id = 1").int("value")
                            try connection.execute("UPDATE entry SET value = \(value + 1) WHERE id = 1")
                        }
                    }
                }
                try await group.waitForAll()
            }
            #expect(try await database.read { try $0.requireOne("SELECT value FROM entry").int("value") } == 100)
        }
    }

    private func create(_ table: StaticString, in database: Database) async throws {
        try await database.plain { connection in
            try connection.execute("CREATE TABLE \(literal: table) (id INT PRIMARY KEY, value INT NOT NULL)")
        }
    }

    private func count(_ database: Database) async throws -> Int {
        try await database.read { try $0.query("SELECT id FROM entry").count }
    }
}

/// Where two threads wait for each other.
final class Meeting: Sendable {
    private let arrived = Atomic(0)
    private let both = DispatchSemaphore(value: 0)

    func arrive() {
        if arrived.add(1, ordering: .sequentiallyConsistent).newValue == 2 {
            both.signal()
            both.signal()
        }
        _ = both.wait(timeout: .now() + 20)
    }
}
