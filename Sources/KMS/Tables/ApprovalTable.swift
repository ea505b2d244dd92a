internal import MariaDB

/// Table `approval`: requests for a second person and what became of them.
enum ApprovalTable {
    static let creation: [SQL] = [
        """
        CREATE TABLE approval (
            id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
            operation VARCHAR(40) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
            object VARCHAR(200) NOT NULL,
            intent VARCHAR(800) NOT NULL,
            intent_digest BINARY(32) NOT NULL,
            requested_by VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
            requested_at_us BIGINT NOT NULL,
            expires_at_us BIGINT NOT NULL,
            decision VARCHAR(10) CHARACTER SET ascii COLLATE ascii_bin NOT NULL DEFAULT 'pending',
            decided_by VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NULL,
            decided_at_us BIGINT NULL,
            used_at_us BIGINT NULL,
            KEY approval_open (decision, expires_at_us),
            CONSTRAINT approval_requester FOREIGN KEY (requested_by) REFERENCES administrator (name),
            CONSTRAINT approval_decider FOREIGN KEY (decided_by) REFERENCES administrator (name),
            CONSTRAINT approval_decision CHECK (decision IN ('pending', 'approved', 'refused', 'used')),
            CONSTRAINT approval_second_person CHECK (decided_by IS NULL OR decided_by <> requested_by),
            CONSTRAINT approval_decided CHECK ((decision = 'pending') = (decided_by IS NULL)),
            CONSTRAINT approval_once CHECK ((decision = 'used') = (used_at_us IS NOT NULL))
        ) ENGINE = InnoDB
        """
    ]
    static let grants = [Grant("approval", [.select, .insert, .update])]

    static func insert(
        _ intent: Intent, by: String, now: Timestamp, expires: Timestamp, _ connection: inout Connection
    ) throws(DatabaseError) -> ApprovalID {
        let outcome = try connection.execute(
            """
            INSERT INTO approval (operation, object, intent, intent_digest, requested_by, requested_at_us, expires_at_us)
            VALUES (\(intent.operation.rawValue), \(intent.object), \(intent.canonicalText), \(intent.digest), \(by),
                \(now.microseconds), \(expires.microseconds))
            """)
        return ApprovalID(outcome.lastInsertID)
    }

    /// Decides a pending one; false if it is not pending any more, or not in its time. A clock set back before the request
    /// does not open it again.
    static func decide(
        _ id: ApprovalID, _ decision: Approval.Decision, by: String, now: Timestamp, _ connection: inout Connection
    ) throws(DatabaseError) -> Bool {
        try connection.execute(
            """
            UPDATE approval SET decision = \(decision.rawValue), decided_by = \(by), decided_at_us = \(now.microseconds)
            WHERE id = \(id) AND decision = 'pending' AND requested_by <> \(by)
                AND requested_at_us <= \(now.microseconds) AND expires_at_us > \(now.microseconds)
            """
        ).affectedRows == 1
    }

    /// Uses an approved one up; false if anything about it does not fit.
    static func use(
        _ id: ApprovalID, digest: [UInt8], by: String, now: Timestamp, _ connection: inout Connection
    ) throws(DatabaseError) -> Bool {
        try connection.execute(
            """
            UPDATE approval SET decision = 'used', used_at_us = \(now.microseconds)
            WHERE id = \(id) AND decision = 'approved' AND intent_digest = \(digest) AND requested_by = \(by)
                AND requested_at_us <= \(now.microseconds) AND expires_at_us > \(now.microseconds)
            """
        ).affectedRows == 1
    }

    struct Stored: Sendable {
        let approval: Approval
        let digest: [UInt8]
    }

    static func one(_ id: ApprovalID, _ connection: inout Connection) throws -> Stored? {
        try connection.queryOne("SELECT \(columns) FROM approval WHERE id = \(id)").map(decode)
    }

    static func recent(since: Timestamp, _ connection: inout Connection) throws -> [Approval] {
        try connection.query(
            """
            SELECT \(columns) FROM approval WHERE expires_at_us > \(since.microseconds) ORDER BY id DESC LIMIT 500
            """
        ).map { try decode($0).approval }
    }

    private static let columns: SQL = """
        id, operation, object, intent, intent_digest, requested_by, requested_at_us, expires_at_us, decision, decided_by
        """

    private static func decode(_ row: Row) throws -> Stored {
        guard let decision = Approval.Decision(rawValue: try row.text("decision")) else {
            throw DatabaseError.column("decision")
        }
        let approval = Approval(
            id: try row.int64("id"), operation: try row.text("operation"), object: try row.text("object"),
            text: try row.text("intent"), requestedBy: try row.text("requested_by"),
            requestedAt: Timestamp(microseconds: try row.int64("requested_at_us")),
            expiresAt: Timestamp(microseconds: try row.int64("expires_at_us")), decision: decision,
            decidedBy: try row.optionalText("decided_by"))
        return Stored(approval: approval, digest: try row.bytes("intent_digest"))
    }
}
