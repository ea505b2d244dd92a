import Testing

@testable import MariaDB

@Suite struct SafeSettingsTests {
    private static let safe = [
        "innodb_flush_log_at_trx_commit": "1", "log_bin": "0", "sync_binlog": "0", "innodb_doublewrite": "ON",
        "sql_mode": "STRICT_TRANS_TABLES,NO_ENGINE_SUBSTITUTION", "innodb_snapshot_isolation": "1",
        "character_set_server": "utf8mb4", "character_set_database": "utf8mb4", "innodb_force_recovery": "0",
        "read_only": "0", "general_log": "0", "default_storage_engine": "InnoDB",
    ]

    private func violations(_ changes: [String: String]) throws -> [String] {
        let all = Self.safe.merging(changes) { _, new in new }
        return try SafeSettings.violations { all[$0] ?? "" }.map(\.setting)
    }

    @Test func `safe settings pass`() throws {
        #expect(try violations([:]) == [])
        #expect(try violations(["log_bin": "1", "sync_binlog": "1"]) == [])
    }

    @Test(arguments: [
        ("innodb_flush_log_at_trx_commit", "2"), ("innodb_flush_log_at_trx_commit", "0"), ("innodb_doublewrite", "OFF"),
        ("innodb_snapshot_isolation", "0"), ("sql_mode", ""), ("sql_mode", "NO_STRICT_ALL_TABLES"),
        ("character_set_server", "latin1"), ("character_set_database", "utf8mb3"), ("innodb_force_recovery", "3"),
        ("read_only", "1"), ("general_log", "1"), ("default_storage_engine", "Aria"),
    ])
    func `an unsafe setting is named`(_ setting: String, _ value: String) throws {
        #expect(try violations([setting: value]) == [setting])
    }

    @Test func `a binary log that is not synced is named`() throws {
        #expect(try violations(["log_bin": "1", "sync_binlog": "0"]) == ["sync_binlog"])
    }

    @Test func `a real server with unsafe settings is refused`() async throws {
        let server = try await TestServer.start(
            "unsafe",
            settings: [
                "loose-innodb-flush-log-at-trx-commit": "0", "loose-innodb-snapshot-isolation": "OFF",
                "loose-sql-mode": "NO_ENGINE_SUBSTITUTION", "loose-character-set-server": "latin1",
                "loose-collation-server": "latin1_bin",
            ])
        let error = await #expect(throws: DatabaseError.self) {
            try await TestServer.with(TestServer.administrator(of: server)) { try await $0.refuseUnsafeSettings() }
        }
        await server.stop()
        guard case .unsafeSettings(let found)? = error else {
            Issue.record("not refused: \(String(describing: error))")
            return
        }
        let names: Set = [
            "innodb_flush_log_at_trx_commit", "innodb_snapshot_isolation", "sql_mode", "character_set_server",
        ]
        #expect(names.isSubset(of: found.map(\.setting)))
        #expect(found.contains { $0.description == "innodb_flush_log_at_trx_commit is 0, set 1" })
    }
}
