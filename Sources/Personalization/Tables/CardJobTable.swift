internal import HSMBridge
internal import MariaDB

/// Table `card_job`: each card's making. Two of its columns are locks that the database holds: a reader has one running job, and
/// a card that something was written to belongs to one job for ever.
enum CardJobTable {
    static let creation: [SQL] = [
        """
        CREATE TABLE card_job (
            id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
            node VARCHAR(24) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
            profile VARCHAR(40) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
            issuer VARCHAR(24) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
            reader VARCHAR(128) NOT NULL,
            kind VARCHAR(40) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
            batch VARCHAR(40) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
            person VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
            state VARCHAR(12) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
            card_serial VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NULL,
            claimed_card VARCHAR(110) CHARACTER SET ascii COLLATE ascii_bin NULL UNIQUE,
            busy_reader VARCHAR(160) NULL UNIQUE,
            step INT NOT NULL DEFAULT 0,
            steps INT NOT NULL,
            step_name VARCHAR(120) NULL,
            step_open BOOLEAN NOT NULL DEFAULT FALSE,
            status_word INT UNSIGNED NULL,
            message VARCHAR(400) NULL,
            data TEXT NOT NULL,
            key_versions TEXT NOT NULL,
            check_values TEXT NOT NULL,
            started_at_us BIGINT NOT NULL,
            ended_at_us BIGINT NULL,
            KEY card_job_state (state),
            CONSTRAINT card_job_stock FOREIGN KEY (kind, batch) REFERENCES card_stock (kind, batch),
            CONSTRAINT card_job_states CHECK (state IN ('running', 'interrupted', 'failed', 'finished', 'scrapped')),
            CONSTRAINT card_job_reader CHECK ((state = 'running') = (busy_reader IS NOT NULL)),
            CONSTRAINT card_job_end CHECK ((state IN ('running', 'interrupted')) = (ended_at_us IS NULL)),
            CONSTRAINT card_job_step CHECK (step >= 0 AND step <= steps),
            CONSTRAINT card_job_finished CHECK (state <> 'finished' OR (step = steps AND NOT step_open
                AND claimed_card IS NOT NULL))
        ) ENGINE = InnoDB
        """
    ]
    static let grants = [Grant("card_job", [.select, .insert, .update])]

    struct New: Sendable {
        let node: String
        let profile: String
        let issuer: String
        let reader: String
        let kind: String
        let batch: String
        let person: String
        let steps: Int
        let data: [String: String]
        let keyVersions: [String: String]
        let now: Int64
    }

    static func insert(_ job: New, _ connection: inout Connection) throws(DatabaseError) -> Int64 {
        try interruptStale(job.node, job.reader, &connection)
        let outcome = try connection.execute(
            """
            INSERT INTO card_job (node, profile, issuer, reader, kind, batch, person, state, busy_reader, steps, data,
                key_versions, check_values, started_at_us)
            VALUES (\(job.node), \(job.profile), \(job.issuer), \(job.reader), \(job.kind), \(job.batch), \(job.person),
                'running', \(busy(job.node, job.reader)), \(job.steps), \(TextMap.encode(job.data)),
                \(TextMap.encode(job.keyVersions)), '', \(job.now))
            """)
        return Int64(outcome.lastInsertID)
    }

    /// The caller holds the station of this reader, so a job that is still running there is one whose beginning was committed
    /// while the database was lost: nobody ever worked on it.
    private static func interruptStale(
        _ node: String, _ reader: String, _ connection: inout Connection
    ) throws(DatabaseError) {
        try connection.execute(
            """
            UPDATE card_job SET state = 'interrupted', busy_reader = NULL,
                message = CONCAT('interrupted at step ', step, ' (', COALESCE(step_name, 'identify'), '): the database was lost')
            WHERE busy_reader = \(busy(node, reader))
            """)
    }

    private static func busy(_ node: String, _ reader: String) -> String { "\(node)/\(reader)" }

    /// An interrupted job runs again; false if it is not interrupted.
    static func resume(
        _ id: Int64, node: String, reader: String, _ connection: inout Connection
    ) throws(DatabaseError) -> Bool {
        try interruptStale(node, reader, &connection)
        return try connection.execute(
            """
            UPDATE card_job SET state = 'running', node = \(node), reader = \(reader), busy_reader = \(busy(node, reader)),
                message = NULL, status_word = NULL
            WHERE id = \(id) AND state = 'interrupted'
            """
        ).affectedRows == 1
    }

    /// What a step record says about the job as a whole.
    static func note(_ record: StepRecord, job: Int64, kind: String, _ connection: inout Connection) throws {
        if let serial = record.serial.map(Hex.encode) {
            try connection.execute("UPDATE card_job SET card_serial = \(serial) WHERE id = \(job)")
        }
        if let end = record.ended, end.outcome == .done {
            try connection.execute(
                "UPDATE card_job SET step = \(end.number), step_name = \(end.name), step_open = FALSE WHERE id = \(job)"
            )
        }
        if let begins = record.begins {
            try connection.execute(
                "UPDATE card_job SET step = \(begins.number), step_name = \(begins.name), step_open = TRUE WHERE id = \(job)"
            )
            if begins.claimsCard {
                try connection.execute(
                    """
                    UPDATE card_job SET claimed_card = CONCAT(\(kind), '/', card_serial)
                    WHERE id = \(job) AND claimed_card IS NULL
                    """)
            }
        }
        if record.releasesCard { try connection.execute("UPDATE card_job SET claimed_card = NULL WHERE id = \(job)") }
        guard !record.checkValues.isEmpty,
            let row = try connection.queryOne("SELECT check_values FROM card_job WHERE id = \(job)")
        else { return }
        let known = TextMap.decode(try row.text("check_values"))
        let values = known.merging(record.checkValues.mapValues(\.description)) { _, new in new }
        try connection.execute("UPDATE card_job SET check_values = \(TextMap.encode(values)) WHERE id = \(job)")
    }

    /// Ends a running job, or scraps one that waits for it; false if it is not in one of `from`.
    static func end(
        _ id: Int64, from: [JobState], to: JobState, message: String?, status: StatusWord?, now: Int64?,
        _ connection: inout Connection
    ) throws(DatabaseError) -> Bool {
        try connection.execute(
            """
            UPDATE card_job SET state = \(to.rawValue), busy_reader = NULL, message = \(message.sqlValue),
                status_word = \(status.map { Int($0.rawValue) }.sqlValue), ended_at_us = \(now.sqlValue)
            WHERE id = \(id) AND state IN \(SQL.list(from.map(\.rawValue)))
            """
        ).affectedRows == 1
    }

    /// Jobs of a node that were running when it died.
    static func orphans(node: String, _ connection: inout Connection) throws -> [Stored] {
        try connection.query("SELECT \(columns) FROM card_job WHERE state = 'running' AND node = \(node)").map(decode)
    }

    static func owner(of card: String, _ connection: inout Connection) throws -> Int64? {
        try connection.queryOne("SELECT id FROM card_job WHERE claimed_card = \(card)")?.int64("id")
    }

    static func one(_ id: Int64, locked: Bool = false, _ connection: inout Connection) throws -> Stored? {
        let lock: SQL = locked ? " FOR UPDATE" : ""
        return try connection.queryOne("SELECT \(columns) FROM card_job WHERE id = \(id)\(lock)").map(decode)
    }

    static func newest(_ limit: Int, _ connection: inout Connection) throws -> [Stored] {
        try connection.query("SELECT \(columns) FROM card_job ORDER BY id DESC LIMIT \(limit)").map(decode)
    }

    private static let columns: SQL = """
        id, profile, issuer, reader, kind, batch, person, state, card_serial, claimed_card, step, steps, step_name, step_open,
        status_word, message, data, key_versions, check_values, started_at_us, ended_at_us
        """

    struct Stored: Sendable {
        let id: Int64
        let profile, issuer, reader, kind, batch, person: String
        let state: JobState
        let serial: String?
        /// Something was, or may have been, written to the card.
        let isTouched: Bool
        let step, steps: Int
        let stepName: String?
        let isStepOpen: Bool
        let status: StatusWord?
        let message: String?
        let data, keyVersions, checkValues: [String: String]
        let startedAt: Int64
        let endedAt: Int64?
    }

    private static func decode(_ row: Row) throws -> Stored {
        guard let state = JobState(rawValue: try row.text("state")) else { throw DatabaseError.column("state") }
        return Stored(
            id: try row.int64("id"), profile: try row.text("profile"), issuer: try row.text("issuer"),
            reader: try row.text("reader"), kind: try row.text("kind"), batch: try row.text("batch"),
            person: try row.text("person"), state: state, serial: try row.optionalText("card_serial"),
            isTouched: try row.optionalText("claimed_card") != nil, step: try row.int("step"),
            steps: try row.int("steps"), stepName: try row.optionalText("step_name"),
            isStepOpen: try row.bool("step_open"),
            status: try row.optionalInt("status_word").map { StatusWord(rawValue: UInt16(truncatingIfNeeded: $0)) },
            message: try row.optionalText("message"), data: TextMap.decode(try row.text("data")),
            keyVersions: TextMap.decode(try row.text("key_versions")),
            checkValues: TextMap.decode(try row.text("check_values")), startedAt: try row.int64("started_at_us"),
            endedAt: try row.optionalInt64("ended_at_us"))
    }
}

/// Small maps in one column: lines `name=value`, sorted.
enum TextMap {
    static func encode(_ map: [String: String]) -> String {
        map.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }.joined(separator: "\n")
    }

    static func decode(_ text: String) -> [String: String] {
        var map: [String: String] = [:]
        for line in text.split(separator: "\n") {
            let parts = line.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            if parts.count == 2 { map[String(parts[0])] = String(parts[1]) }
        }
        return map
    }
}
