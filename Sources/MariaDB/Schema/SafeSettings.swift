/// The server's promises without which a committed row may be lost or changed, and the check for them at start-up.
public enum SafeSettings {
    /// Every setting that is unsafe, with what to set; empty if the server may be trusted with our data.
    ///
    /// Sources: facts of 10.11 measured with kill -9 (with `innodb_flush_log_at_trx_commit=0` a Galera cluster lost 95 of 2,574
    /// acknowledged postings) and lost updates without snapshot isolation.
    public static func check(_ connection: inout Connection) throws(DatabaseError) -> [SettingViolation] {
        let row = try connection.requireOne(
            """
            SELECT CONCAT(@@GLOBAL.innodb_flush_log_at_trx_commit) AS innodb_flush_log_at_trx_commit,
            CONCAT(@@GLOBAL.log_bin) AS log_bin, CONCAT(@@GLOBAL.sync_binlog) AS sync_binlog,
            CONCAT(@@GLOBAL.innodb_doublewrite) AS innodb_doublewrite, CONCAT(@@GLOBAL.sql_mode) AS sql_mode,
            CONCAT(@@GLOBAL.innodb_snapshot_isolation) AS innodb_snapshot_isolation,
            CONCAT(@@GLOBAL.character_set_server) AS character_set_server,
            CONCAT(@@GLOBAL.innodb_force_recovery) AS innodb_force_recovery,
            CONCAT(@@GLOBAL.read_only) AS read_only, CONCAT(@@GLOBAL.general_log) AS general_log,
            CONCAT(@@GLOBAL.default_storage_engine) AS default_storage_engine,
            CONCAT(COALESCE(@@SESSION.character_set_database, '')) AS character_set_database
            """)
        return try violations { setting throws(DatabaseError) in try row.text(setting) }
    }

    /// The rules by themselves: `value` gives a setting's value as the server prints it.
    static func violations(
        _ value: (String) throws(DatabaseError) -> String
    ) throws(DatabaseError) -> [SettingViolation] {
        var found: [SettingViolation] = []
        for rule in rules {
            let present = try value(rule.setting)
            if !rule.isSafe(present) {
                found.append(SettingViolation(setting: rule.setting, found: present, wanted: rule.wanted))
            }
        }
        let binlog = try value("log_bin")
        let sync = try value("sync_binlog")
        if isOn(binlog) && sync != "1" {
            found.append(SettingViolation(setting: "sync_binlog", found: sync, wanted: "1"))
        }
        return found
    }

    private struct Rule: Sendable {
        let setting: String
        let wanted: String
        let isSafe: @Sendable (String) -> Bool
    }

    private static func isOn(_ value: String) -> Bool { value == "1" || value.uppercased() == "ON" }

    private static let rules: [Rule] = [
        Rule(setting: "innodb_flush_log_at_trx_commit", wanted: "1") { $0 == "1" },
        Rule(setting: "innodb_doublewrite", wanted: "ON", isSafe: isOn),
        Rule(setting: "innodb_snapshot_isolation", wanted: "ON", isSafe: isOn),
        Rule(setting: "sql_mode", wanted: "STRICT_ALL_TABLES") { modes in
            modes.split(separator: ",").contains { $0 == "STRICT_TRANS_TABLES" || $0 == "STRICT_ALL_TABLES" }
        },
        Rule(setting: "character_set_server", wanted: "utf8mb4") { $0 == "utf8mb4" },
        Rule(setting: "character_set_database", wanted: "utf8mb4") { $0 == "utf8mb4" || $0.isEmpty },
        Rule(setting: "innodb_force_recovery", wanted: "0") { $0 == "0" },
        Rule(setting: "read_only", wanted: "OFF") { !isOn($0) },
        // It would write every bound value in clear into a file.
        Rule(setting: "general_log", wanted: "OFF") { !isOn($0) },
        Rule(setting: "default_storage_engine", wanted: "InnoDB") { $0 == "InnoDB" },
    ]
}

extension Database {
    /// Throws `.unsafeSettings` with every violated setting; call it before anything is stored.
    public func refuseUnsafeSettings() async throws {
        let violations = try await plain { connection in try SafeSettings.check(&connection) }
        guard violations.isEmpty else { throw DatabaseError.unsafeSettings(violations) }
    }
}
