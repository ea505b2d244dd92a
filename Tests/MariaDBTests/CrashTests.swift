import Dispatch
import Glibc
import Synchronization
import Testing

@testable import MariaDB

/// kill -9 against a server of the test's own.
@Suite(.serialized) struct CrashTests {
    @Test func `a server that is killed comes back, and nothing acknowledged is lost`() async throws {
        let server = try await TestServer.start("kills")
        try await migrate(server)
        try await TestServer.with(server.settings(for: .platform), workers: 4, queueLimit: 100) {
            database async throws in
            let acknowledged = Tally()
            let unknown = Tally()
            for round in 0..<3 {
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for worker in 0..<4 {
                        group.addTask {
                            for step in 0..<40 {
                                let id = round * 1_000 + worker * 100 + step
                                if worker == 0 && step == 20, let process = server.processID {
                                    _ = kill(process, SIGKILL)
                                }
                                do {
                                    try await database.write { connection in
                                        try connection.execute("INSERT INTO posting VALUES (\(id), \(1))")
                                        try connection.execute("INSERT INTO posting VALUES (\(-id - 1), \(-1))")
                                    }
                                    acknowledged.add(id)
                                } catch DatabaseError.gone(.unknown) {
                                    unknown.add(id)
                                }
                            }
                        }
                    }
                    try await group.waitForAll()
                }
            }
            let rows = try await database.read { try $0.query("SELECT id, amount FROM posting") }
            let ids = Set(try rows.map { try $0.int("id") })
            let sum = try rows.reduce(0) { try $0 + $1.int("amount") }
            let kept = acknowledged.ids
            let open = unknown.ids
            #expect(kept.subtracting(ids).isEmpty, "lost: \(kept.subtracting(ids))")
            #expect(sum == 0)
            #expect(ids.filter { $0 >= 0 }.subtracting(kept).subtracting(open).isEmpty)
            #expect(kept.count + open.count == 480)
            #expect(server.starts == 4)
        }
        await server.stop()
    }

    @Test func `a loss before COMMIT is tried again, a loss at COMMIT is reported as unknown`() async throws {
        let server = try await TestServer.start("moments")
        try await migrate(server)
        let runs = Atomic(0)
        try await TestServer.with(server.settings(for: .platform), workers: 1) { database async throws in
            // Killed within the body: the statement after it fails, the body runs again and is kept once.
            try await database.write { connection in
                let isFirst = runs.add(1, ordering: .relaxed).newValue == 1
                try connection.execute("INSERT INTO posting VALUES (1, 1)")
                if isFirst { Self.killAndWait(server) }
                try connection.execute("INSERT INTO posting VALUES (2, 1)")
            }
            #expect(runs.load(ordering: .relaxed) == 2)
            #expect(try await ids(database) == [1, 2])
            // Killed as the last act of the body: only COMMIT is left, and it gets no answer.
            let tries = Atomic(0)
            await #expect(throws: DatabaseError.gone(.unknown)) {
                try await database.write { connection in
                    tries.add(1, ordering: .relaxed)
                    try connection.execute("INSERT INTO posting VALUES (3, 1)")
                    Self.killAndWait(server)
                }
            }
            #expect(tries.load(ordering: .relaxed) == 1)
            // A read whose server is killed under it runs again.
            let reads = Atomic(0)
            let found = try await database.read { connection in
                let isFirst = reads.add(1, ordering: .relaxed).newValue == 1
                if isFirst { Self.killAndWait(server) }
                return try connection.query("SELECT id FROM posting ORDER BY id").map { try $0.int("id") }
            }
            #expect(found == [1, 2])
            #expect(reads.load(ordering: .relaxed) == 2)
        }
        await server.stop()
        #expect(server.hasEnded)
        #expect(server.processID == nil)
    }

    private func migrate(_ server: PrivateServer) async throws {
        let posting = Migration(
            "1 postings", grants: [.appendOnly("posting")],
            statements: ["CREATE TABLE posting (id INT PRIMARY KEY, amount INT NOT NULL)"])
        try await TestServer.with(server.settings(for: .platformMigrate), workers: 1) { database async throws in
            try await Migrations([posting], runtime: ServerAccount.platform.account).apply(to: database)
        }
    }

    private func ids(_ database: Database) async throws -> [Int] {
        try await database.read { try $0.query("SELECT id FROM posting ORDER BY id").map { try $0.int("id") } }
    }

    /// Kills the server and returns when the kernel has taken it down, so that its connections are closed.
    private static func killAndWait(_ server: PrivateServer) {
        guard let process = server.processID else { return }
        _ = kill(process, SIGKILL)
        while kill(process, 0) == 0 { usleep(1_000) }
    }
}

/// Numbers noted by several tasks.
private final class Tally: Sendable {
    private let noted = Mutex<Set<Int>>([])

    func add(_ id: Int) { noted.withLock { _ = $0.insert(id) } }
    var ids: Set<Int> { noted.withLock { $0 } }
}
