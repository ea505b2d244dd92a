import Testing

@testable import MariaDB

/// What the accounts can do, asked of the real server.
@Suite(.serialized) struct RightsTests {
    private static let ledger = Migration(
        "1 ledger",
        grants: [.appendOnly("ledger"), Grant("account", [.select, .insert, .update], auditorReads: false)],
        statements: ["CREATE TABLE ledger (id INT PRIMARY KEY)", "CREATE TABLE account (id INT PRIMARY KEY)"])

    @Test func `accounts can do what migrations declare and nothing else`() async throws {
        let server = try await TestServer.running()
        let migrations = Migrations(
            [Self.ledger], runtime: ServerAccount.kms.account, auditor: ServerAccount.auditor.account)
        try await TestServer.with(server.settings(for: .kmsMigrate)) { try await migrations.apply(to: $0) }
        try await TestServer.with(server.settings(for: .platformMigrate)) { database async throws in
            try await Migrations([Self.ledger], runtime: ServerAccount.platform.account).apply(to: database)
        }
        try await TestServer.with(server.settings(for: .kms)) { database async throws in
            try await database.refuseUnsafeSettings()
            #expect(try await migrations.pending(in: database) == [])
            #expect(try await migrations.excessRights(in: database) == [])
            try await database.write { connection in
                try connection.execute("INSERT INTO ledger VALUES (1)")
                try connection.execute("INSERT INTO account VALUES (1)")
                try connection.execute("UPDATE account SET id = 2")
            }
            for refused: SQL in [
                "UPDATE ledger SET id = 2", "DELETE FROM ledger", "TRUNCATE TABLE ledger", "DROP TABLE ledger",
                "ALTER TABLE ledger ADD COLUMN x INT", "CREATE TABLE other (id INT)", "DELETE FROM account",
                "SELECT * FROM platform.ledger", "SELECT * FROM mysql.global_priv", "DELETE FROM schema_migration",
                "CREATE TRIGGER t BEFORE INSERT ON ledger FOR EACH ROW SET NEW.id = 0",
                "REPLACE INTO ledger VALUES (1)",
                "INSERT INTO ledger VALUES (1) ON DUPLICATE KEY UPDATE id = 3",
            ] {
                await #expect(throws: DatabaseError.accessDenied, "\(refused.text)") {
                    try await database.write { try $0.execute(refused) }
                }
            }
            let schemas = try await database.read { try $0.query("SHOW DATABASES").map { $0.values[0] } }
            #expect(Set(schemas) == [.text("information_schema"), .text("kms")])
        }
        try await TestServer.with(server.settings(for: .auditor)) { database async throws in
            #expect(try await database.read { try $0.query("SELECT id FROM kms.ledger").count } == 1)
            for refused: SQL in [
                "SELECT id FROM kms.account", "SELECT id FROM platform.ledger", "INSERT INTO kms.ledger VALUES (9)",
            ] {
                await #expect(throws: DatabaseError.accessDenied) {
                    try await database.write { _ = try $0.execute(refused) }
                }
            }
        }
    }

    @Test func `an account with too many rights is found out`() async throws {
        let server = try await TestServer.running()
        let migrations = Migrations([Self.ledger])
        try await TestServer.with(server.settings(for: .kmsMigrate)) { database async throws in
            #expect(try await !migrations.excessRights(in: database).isEmpty)
        }
        var administrator = TestServer.administrator(of: server)
        administrator.schema = "kms"
        try await TestServer.with(administrator) { database async throws in
            #expect(try await !migrations.excessRights(in: database).isEmpty)
        }
    }

    @Test func `a right that a later migration no longer declares is taken away`() async throws {
        let settings = try await TestServer.schema("narrowed")
        let wide = Migration("1", grants: [Grant("t", .all)], statements: ["CREATE TABLE t (id INT PRIMARY KEY)"])
        let narrow = Migration("2", grants: [.appendOnly("t")], statements: ["INSERT INTO t VALUES (1)"])
        var runtime = try await TestServer.running().settings(for: .platform)
        runtime.schema = settings.schema
        try await TestServer.with(settings) { migrator in
            try await Migrations([wide], runtime: ServerAccount.platform.account).apply(to: migrator)
            try await TestServer.with(runtime) { try await $0.write { try $0.execute("UPDATE t SET id = 2") } }
            try await Migrations([wide, narrow], runtime: ServerAccount.platform.account).apply(to: migrator)
        }
        try await TestServer.with(runtime) { database async throws in
            await #expect(throws: DatabaseError.accessDenied) {
                try await database.write { try $0.execute("UPDATE t SET id = 2") }
            }
            try await database.write { try $0.execute("INSERT INTO t VALUES (2)") }
        }
        try await TestServer.withAdministrator { connection in
            try connection.execute("REVOKE ALL PRIVILEGES ON t_narrowed.t FROM 'platform'@'localhost'")
        }
    }

    @Test func `the lines of SHOW GRANTS are judged by themselves`() {
        let rights = AccountRights(schema: "kms", expected: [.appendOnly("ledger")])
        let fine = [
            "GRANT USAGE ON *.* TO `kms`@`localhost` IDENTIFIED BY PASSWORD '*0123'",
            "GRANT SELECT, INSERT ON `kms`.`ledger` TO `kms`@`localhost`",
        ]
        #expect(rights.violations(in: fine) == [])
        let bad = [
            "GRANT ALL PRIVILEGES ON *.* TO `root`@`localhost` IDENTIFIED VIA unix_socket WITH GRANT OPTION",
            "GRANT SELECT, INSERT, UPDATE ON `kms`.`ledger` TO `kms`@`localhost`",
            "GRANT SELECT ON `kms`.* TO `kms`@`localhost`",
            "GRANT SELECT ON `platform`.`ledger` TO `kms`@`localhost`",
            "GRANT SELECT ON `kms`.`ledger` TO `kms`@`localhost` WITH GRANT OPTION",
            "GRANT FILE ON *.* TO `kms`@`localhost`",
            "GRANT `dba` TO `kms`@`localhost`",
        ]
        for line in bad { #expect(rights.violations(in: [line]).count == 1, "\(line)") }
        #expect(rights.violations(in: bad).allSatisfy { !$0.description.contains("IDENTIFIED") })
    }
}
