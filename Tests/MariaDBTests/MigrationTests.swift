import Testing

@testable import MariaDB

@Suite struct MigrationTests {
    private static let first = Migration(
        "1 entries", grants: [.appendOnly("entry"), Grant("secret", .all, auditorReads: false)],
        statements: [
            "CREATE TABLE entry (id INT PRIMARY KEY, v INT NOT NULL)",
            "INSERT INTO entry VALUES (\(1), \(0))",
            "CREATE TABLE secret (id INT PRIMARY KEY)",
        ])
    private static let second = Migration("2 names", statements: ["ALTER TABLE entry ADD COLUMN name VARCHAR(20) NULL"])

    @Test func `each migration is applied once, in order`() async throws {
        let settings = try await TestServer.schema("once")
        try await TestServer.with(settings) { database async throws in
            #expect(try await Migrations([Self.first]).apply(to: database) == ["1 entries"])
            #expect(try await Migrations([Self.first]).apply(to: database) == [])
            let both = Migrations([Self.first, Self.second])
            #expect(try await both.pending(in: database) == ["2 names"])
            #expect(try await both.apply(to: database) == ["2 names"])
            #expect(try await both.pending(in: database) == [])
            #expect(try await database.read { try $0.query("SELECT id, name FROM entry").count } == 1)
        }
    }

    @Test func `a migration that was changed, moved or is unknown is refused`() async throws {
        let settings = try await TestServer.schema("changed")
        try await TestServer.with(settings) { database async throws in
            try await Migrations([Self.first, Self.second]).apply(to: database)
            var statements = Self.first.statements
            statements[1] = "INSERT INTO entry VALUES (\(1), \(1))"
            let changed = Migration("1 entries", statements: statements)
            await #expect(throws: DatabaseError.migrationChanged("1 entries")) {
                try await Migrations([changed, Self.second]).apply(to: database)
            }
            await #expect(throws: DatabaseError.migrationChanged("1 entries")) {
                try await Migrations([Self.second, Self.first]).apply(to: database)
            }
            await #expect(throws: DatabaseError.migrationChanged("2 names")) {
                try await Migrations([Self.first]).apply(to: database)
            }
        }
    }

    @Test func `a migration cut short goes on where it stopped`() async throws {
        let settings = try await TestServer.schema("resumed")
        try await TestServer.with(settings) { database async throws in
            let broken = Migration("1 entries", statements: Array(Self.first.statements.prefix(2)) + ["CREATE TABLE"])
            await #expect(throws: DatabaseError.other(code: 1064)) {
                try await Migrations([broken]).apply(to: database)
            }
            // As after a crash between the third statement and the note of it.
            try await database.plain { connection in
                let sum = try connection.requireOne(
                    "SELECT statements_done AS done FROM schema_migration"
                ).int("done")
                #expect(sum == 2)
                try connection.execute("CREATE TABLE secret (id INT PRIMARY KEY)")
            }
            await #expect(throws: DatabaseError.migrationChanged("1 entries")) {
                try await Migrations([Self.first]).apply(to: database)
            }
            try await database.plain { connection in
                try connection.execute("UPDATE schema_migration SET checksum = SHA2(\(Self.first.content), 256)")
            }
            #expect(try await Migrations([Self.first, Self.second]).apply(to: database) == ["1 entries", "2 names"])
        }
    }

    @Test func `the content under the checksum has one form for ever`() {
        let migration = Migration(
            "1", statements: ["A \(1) \("é") \(nil as Int?)", "B \([1] as [UInt8]) \(UInt64.max)"])
        #expect(migration.content == Array("s7:A ? ? ?i1:1t2:én0:s5:B ? ?b1:\u{1}u20:18446744073709551615".utf8))
    }

    @Test func `a transaction that a failed step left open does not swallow the next one`() async throws {
        let settings = try await TestServer.schema("left_open")
        try await TestServer.with(settings, workers: 1) { database async throws in
            let broken = Migration("1", statements: ["CREATE TABLE kept (id INT PRIMARY KEY)", "SELEC"])
            await #expect(throws: DatabaseError.other(code: 1064)) {
                try await Migrations([broken]).apply(to: database)
            }
            try await database.plain { try $0.execute("INSERT INTO kept VALUES (1)") }
            try await TestServer.with(settings, workers: 1) { other async throws in
                #expect(try await other.read { try $0.query("SELECT id FROM kept").count } == 1)
            }
        }
    }

    @Test func `nodes that migrate together do it once`() async throws {
        let settings = try await TestServer.schema("race")
        let applied = try await withThrowingTaskGroup(of: [String].self) { group in
            for _ in 0..<4 {
                group.addTask {
                    try await TestServer.with(settings, workers: 1) { database async throws in
                        try await Migrations([Self.first, Self.second]).apply(to: database)
                    }
                }
            }
            return try await group.reduce(into: []) { $0 += $1 }
        }
        #expect(applied == ["1 entries", "2 names"])
    }

    @Test func `a lock that is held elsewhere is not waited for without end`() async throws {
        let settings = try await TestServer.schema("locked")
        try await TestServer.with(settings, workers: 1) { holder async throws in
            try await holder.plain { _ = try $0.query("SELECT GET_LOCK('kmsd-migrate-t_locked', 0) AS got") }
            try await TestServer.with(settings, workers: 1) { database async throws in
                await #expect(throws: DatabaseError.migrationLocked) {
                    try await Migrations([Self.first], lockSeconds: 0).apply(to: database)
                }
            }
        }
    }
}
