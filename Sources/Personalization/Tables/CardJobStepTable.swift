internal import HSMBridge
internal import MariaDB

/// Table `card_job_step`: the journal of each job, a line before and a line after each step. Rows come and stay.
enum CardJobStepTable {
    static let creation: [SQL] = [
        """
        CREATE TABLE card_job_step (
            id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
            job_id BIGINT NOT NULL,
            number INT NOT NULL,
            name VARCHAR(120) NOT NULL,
            outcome VARCHAR(10) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
            status_word INT UNSIGNED NULL,
            at_us BIGINT NOT NULL,
            KEY card_job_step_job (job_id, id),
            CONSTRAINT card_job_step_of FOREIGN KEY (job_id) REFERENCES card_job (id),
            CONSTRAINT card_job_step_outcome CHECK (outcome IN ('begun', 'done', 'failed', 'uncertain'))
        ) ENGINE = InnoDB
        """
    ]
    static let grants = [Grant.appendOnly("card_job_step")]

    static func append(_ record: StepRecord, job: Int64, now: Int64, _ connection: inout Connection)
        throws(DatabaseError)
    {
        var rows: [SQL] = []
        if let end = record.ended {
            rows.append(
                SQL.row(job, end.number, end.name, end.outcome.rawValue, end.status.map { Int($0.rawValue) }, now))
        }
        if let begins = record.begins {
            rows.append(SQL.row(job, begins.number, begins.name, StepOutcome.begun.rawValue, Int?.none, now))
        }
        guard !rows.isEmpty else { return }
        try connection.execute(
            "INSERT INTO card_job_step (job_id, number, name, outcome, status_word, at_us) VALUES \(rows.joined(", "))")
    }

    static func all(_ job: Int64, _ connection: inout Connection) throws -> [JobStep] {
        try connection.query(
            "SELECT number, name, outcome, status_word, at_us FROM card_job_step WHERE job_id = \(job) ORDER BY id"
        ).map { row in
            guard let outcome = StepOutcome(rawValue: try row.text("outcome")) else {
                throw DatabaseError.column("outcome")
            }
            return JobStep(
                number: try row.int("number"), name: try row.text("name"), outcome: outcome,
                statusWord: try row.optionalInt("status_word").map {
                    Hex.encode([UInt8($0 >> 8 & 255), UInt8($0 & 255)])
                },
                at: JobTime.text(try row.int64("at_us")))
        }
    }
}
