internal import MariaDB

/// Table `service_client`: programs and their limits.
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
    /// Limits, and no token of its own any more (`service_token`).
    static let additions: [SQL] = [
        """
        ALTER TABLE service_client
            MODIFY token_hash BINARY(32) NULL,
            ADD COLUMN requests_per_second INT UNSIGNED NULL,
            ADD COLUMN burst INT UNSIGNED NULL,
            ADD COLUMN addresses VARCHAR(1600) CHARACTER SET ascii COLLATE ascii_bin NOT NULL DEFAULT '',
            ADD CONSTRAINT service_client_rate CHECK ((requests_per_second IS NULL) = (burst IS NULL))
        """
    ]
    static let grants = [Grant("service_client", [.select, .insert, .update], auditorReads: false)]

    struct Stored: Sendable {
        let id: String
        let description: String
        let enabled: Bool
        let limit: RequestLimit?
        let addresses: [AddressRange]
    }

    static func insert(_ id: String, _ description: String, _ connection: inout Connection) throws(DatabaseError) {
        try connection.execute("INSERT INTO service_client (id, description) VALUES (\(id), \(description))")
    }

    static func setEnabled(_ id: String, _ enabled: Bool, _ connection: inout Connection) throws(DatabaseError) -> Bool
    {
        try connection.execute("UPDATE service_client SET enabled = \(enabled) WHERE id = \(id)").affectedRows == 1
    }

    static func setLimit(
        _ id: String, _ limit: RequestLimit?, _ connection: inout Connection
    ) throws(DatabaseError) -> Bool {
        guard try exists(id, &connection) else { return false }
        try connection.execute(
            """
            UPDATE service_client SET requests_per_second = \((limit?.perSecond).sqlValue), burst = \((limit?.burst).sqlValue)
            WHERE id = \(id)
            """)
        return true
    }

    static func setAddresses(
        _ id: String, _ addresses: [AddressRange], _ connection: inout Connection
    ) throws(DatabaseError) -> Bool {
        guard try exists(id, &connection) else { return false }
        let text = addresses.map(\.description).joined(separator: " ")
        try connection.execute("UPDATE service_client SET addresses = \(text) WHERE id = \(id)")
        return true
    }

    /// Holds the row until the end of the transaction, so that what is counted below it stays counted.
    static func exists(_ id: String, _ connection: inout Connection) throws(DatabaseError) -> Bool {
        try connection.queryOne("SELECT id FROM service_client WHERE id = \(id) FOR UPDATE") != nil
    }

    static func all(_ connection: inout Connection) throws(DatabaseError) -> [Stored] {
        var all: [Stored] = []
        for row in try connection.query(
            """
            SELECT id, description, enabled, requests_per_second, burst, addresses FROM service_client ORDER BY id
            """)
        {
            let words = try row.text("addresses").split(separator: " ")
            let addresses = words.compactMap { AddressRange(String($0)) }
            var limit: RequestLimit?
            if let perSecond = try row.optionalInt("requests_per_second"), let burst = try row.optionalInt("burst") {
                limit = RequestLimit(perSecond: perSecond, burst: burst)
            }
            all.append(
                Stored(
                    id: try row.text("id"), description: try row.text("description"),
                    // Rules that we cannot read admit nobody, rather than everybody.
                    enabled: try row.bool("enabled") && addresses.count == words.count, limit: limit,
                    addresses: addresses))
        }
        return all
    }
}
