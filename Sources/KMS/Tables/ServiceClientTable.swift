internal import MariaDB

/// Table `service_client`: programs and the digests of their tokens.
enum ServiceClientTable {
    static let creation: [SQL] = [
        """
        CREATE TABLE service_client (
            id VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL PRIMARY KEY,
            description VARCHAR(500) NOT NULL,
            token_hash BINARY(32) NOT NULL,
            enabled BOOLEAN NOT NULL DEFAULT TRUE,
            UNIQUE KEY service_client_token (token_hash),
            CONSTRAINT service_client_form CHECK (id REGEXP '^[a-z][a-z0-9._-]*$')
        ) ENGINE = InnoDB
        """
    ]
    static let grants = [Grant("service_client", [.select, .insert, .update], auditorReads: false)]

    struct Stored: Sendable {
        let id: String
        let description: String
        let tokenHash: [UInt8]
        let enabled: Bool
    }

    static func insert(
        _ id: String, _ description: String, tokenHash: [UInt8], _ connection: inout Connection
    ) throws(DatabaseError) {
        try connection.execute(
            "INSERT INTO service_client (id, description, token_hash) VALUES (\(id), \(description), \(tokenHash))")
    }

    static func setEnabled(_ id: String, _ enabled: Bool, _ connection: inout Connection) throws(DatabaseError) -> Bool
    {
        try connection.execute("UPDATE service_client SET enabled = \(enabled) WHERE id = \(id)").affectedRows == 1
    }

    static func setToken(_ id: String, hash: [UInt8], _ connection: inout Connection) throws(DatabaseError) -> Bool {
        try connection.execute("UPDATE service_client SET token_hash = \(hash) WHERE id = \(id)").affectedRows == 1
    }

    static func all(_ connection: inout Connection) throws(DatabaseError) -> [Stored] {
        var all: [Stored] = []
        for row in try connection.query("SELECT id, description, token_hash, enabled FROM service_client ORDER BY id") {
            all.append(
                Stored(
                    id: try row.text("id"), description: try row.text("description"),
                    tokenHash: try row.bytes("token_hash"), enabled: try row.bool("enabled")))
        }
        return all
    }
}
