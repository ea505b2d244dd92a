internal import MariaDB

/// Table `audit_checkpoint`: signed heads. INSERT and SELECT only.
enum AuditCheckpointTable {
    static let creation: [SQL] = [
        """
        CREATE TABLE audit_checkpoint (
            node VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
            sequence BIGINT UNSIGNED NOT NULL,
            head BINARY(32) NOT NULL,
            time_us BIGINT NOT NULL,
            signing_key VARCHAR(80) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
            message VARCHAR(400) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
            signature VARBINARY(512) NOT NULL,
            public_key VARBINARY(1024) NOT NULL,
            PRIMARY KEY (node, sequence, time_us)
        ) ENGINE = InnoDB
        """,
        """
        CREATE TRIGGER audit_checkpoint_stays BEFORE DELETE ON audit_checkpoint FOR EACH ROW
        SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'checkpoints are never deleted'
        """,
        """
        CREATE TRIGGER audit_checkpoint_unchanged BEFORE UPDATE ON audit_checkpoint FOR EACH ROW
        SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'checkpoints are never changed'
        """,
    ]
    static let grants = [Grant.appendOnly("audit_checkpoint")]

    static func insert(_ it: AuditCheckpoint, _ connection: inout Connection) throws(DatabaseError) {
        try connection.execute(
            """
            INSERT INTO audit_checkpoint (node, sequence, head, time_us, signing_key, message, signature, public_key)
            VALUES (\(it.node), \(it.sequence), \(it.head), \(it.time.microseconds), \(it.key), \(it.message),
                \(it.signature), \(it.publicKey))
            """)
    }

    static func all(_ node: String, _ connection: inout Connection) throws(DatabaseError) -> [AuditCheckpoint] {
        let rows = try connection.query(
            """
            SELECT node, sequence, head, time_us, signing_key, message, signature, public_key
            FROM audit_checkpoint WHERE node = \(node) ORDER BY sequence, time_us
            """)
        var checkpoints: [AuditCheckpoint] = []
        for row in rows {
            checkpoints.append(
                AuditCheckpoint(
                    node: try row.text("node"), sequence: try row.uint64("sequence"), head: try row.bytes("head"),
                    time: Timestamp(microseconds: try row.int64("time_us")), key: try row.text("signing_key"),
                    message: try row.text("message"), signature: try row.bytes("signature"),
                    publicKey: try row.bytes("public_key")))
        }
        return checkpoints
    }
}
