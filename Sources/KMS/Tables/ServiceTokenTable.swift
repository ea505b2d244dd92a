internal import MariaDB

/// Table `service_token`: digests of the tokens that clients have, by the part of a token that is no secret.
enum ServiceTokenTable {
    static let creation: [SQL] = [
        """
        CREATE TABLE service_token (
            prefix CHAR(8) CHARACTER SET ascii COLLATE ascii_bin NOT NULL PRIMARY KEY,
            client VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
            token_hash BINARY(32) NOT NULL,
            made_by VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
            made_at_us BIGINT NOT NULL,
            valid_until_us BIGINT NULL,
            UNIQUE KEY service_token_hash (token_hash),
            CONSTRAINT service_token_client FOREIGN KEY (client) REFERENCES service_client (id)
        ) ENGINE = InnoDB
        """,
        // Tokens from before they had a table go on; their name is the beginning of their digest.
        """
        INSERT IGNORE INTO service_token (prefix, client, token_hash, made_by, made_at_us)
        SELECT HEX(LEFT(token_hash, 4)), id, token_hash, '', 0 FROM service_client WHERE token_hash IS NOT NULL
        """,
        "UPDATE service_client SET token_hash = NULL",
    ]
    static let grants = [Grant("service_token", [.select, .insert, .delete], auditorReads: false)]

    struct Stored: Sendable {
        let prefix: String
        let client: String
        let hash: [UInt8]
        let until: Timestamp?
    }

    static func insert(
        _ token: ServiceToken, of client: String, until: Timestamp?, by: String, now: Timestamp,
        _ connection: inout Connection
    ) throws(DatabaseError) {
        try connection.execute(
            """
            INSERT INTO service_token (prefix, client, token_hash, made_by, made_at_us, valid_until_us)
            VALUES (\(token.prefix), \(client), \(token.digest), \(by), \(now.microseconds),
                \((until?.microseconds).sqlValue))
            """)
    }

    static func delete(
        _ prefix: String, of client: String, _ connection: inout Connection
    ) throws(DatabaseError) -> Bool {
        try connection.execute("DELETE FROM service_token WHERE prefix = \(prefix) AND client = \(client)")
            .affectedRows == 1
    }

    static func deleteAll(of client: String, _ connection: inout Connection) throws(DatabaseError) {
        try connection.execute("DELETE FROM service_token WHERE client = \(client)")
    }

    static func count(of client: String, _ connection: inout Connection) throws(DatabaseError) -> Int {
        try connection.requireOne("SELECT COUNT(*) AS count FROM service_token WHERE client = \(client)").int("count")
    }

    static func all(_ connection: inout Connection) throws(DatabaseError) -> [Stored] {
        var all: [Stored] = []
        for row in try connection.query(
            "SELECT prefix, client, token_hash, valid_until_us FROM service_token ORDER BY made_at_us, prefix")
        {
            all.append(
                Stored(
                    prefix: try row.text("prefix"), client: try row.text("client"), hash: try row.bytes("token_hash"),
                    until: try row.optionalInt64("valid_until_us").map { Timestamp(microseconds: $0) }))
        }
        return all
    }
}
