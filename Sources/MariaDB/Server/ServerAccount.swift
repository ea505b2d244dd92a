/// The accounts of the private server. `conf/sql/accounts.sql` makes the same ones on a server of the administrator's own.
public enum ServerAccount: String, CaseIterable, Sendable {
    /// Runs `kmsd serve`: rights per table, as the migrations of the `kms` schema declare them.
    case kms
    /// Runs `kmsd platform`; cannot see the `kms` schema, as `kms` cannot see this one's.
    case platform
    /// Changes the schema `kms`, and gives `kms` its rights on the tables.
    case kmsMigrate = "kms_migrate"
    case platformMigrate = "platform_migrate"
    /// Reads the tables that migrations open to auditors, in both schemas.
    case auditor = "kms_auditor"

    /// The schema that the account logs in to; the auditor chooses.
    var schema: String? {
        switch self {
        case .kms, .kmsMigrate: "kms"
        case .platform, .platformMigrate: "platform"
        case .auditor: nil
        }
    }

    /// Name and host, as `Migrations` wants it.
    public var account: Account { Account(name) }

    private var name: StaticString {
        switch self {
        case .kms: "kms"
        case .platform: "platform"
        case .kmsMigrate: "kms_migrate"
        case .platformMigrate: "platform_migrate"
        case .auditor: "kms_auditor"
        }
    }

    /// Makes the schemas and the locked accounts with their rights; can be run again at any time.
    static let provisioning: [SQL] = [
        "CREATE SCHEMA IF NOT EXISTS kms CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin",
        "CREATE SCHEMA IF NOT EXISTS platform CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin",
        "CREATE USER IF NOT EXISTS 'kms'@'localhost' ACCOUNT LOCK",
        "CREATE USER IF NOT EXISTS 'platform'@'localhost' ACCOUNT LOCK",
        "CREATE USER IF NOT EXISTS 'kms_migrate'@'localhost' ACCOUNT LOCK",
        "CREATE USER IF NOT EXISTS 'platform_migrate'@'localhost' ACCOUNT LOCK",
        "CREATE USER IF NOT EXISTS 'kms_auditor'@'localhost' ACCOUNT LOCK",
        """
        GRANT SELECT, INSERT, UPDATE, DELETE, CREATE, ALTER, DROP, INDEX, REFERENCES, TRIGGER, CREATE VIEW, SHOW VIEW
        ON kms.* TO 'kms_migrate'@'localhost' WITH GRANT OPTION
        """,
        """
        GRANT SELECT, INSERT, UPDATE, DELETE, CREATE, ALTER, DROP, INDEX, REFERENCES, TRIGGER, CREATE VIEW, SHOW VIEW
        ON platform.* TO 'platform_migrate'@'localhost' WITH GRANT OPTION
        """,
    ]
}
