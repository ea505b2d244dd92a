internal import HSMBridge
internal import MariaDB

/// Table `key_transport`: which key travelled under which transport key, in or out. A compromise follows these lines.
enum KeyTransportTable {
    static let creation: [SQL] = [
        """
        CREATE TABLE key_transport (
            id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
            key_identity VARCHAR(80) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
            transport_identity VARCHAR(80) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
            direction CHAR(3) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
            at_us BIGINT NOT NULL,
            KEY key_transport_under (transport_identity),
            CONSTRAINT key_transport_direction CHECK (direction IN ('in', 'out'))
        ) ENGINE = InnoDB
        """
    ]
    static let grants = [Grant.appendOnly("key_transport")]

    static func insert(
        _ key: KeyIdentity, under transport: KeyIdentity, direction: String, now: Timestamp,
        _ connection: inout Connection
    ) throws(DatabaseError) {
        try connection.execute(
            """
            INSERT INTO key_transport (key_identity, transport_identity, direction, at_us)
            VALUES (\(key.description), \(transport.description), \(direction), \(now.microseconds))
            """)
    }

    /// Everything that travelled under a key, and what travelled under that, and so on.
    static func under(_ transport: KeyIdentity, _ connection: inout Connection) throws(DatabaseError) -> [KeyIdentity] {
        var found: [KeyIdentity] = []
        var seen: Set<String> = [transport.description]
        var open = [transport.description]
        while !open.isEmpty {
            let rows = try connection.query(
                "SELECT DISTINCT key_identity FROM key_transport WHERE transport_identity IN \(SQL.list(open))")
            open = []
            for row in rows {
                let text = try row.text("key_identity")
                guard seen.insert(text).inserted, let identity = KeyIdentity(text) else { continue }
                found.append(identity)
                open.append(text)
            }
        }
        return found
    }
}
