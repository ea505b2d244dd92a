internal import MariaDB

/// Table `audit_record`: the trail's second sink. INSERT and SELECT only, by grant and by trigger.
enum AuditRecordTable {
    /// Searchable columns are computed by the server from the record itself, so that they cannot tell another story.
    static let creation: [SQL] = [
        """
        CREATE TABLE audit_record (
            node VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
            sequence BIGINT UNSIGNED NOT NULL,
            record TEXT NOT NULL,
            hash BINARY(32) NOT NULL,
            operation VARCHAR(64) AS (JSON_VALUE(record, '$.op')) VIRTUAL,
            object VARCHAR(255) AS (JSON_VALUE(record, '$.object')) VIRTUAL,
            PRIMARY KEY (node, sequence),
            CONSTRAINT audit_record_is_json CHECK (JSON_VALID(record)),
            CONSTRAINT audit_record_has_number CHECK (sequence > 0)
        ) ENGINE = InnoDB
        """,
        """
        CREATE TRIGGER audit_record_stays BEFORE DELETE ON audit_record FOR EACH ROW
        SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'audit records are never deleted'
        """,
        """
        CREATE TRIGGER audit_record_unchanged BEFORE UPDATE ON audit_record FOR EACH ROW
        SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'audit records are never changed'
        """,
    ]

    static let grants = [Grant.appendOnly("audit_record")]

    /// A row as it stands there, readable or not.
    struct Stored: Sendable {
        let sequence: UInt64
        let record: String
        let hash: [UInt8]
    }

    /// Puts records in; those that are there already (a commit whose answer was lost) must be the same.
    static func complete(_ records: [AuditRecord], _ connection: inout Connection) throws {
        guard let first = records.first, let last = records.last else { return }
        var missing = records
        let present = try rows(first.node, from: first.sequence, through: last.sequence, &connection)
        if !present.isEmpty {
            let known = Dictionary(present.map { ($0.sequence, $0.hash) }) { first, _ in first }
            for record in records {
                guard let hash = known[record.sequence] else { continue }
                guard hash == record.hash else { throw KMSError.auditUnavailable }
            }
            missing = records.filter { known[$0.sequence] == nil }
        }
        if !missing.isEmpty { try insert(missing, &connection) }
    }

    static func insert(_ records: [AuditRecord], _ connection: inout Connection) throws(DatabaseError) {
        let rows = records.map { SQL.row($0.node, $0.sequence, $0.canonical, $0.hash) }
        try connection.execute("INSERT INTO audit_record (node, sequence, record, hash) VALUES \(rows.joined(", "))")
    }

    static func rows(
        _ node: String, from: UInt64, through: UInt64, _ connection: inout Connection
    ) throws(DatabaseError) -> [Stored] {
        let rows = try connection.query(
            """
            SELECT sequence, record, hash FROM audit_record
            WHERE node = \(node) AND sequence BETWEEN \(from) AND \(through) ORDER BY sequence
            """)
        return try stored(rows)
    }

    /// The next rows of a node from a number on.
    static func page(_ node: String, from: UInt64, _ connection: inout Connection) throws(DatabaseError) -> [Stored] {
        let rows = try connection.query(
            """
            SELECT sequence, record, hash FROM audit_record
            WHERE node = \(node) AND sequence >= \(from) ORDER BY sequence LIMIT 5000
            """)
        return try stored(rows)
    }

    private static func stored(_ rows: [Row]) throws(DatabaseError) -> [Stored] {
        var stored: [Stored] = []
        for row in rows {
            stored.append(
                Stored(
                    sequence: try row.uint64("sequence"), record: try row.text("record"), hash: try row.bytes("hash")))
        }
        return stored
    }

    /// The last row of a node.
    static func head(_ node: String, _ connection: inout Connection) throws(DatabaseError) -> Stored? {
        let row = try connection.queryOne(
            """
            SELECT sequence, record, hash FROM audit_record WHERE node = \(node) ORDER BY sequence DESC LIMIT 1
            """)
        guard let row else { return nil }
        return Stored(sequence: try row.uint64("sequence"), record: try row.text("record"), hash: try row.bytes("hash"))
    }
}
