internal import MariaDB

/// Checks that failed: a wrong MAC, a wrong TAC. Those of one kind within a second stand together.
public struct FailedCheck: Sendable, Hashable {
    /// The second.
    public let time: Timestamp
    public let client: String
    /// Label of the key; empty where too many kinds came in one second to tell them apart.
    public let key: String
    public let operation: String
    public let code: String
    public let origin: String
    public let count: UInt64
}

/// Table `failed_check`.
enum FailedCheckTable {
    static let creation: [SQL] = [
        """
        CREATE TABLE failed_check (
            id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
            time_us BIGINT NOT NULL,
            client VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
            key_name VARCHAR(80) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
            operation VARCHAR(20) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
            code VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
            origin VARCHAR(128) NOT NULL,
            count BIGINT UNSIGNED NOT NULL,
            KEY failed_check_time (time_us)
        ) ENGINE = InnoDB
        """
    ]
    /// Room for the names of reasons for which somebody was not let in.
    static let additions: [SQL] = [
        "ALTER TABLE failed_check MODIFY code VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL"
    ]
    static let grants = [Grant.appendOnly("failed_check")]

    static func insert(_ checks: [FailedCheck], _ connection: inout Connection) throws(DatabaseError) {
        let rows = checks.map {
            SQL.row($0.time.microseconds, $0.client, $0.key, $0.operation, $0.code, $0.origin, $0.count)
        }
        try connection.execute(
            """
            INSERT INTO failed_check (time_us, client, key_name, operation, code, origin, count)
            VALUES \(rows.joined(", "))
            """)
    }

    static func recent(_ limit: Int, _ connection: inout Connection) throws(DatabaseError) -> [FailedCheck] {
        let rows = try connection.query(
            """
            SELECT time_us, client, key_name, operation, code, origin, count
            FROM failed_check ORDER BY id DESC LIMIT \(max(1, min(limit, 10_000)))
            """)
        var checks: [FailedCheck] = []
        for row in rows {
            checks.append(
                FailedCheck(
                    time: Timestamp(microseconds: try row.int64("time_us")), client: try row.text("client"),
                    key: try row.text("key_name"), operation: try row.text("operation"), code: try row.text("code"),
                    origin: try row.text("origin"), count: try row.uint64("count")))
        }
        return checks
    }
}
