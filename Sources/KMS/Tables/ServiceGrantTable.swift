internal import MariaDB

/// Table `service_grant`: which client may do what with which key. What is not here is refused.
enum ServiceGrantTable {
    static let creation: [SQL] = [
        """
        CREATE TABLE service_grant (
            client VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
            scope VARCHAR(80) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
            operation VARCHAR(20) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
            PRIMARY KEY (client, scope, operation),
            CONSTRAINT service_grant_client FOREIGN KEY (client) REFERENCES service_client (id)
        ) ENGINE = InnoDB
        """
    ]
    static let additions: [SQL] = ["ALTER TABLE service_grant ADD COLUMN valid_until_us BIGINT NULL"]
    static let grants = [Grant("service_grant", [.select, .insert, .delete])]
    static let grantsOfAdditions = [Grant("service_grant", .all)]

    /// Grants that exist already get the new end.
    static func insert(
        _ scope: GrantScope, _ operations: Set<ServiceOperation>, to client: String, until: Timestamp?,
        _ connection: inout Connection
    ) throws(DatabaseError) {
        guard !operations.isEmpty else { return }
        let end = (until?.microseconds).sqlValue
        let rows = operations.map(\.rawValue).sorted().map { SQL.row(client, scope.description, $0, end) }
        try connection.execute(
            """
            INSERT INTO service_grant (client, scope, operation, valid_until_us) VALUES \(rows.joined(", "))
            ON DUPLICATE KEY UPDATE valid_until_us = VALUES(valid_until_us)
            """)
    }

    static func delete(
        _ scope: GrantScope, _ operations: Set<ServiceOperation>, from client: String, _ connection: inout Connection
    ) throws(DatabaseError) -> Int {
        try connection.execute(
            """
            DELETE FROM service_grant WHERE client = \(client) AND scope = \(scope.description)
            AND operation IN \(SQL.list(operations.map(\.rawValue)))
            """
        ).affectedRows
    }

    static func all(_ connection: inout Connection) throws(DatabaseError) -> [String: [ServiceGrant]] {
        var all: [String: [ServiceGrant]] = [:]
        for row in try connection.query("SELECT client, scope, operation, valid_until_us FROM service_grant") {
            // A row that we cannot read grants nothing.
            guard let scope = GrantScope(try row.text("scope")),
                let operation = ServiceOperation(rawValue: try row.text("operation"))
            else { continue }
            all[try row.text("client"), default: []].append(
                ServiceGrant(
                    scope: scope, operation: operation,
                    until: try row.optionalInt64("valid_until_us").map { Timestamp(microseconds: $0) }))
        }
        return all
    }
}
