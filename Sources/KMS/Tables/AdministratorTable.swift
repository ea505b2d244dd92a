internal import MariaDB

/// An administrator as the others see one.
public struct Administrator: Sendable, Hashable {
    public let name: String
    public let fullName: String
    public let roles: Set<Role>
    public let disabled: Bool
    /// Wrong passwords since the last right one.
    public let tries: Int
    public let lockedUntil: Timestamp?
}

/// Table `administrator`: people, their password hashes and their wrong tries.
enum AdministratorTable {
    static let creation: [SQL] = [
        """
        CREATE TABLE administrator (
            name VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL PRIMARY KEY,
            full_name VARCHAR(100) NOT NULL,
            password_hash VARCHAR(200) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
            disabled BOOLEAN NOT NULL DEFAULT FALSE,
            tries INT UNSIGNED NOT NULL DEFAULT 0,
            locked_until_us BIGINT NULL,
            CONSTRAINT administrator_name_form CHECK (name REGEXP '^[a-z][a-z0-9._-]*$'),
            CONSTRAINT administrator_hash_form CHECK (password_hash LIKE '$argon2id$v=19$m=%')
        ) ENGINE = InnoDB
        """
    ]
    /// People are disabled, never deleted: the trail names them.
    static let grants = [Grant("administrator", [.select, .insert, .update], auditorReads: false)]

    struct Credentials: Sendable {
        let hash: PasswordHash
        let disabled: Bool
        let tries: Int
        let lockedUntil: Timestamp?
    }

    static func count(_ connection: inout Connection) throws(DatabaseError) -> Int {
        try connection.requireOne("SELECT COUNT(*) AS count FROM administrator").int("count")
    }

    static func insert(
        _ name: String, _ fullName: String, _ hash: PasswordHash, _ connection: inout Connection
    ) throws(DatabaseError) {
        try connection.execute(
            "INSERT INTO administrator (name, full_name, password_hash) VALUES (\(name), \(fullName), \(hash.text))")
    }

    /// Counts a try before it is judged, so that a crash between the two never gives one away; nil for an unknown name.
    static func countTry(_ name: String, _ connection: inout Connection) throws(DatabaseError) -> Credentials? {
        try connection.execute("UPDATE administrator SET tries = tries + 1 WHERE name = \(name)")
        return try credentials(name, &connection)
    }

    static func credentials(_ name: String, _ connection: inout Connection) throws(DatabaseError) -> Credentials? {
        let row = try connection.queryOne(
            "SELECT password_hash, disabled, tries, locked_until_us FROM administrator WHERE name = \(name)")
        guard let row else { return nil }
        return Credentials(
            hash: PasswordHash(stored: try row.text("password_hash")), disabled: try row.bool("disabled"),
            tries: try row.int("tries"),
            lockedUntil: try row.optionalInt64("locked_until_us").map { Timestamp(microseconds: $0) })
    }

    static func lock(_ name: String, until: Timestamp, _ connection: inout Connection) throws(DatabaseError) {
        try connection.execute(
            "UPDATE administrator SET locked_until_us = \(until.microseconds) WHERE name = \(name)")
    }

    @discardableResult
    static func clearTries(_ name: String, _ connection: inout Connection) throws(DatabaseError) -> Bool {
        try connection.execute("UPDATE administrator SET tries = 0, locked_until_us = NULL WHERE name = \(name)")
            .affectedRows == 1
    }

    static func setPassword(
        _ name: String, _ hash: PasswordHash, _ connection: inout Connection
    ) throws(DatabaseError) -> Bool {
        try connection.execute(
            """
            UPDATE administrator SET password_hash = \(hash.text), tries = 0, locked_until_us = NULL WHERE name = \(name)
            """
        ).affectedRows == 1
    }

    static func setDisabled(
        _ name: String, _ disabled: Bool, _ connection: inout Connection
    ) throws(DatabaseError) -> Bool {
        try connection.execute("UPDATE administrator SET disabled = \(disabled) WHERE name = \(name)").affectedRows == 1
    }

    static func all(_ connection: inout Connection) throws -> [Administrator] {
        let roles = try AdministratorRoleTable.all(&connection)
        return try connection.query(
            "SELECT name, full_name, disabled, tries, locked_until_us FROM administrator ORDER BY name"
        ).map { row in
            let name = try row.text("name")
            return Administrator(
                name: name, fullName: try row.text("full_name"), roles: roles[name, default: []],
                disabled: try row.bool("disabled"), tries: try row.int("tries"),
                lockedUntil: try row.optionalInt64("locked_until_us").map { Timestamp(microseconds: $0) })
        }
    }
}
