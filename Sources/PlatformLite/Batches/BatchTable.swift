import MariaDB

/// How far a batch is.
public enum BatchState: String, Sendable {
    /// Stored; its TACs are not all verified yet. Nothing of it is posted.
    case waiting
    /// All TACs have a verdict; posting is under way.
    case verified
    /// Every line has its outcome.
    case complete
}

/// A batch and its progress.
public struct BatchStatus: Sendable, Hashable {
    public let id: String
    public let contentSHA256: String
    /// `upload`, or `online` for a single record.
    public let source: String
    public let state: BatchState
    /// Why it does not go on, if it does not.
    public let problem: String?
    public let lines: Int
    public let verified: Int
    public let posted: Int
    public let suspended: Int
    public let rejected: Int
    public let receivedAt: Timestamp
    public let receivedBy: String
    public let completedAt: Timestamp?
}

/// A line with a fault.
public struct BadLine: Sendable, Hashable {
    public let batch: String
    public let line: Int
    public let fault: RecordFault
    /// What exactly: the column of a malformed line, where the other record of a duplicate is.
    public let detail: String?
    public let text: String
}

/// Batches and their lines in the database.
enum BatchTable {
    static func status(_ id: String, _ connection: inout Connection) throws(DatabaseError) -> BatchStatus? {
        try statuses("WHERE b.batch_id = \(id)", limit: 1, &connection).first
    }

    static func status(content: String, _ connection: inout Connection) throws(DatabaseError) -> BatchStatus? {
        try statuses("WHERE b.content_sha256 = \(content)", limit: 1, &connection).first
    }

    /// The latest first.
    static func latest(limit: Int, _ connection: inout Connection) throws(DatabaseError) -> [BatchStatus] {
        try statuses("", limit: limit, &connection)
    }

    /// Batches that are not complete, the oldest first.
    static func unfinished(_ connection: inout Connection) throws(DatabaseError) -> [String] {
        let rows = try connection.query(
            "SELECT batch_id FROM batch WHERE state <> 'complete' ORDER BY received_at, batch_id LIMIT 1000")
        var list: [String] = []
        for row in rows { list.append(try row.text("batch_id")) }
        return list
    }

    /// The server's SHA-256 of a text, in hexadecimal: this room has no cryptography of its own.
    static func sha256(_ text: String, _ connection: inout Connection) throws(DatabaseError) -> String {
        try connection.requireOne("SELECT SHA2(\(text), 256) AS digest").text("digest")
    }

    static func insert(
        _ id: String, content: String, source: String, lines: [RecordCSV.Line], by: String, at: Timestamp,
        _ connection: inout Connection
    ) throws(DatabaseError) {
        try connection.execute(
            """
            INSERT INTO batch (batch_id, content_sha256, source, state, line_count, received_at, received_by)
            VALUES (\(id), \(content), \(source), 'waiting', \(lines.count), \(at.microseconds), \(by))
            """)
        for slice in Slices(of: lines, 1_000) {
            let rows = lines[slice].map { row(of: $0, batch: id) }
            try connection.execute(
                """
                INSERT INTO batch_line (batch_id, line_no, raw, terminal_no, terminal_txn, card_asn, card_seq, sold_at,
                    tac_state, outcome, fault, detail) VALUES \(rows.joined(", "))
                """)
        }
    }

    private static func row(of line: RecordCSV.Line, batch: String) -> SQL {
        switch line.content {
        case .success(let record):
            SQL.row(
                batch, line.number, line.text, record.terminal, record.terminalTransaction, record.card,
                record.cardSequence, Int64(record.date.number) * 1_000_000 + Int64(record.time.number), 0,
                String?.none, String?.none, String?.none
            )
        case .failure(let malformed):
            SQL.row(
                batch, line.number, line.text, String?.none, Int64?.none, line.cardNumber, line.cardSequence,
                Int64?.none,
                3, "rejected", RecordFault.malformed.rawValue, malformed.column
            )
        }
    }

    private static func statuses(
        _ condition: SQL, limit: Int, _ connection: inout Connection
    ) throws(DatabaseError) -> [BatchStatus] {
        let rows = try connection.query(
            """
            SELECT b.batch_id, MAX(b.content_sha256) AS content_sha256, MAX(b.source) AS source, MAX(b.state) AS state,
                MAX(b.problem) AS problem, MAX(b.line_count) AS line_count, MAX(b.received_at) AS received_at,
                MAX(b.received_by) AS received_by, MAX(b.completed_at) AS completed_at,
                COALESCE(SUM(l.tac_state <> 0), 0) AS verified,
                COALESCE(SUM(l.outcome = 'posted'), 0) AS posted,
                COALESCE(SUM(l.outcome = 'suspended'), 0) AS suspended,
                COALESCE(SUM(l.outcome = 'rejected'), 0) AS rejected
            FROM (SELECT * FROM batch b \(condition) ORDER BY b.received_at DESC, b.batch_id LIMIT \(limit)) b
            LEFT JOIN batch_line l ON l.batch_id = b.batch_id
            GROUP BY b.batch_id ORDER BY received_at DESC, b.batch_id
            """)
        var list: [BatchStatus] = []
        for row in rows { list.append(try status(row)) }
        return list
    }

    private static func status(_ row: Row) throws(DatabaseError) -> BatchStatus {
        guard let state = BatchState(rawValue: try row.text("state")) else { throw .column("state") }
        return BatchStatus(
            id: try row.text("batch_id"), contentSHA256: try row.text("content_sha256"), source: try row.text("source"),
            state: state, problem: try row.optionalText("problem"), lines: try row.int("line_count"),
            verified: try row.int("verified"), posted: try row.int("posted"), suspended: try row.int("suspended"),
            rejected: try row.int("rejected"),
            receivedAt: Timestamp(microseconds: try row.int64("received_at")), receivedBy: try row.text("received_by"),
            completedAt: try row.optionalInt64("completed_at").map(Timestamp.init(microseconds:))
        )
    }

    /// Lines that were not simply posted, of one batch or of all (the latest batches first).
    static func bad(
        batch: String?, limit: Int, _ connection: inout Connection
    ) throws(DatabaseError) -> [BadLine] {
        let rows = try connection.query(
            """
            SELECT l.batch_id, l.line_no, l.fault, l.detail, l.raw FROM batch_line l JOIN batch b ON b.batch_id = l.batch_id
            WHERE l.outcome IN ('rejected', 'suspended') AND (\(batch.sqlValue) IS NULL OR l.batch_id = \(batch.sqlValue))
            ORDER BY b.received_at DESC, l.batch_id, l.line_no LIMIT \(limit)
            """)
        var list: [BadLine] = []
        for row in rows {
            guard let fault = RecordFault(rawValue: try row.text("fault")) else { throw .column("fault") }
            list.append(
                BadLine(
                    batch: try row.text("batch_id"), line: try row.int("line_no"), fault: fault,
                    detail: try row.optionalText("detail"), text: try row.text("raw")
                ))
        }
        return list
    }
}
