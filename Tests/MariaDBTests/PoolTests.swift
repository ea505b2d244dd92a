import Dispatch
import Foundation
import Testing

@testable import MariaDB

@Suite struct PoolTests {
    @Test func `a full queue says busy at once, and a closed pool says so`() async throws {
        let settings = try await TestServer.administrator(of: TestServer.running())
        let database = Database(settings, workers: 1, queueLimit: 2)
        let started = AsyncStream<Void>.makeStream()
        let release = DispatchSemaphore(value: 0)
        let blocker = Task {
            try await database.read { _ in
                started.continuation.yield()
                release.wait()
            }
        }
        for await _ in started.stream { break }
        let queued = (0..<2).map { _ in Task { try await database.read { try $0.requireOne("SELECT 1 AS n").int("n") } }
        }
        while database.waitingJobs < 2 { await Task.yield() }
        await #expect(throws: DatabaseError.busy) { try await database.read { _ in } }
        release.signal()
        try await blocker.value
        for task in queued { #expect(try await task.value == 1) }
        await database.close()
        await #expect(throws: DatabaseError.closed) { try await database.read { _ in } }
        await database.close()
    }

    @Test func `a connection keeps no more prepared statements than its limit`() async throws {
        var settings = try await TestServer.administrator(of: TestServer.running())
        settings.statementLimit = 5
        try await TestServer.with(settings, workers: 1) { database in
            let (ours, servers) = try await database.plain { connection in
                for count in 1...40 {
                    let sum = (1...count).map { "\($0)" as SQL }.joined(" + ")
                    let total = try connection.requireOne("SELECT \(sum) AS total").int("total")
                    #expect(total == count * (count + 1) / 2)
                    // The first text is used again and again and stays.
                    _ = try connection.query("SELECT \(count) AS again")
                }
                let row = try connection.requireOne(
                    """
                    SELECT (SELECT VARIABLE_VALUE FROM information_schema.SESSION_STATUS
                    WHERE VARIABLE_NAME = 'COM_STMT_PREPARE') - (SELECT VARIABLE_VALUE
                    FROM information_schema.SESSION_STATUS WHERE VARIABLE_NAME = 'COM_STMT_CLOSE') AS held
                    """)
                return (connection.preparedCount, row["held"])
            }
            #expect(ours == 5)
            // 40 sums, the repeated text and this question were prepared, each once.
            let held = try #require(servers)
            #expect(held == .text("5") || held == .integer(5) || held == .text("6"))
        }
    }

    @Test func `worker threads are named, and gone after close`() async throws {
        let settings = try await TestServer.administrator(of: TestServer.running())
        let database = Database(settings, workers: 3)
        let name = try await database.read { _ in
            try String(contentsOfFile: "/proc/thread-self/comm", encoding: .utf8)
        }
        #expect(name.hasPrefix("mariadb-"))
        await database.close()
    }

    @Test func `figures: prepared reads and committed writes`() async throws {
        let settings = try await TestServer.schema("figures")
        try await TestServer.with(settings, workers: 4, queueLimit: 5_000) { database in
            try await database.plain { connection in
                try connection.execute("CREATE TABLE entry (id INT AUTO_INCREMENT PRIMARY KEY, v BIGINT NOT NULL)")
            }
            let clock = ContinuousClock()
            let writes = try await clock.measure {
                try await repeated(500) {
                    try await database.write { _ = try $0.execute("INSERT INTO entry (v) VALUES (\(1))") }
                }
            }
            let reads = try await clock.measure {
                try await repeated(2_000) {
                    try await database.read { _ = try $0.queryOne("SELECT v FROM entry WHERE id = \(7)") }
                }
            }
            Attachment.record("500 writes \(writes), 2000 reads \(reads)", named: "figures.txt")
            FileHandle.standardError.write(Data("figures: 500 writes \(writes), 2000 reads \(reads)\n".utf8))
            #expect(try await database.read { try $0.query("SELECT id FROM entry").count } == 500)
        }
    }

    private func repeated(_ count: Int, _ body: @escaping @Sendable () async throws -> Void) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<count { group.addTask { try await body() } }
            try await group.waitForAll()
        }
    }
}
