internal import MariaDB

/// Requests of one client with one key in one minute.
public struct RequestCount: Sendable, Hashable {
    /// Minutes since 1970.
    public let minute: Int64
    public let client: String
    public let key: String
    public let operation: String
    public let succeeded: UInt64
    public let failed: UInt64
}

/// Table `request_count`: one row for each flush of a counter; the flush's number makes a repeated flush harmless.
enum RequestCountTable {
    static let creation: [SQL] = [
        """
        CREATE TABLE request_count (
            minute BIGINT NOT NULL,
            client VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
            key_name VARCHAR(80) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
            operation VARCHAR(20) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
            flush BIGINT UNSIGNED NOT NULL,
            succeeded BIGINT UNSIGNED NOT NULL,
            failed BIGINT UNSIGNED NOT NULL,
            PRIMARY KEY (minute, client, key_name, operation, flush)
        ) ENGINE = InnoDB
        """
    ]
    static let grants = [Grant.appendOnly("request_count")]

    static func insert(
        _ counts: [RequestCount], flush: UInt64, _ connection: inout Connection
    ) throws(DatabaseError) {
        let rows = counts.map { SQL.row($0.minute, $0.client, $0.key, $0.operation, flush, $0.succeeded, $0.failed) }
        try connection.execute(
            """
            INSERT INTO request_count (minute, client, key_name, operation, flush, succeeded, failed)
            VALUES \(rows.joined(", "))
            """)
    }

    static func since(_ minute: Int64, _ connection: inout Connection) throws(DatabaseError) -> [RequestCount] {
        let rows = try connection.query(
            """
            SELECT minute, client, key_name, operation, SUM(succeeded) AS succeeded, SUM(failed) AS failed
            FROM request_count WHERE minute >= \(minute) GROUP BY minute, client, key_name, operation
            ORDER BY minute, client, key_name, operation LIMIT 10000
            """)
        var counts: [RequestCount] = []
        for row in rows {
            counts.append(
                RequestCount(
                    minute: try row.int64("minute"), client: try row.text("client"), key: try row.text("key_name"),
                    operation: try row.text("operation"), succeeded: try row.uint64("succeeded"),
                    failed: try row.uint64("failed")))
        }
        return counts
    }
}
