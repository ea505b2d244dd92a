internal import MariaDB

/// Table `card_job_exchange`: what went over the line, for the job's report; key data as ciphertext, PINs masked.
enum CardJobExchangeTable {
    static let creation: [SQL] = [
        """
        CREATE TABLE card_job_exchange (
            id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
            job_id BIGINT NOT NULL,
            line VARCHAR(1400) NOT NULL,
            KEY card_job_exchange_job (job_id, id),
            CONSTRAINT card_job_exchange_of FOREIGN KEY (job_id) REFERENCES card_job (id)
        ) ENGINE = InnoDB
        """
    ]
    static let grants = [Grant.appendOnly("card_job_exchange")]

    static func append(_ lines: [String], job: Int64, _ connection: inout Connection) throws(DatabaseError) {
        guard !lines.isEmpty else { return }
        let rows = lines.map { SQL.row(job, String($0.prefix(1400))) }
        try connection.execute("INSERT INTO card_job_exchange (job_id, line) VALUES \(rows.joined(", "))")
    }

    static func all(_ job: Int64, _ connection: inout Connection) throws -> [String] {
        try connection.query("SELECT line FROM card_job_exchange WHERE job_id = \(job) ORDER BY id").map {
            try $0.text("line")
        }
    }
}
