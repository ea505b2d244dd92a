/// The history of one schema, brought up to date by the migration account.
///
/// `schema_migration` remembers what was applied and with which checksum. DDL commits by itself, so progress is kept for
/// each statement, and a migration that was cut short goes on where it stopped.
public struct Migrations: Sendable {
    private let migrations: [Migration]
    private let runtime: Account?
    private let auditor: Account?
    /// How long a node waits for another that migrates.
    private let lockSeconds: Int

    /// `runtime` and `auditor` are the accounts that the migrations' grants are for.
    public init(_ migrations: [Migration], runtime: Account? = nil, auditor: Account? = nil, lockSeconds: Int = 120) {
        precondition(Set(migrations.map(\.name)).count == migrations.count, "names of migrations are unique")
        self.migrations = migrations
        self.runtime = runtime
        self.auditor = auditor
        self.lockSeconds = lockSeconds
    }

    /// Applies what is missing and sets the rights; gives the names of the migrations that were applied now.
    ///
    /// `database` is logged in as the migration account of the schema. Throws `.migrationChanged` for a shipped migration
    /// that differs, was moved, or is not known to this program; `.migrationLocked` if another node holds the lock.
    /// GET_LOCK is local to one server: in a Galera cluster, migrate through one node.
    @discardableResult
    public func apply(to database: Database) async throws -> [String] {
        try await database.plain { connection in
            let schema = try Self.schema(of: &connection)
            // The lock ends with the connection, so a node that dies lets it go.
            let lock = "kmsd-migrate-\(schema)"
            try take(lock, on: &connection)
            defer { _ = try? connection.query("SELECT RELEASE_LOCK(\(lock)) AS released") }
            try connection.execute(Self.table)
            let applied = try applyMissing(on: &connection)
            try setRights(on: &connection, schema: schema)
            return applied
        }
    }

    /// The names that `apply` would apply; for a runtime account, which may read `schema_migration` and nothing else of it.
    public func pending(in database: Database) async throws -> [String] {
        try await database.read { connection in
            let done = try history(&connection).filter(\.isComplete).map(\.name)
            return migrations.map(\.name).filter { !done.contains($0) }
        }
    }

    /// The rights that the migrations declare, one entry a table, and `schema_migration` to read.
    var grants: [Grant] {
        var byTable: [String: Grant] = ["schema_migration": Grant("schema_migration", .select)]
        for grant in migrations.flatMap(\.grants) { byTable[grant.table] = grant }
        return byTable.values.sorted { $0.table < $1.table }
    }

    /// In slices, because one statement may not take longer than `answerSeconds`.
    private func take(_ lock: String, on connection: inout Connection) throws {
        let deadline = ContinuousClock.now + .seconds(lockSeconds)
        repeat {
            let got = try connection.requireOne("SELECT GET_LOCK(\(lock), \(min(lockSeconds, 2))) AS got")
            if try got.optionalInt64("got") == 1 { return }
        } while ContinuousClock.now < deadline
        throw DatabaseError.migrationLocked
    }

    private func applyMissing(on connection: inout Connection) throws -> [String] {
        let history = try history(&connection)
        // What was applied must be the beginning of what we have: nothing unknown, nothing moved.
        for (index, record) in history.enumerated() {
            guard index < migrations.count, migrations[index].name == record.name,
                try checksum(of: migrations[index], on: &connection) == record.checksum
            else { throw DatabaseError.migrationChanged(record.name) }
        }
        var applied: [String] = []
        for (index, migration) in migrations.enumerated() {
            let record = index < history.count ? history[index] : nil
            if let record, record.isComplete { continue }
            if record == nil {
                let sum = try checksum(of: migration, on: &connection)
                try connection.execute(
                    """
                    INSERT INTO schema_migration (position, name, checksum, statements, statements_done)
                    VALUES (\(index), \(migration.name), \(sum), \(migration.statements.count), 0)
                    """)
            }
            try run(migration, from: record?.done ?? 0, isResumed: record != nil, on: &connection)
            applied.append(migration.name)
        }
        return applied
    }

    private func run(_ migration: Migration, from start: Int, isResumed: Bool, on connection: inout Connection) throws {
        for index in start..<migration.statements.count {
            // One transaction for data; DDL commits it by itself, and the progress then follows on its own.
            try connection.command("START TRANSACTION")
            do throws(DatabaseError) {
                try connection.execute(migration.statements[index])
            } catch {
                // Resumed: the server may have died between this statement and the note that it was done.
                let mayBeThere = isResumed && index == start
                guard mayBeThere, case .other(let code) = error, Self.alreadyThere.contains(code) else { throw error }
            }
            try connection.execute(
                """
                UPDATE schema_migration SET statements_done = \(index + 1),
                finished_at = IF(statements = \(index + 1), UTC_TIMESTAMP(6), NULL) WHERE name = \(migration.name)
                """)
            try connection.command("COMMIT")
        }
    }

    /// "It exists" and "it is gone already": table, column, key, foreign key, trigger, view.
    private static let alreadyThere: Set<UInt32> = [1050, 1051, 1060, 1061, 1091, 1304, 1305, 1359, 1360, 1826]

    private struct Record {
        let name: String
        let checksum: String
        let done: Int
        let isComplete: Bool
    }

    private func history(_ connection: inout Connection) throws(DatabaseError) -> [Record] {
        let rows = try connection.query(
            "SELECT name, checksum, statements, statements_done FROM schema_migration ORDER BY position")
        var records: [Record] = []
        for row in rows {
            let done = try row.int("statements_done")
            let all = try row.int("statements")
            records.append(
                Record(
                    name: try row.text("name"), checksum: try row.text("checksum"), done: done, isComplete: done >= all)
            )
        }
        return records
    }

    /// SHA-256 over the statements and their values; the server computes it, this room has no cryptography.
    private func checksum(of migration: Migration, on connection: inout Connection) throws(DatabaseError) -> String {
        try connection.requireOne("SELECT SHA2(\(migration.content), 256) AS sum").text("sum")
    }

    private static func schema(of connection: inout Connection) throws -> String {
        let schema = try connection.requireOne("SELECT DATABASE() AS name").optionalText("name") ?? ""
        guard Identifier.isValid(schema) else { throw DatabaseError.column("DATABASE()") }
        return schema
    }

    private static let table: SQL = """
        CREATE TABLE IF NOT EXISTS schema_migration (
            position INT UNSIGNED NOT NULL,
            name VARCHAR(190) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL PRIMARY KEY,
            checksum CHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
            statements INT UNSIGNED NOT NULL,
            statements_done INT UNSIGNED NOT NULL,
            started_at DATETIME(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6),
            finished_at DATETIME(6) NULL,
            UNIQUE KEY position (position),
            CHECK (statements_done <= statements)
        ) ENGINE = InnoDB
        """
}

// MARK: - Rights

extension Migrations {
    /// First gives, then takes what is not declared, so that a running node never stands without its rights.
    private func setRights(on connection: inout Connection, schema: String) throws {
        for grant in grants {
            if let runtime {
                try set(grant.rights, on: grant.table, of: runtime, schema, &connection)
            }
            if let auditor {
                try set(grant.auditorReads ? .select : [], on: grant.table, of: auditor, schema, &connection)
            }
        }
    }

    /// Names come from `Identifier`, rights from our list, the account from `Account`: nothing here is input.
    private func set(
        _ rights: Grant.Rights, on table: String, of account: Account, _ schema: String, _ connection: inout Connection
    ) throws(DatabaseError) {
        if !rights.isEmpty {
            let names = rights.names.joined(separator: ", ")
            try connection.execute(SQL(text: "GRANT \(names) ON \(schema).\(table) TO \(account.quoted)"))
        }
        let others = Grant.Rights.all.subtracting(rights).names.joined(separator: ", ")
        guard !others.isEmpty else { return }
        do throws(DatabaseError) {
            try connection.execute(SQL(text: "REVOKE \(others) ON \(schema).\(table) FROM \(account.quoted)"))
        } catch .other(1147) {
            // The account has no right on this table at all: nothing to take.
        }
    }
}
