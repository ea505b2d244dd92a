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
    static let grants = [Grant("service_grant", [.select, .insert, .delete])]

    /// Grants that exist already stay as they are.
    static func insert(
        _ scope: GrantScope, _ operations: Set<ServiceOperation>, to client: String, _ connection: inout Connection
    ) throws(DatabaseError) {
        let present = try connection.query(
            "SELECT operation FROM service_grant WHERE client = \(client) AND scope = \(scope.description) FOR UPDATE")
        var missing = Set(operations.map(\.rawValue))
        for row in present { missing.remove(try row.text("operation")) }
        guard !missing.isEmpty else { return }
        let rows = missing.sorted().map { SQL.row(client, scope.description, $0) }
        try connection.execute("INSERT INTO service_grant (client, scope, operation) VALUES \(rows.joined(", "))")
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

    static func all(_ connection: inout Connection) throws(DatabaseError) -> [String: Set<ServiceGrant>] {
        var all: [String: Set<ServiceGrant>] = [:]
        for row in try connection.query("SELECT client, scope, operation FROM service_grant") {
            // A row that we cannot read grants nothing.
            guard let scope = GrantScope(try row.text("scope")),
                let operation = ServiceOperation(rawValue: try row.text("operation"))
            else { continue }
            all[try row.text("client"), default: []].insert(ServiceGrant(scope: scope, operation: operation))
        }
        return all
    }
}
