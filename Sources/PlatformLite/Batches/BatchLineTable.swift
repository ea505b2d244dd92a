import MariaDB

/// The lines of a batch on their way: what waits for a verdict, what waits to be posted, what has become of them.
enum BatchLineTable {
    /// A line and the record in it.
    struct Waiting: Sendable {
        let number: Int
        let record: ConsumptionRecord
    }

    /// The next lines without a verdict on their TAC.
    static func unverified(
        _ batch: String, limit: Int, _ connection: inout Connection
    ) throws(DatabaseError) -> [Waiting] {
        let rows = try connection.query(
            """
            SELECT line_no, raw FROM batch_line WHERE batch_id = \(batch) AND tac_state = 0 ORDER BY line_no LIMIT \(limit)
            """)
        return try waiting(rows)
    }

    /// Keeps verdicts. A line that has one already keeps the first.
    static func note(
        _ verdicts: [(line: Int, isValid: Bool)], batch: String, _ connection: inout Connection
    ) throws(DatabaseError) {
        for isValid in [true, false] {
            let lines = verdicts.filter { $0.isValid == isValid }.map(\.line)
            guard !lines.isEmpty else { continue }
            try connection.execute(
                """
                UPDATE batch_line SET tac_state = \(isValid ? 1 : 2)
                WHERE batch_id = \(batch) AND tac_state = 0 AND line_no IN \(SQL.list(lines))
                """)
        }
    }

    /// The next lines without an outcome, locked.
    static func unposted(
        _ batch: String, limit: Int, _ connection: inout Connection
    ) throws(DatabaseError) -> [Waiting] {
        let rows = try connection.query(
            """
            SELECT line_no, raw FROM batch_line WHERE batch_id = \(batch) AND outcome IS NULL ORDER BY line_no LIMIT \(limit)
            FOR UPDATE
            """)
        return try waiting(rows)
    }

    /// What the books know about the lines from `first` to `last` that have no outcome yet, by line number.
    static func facts(
        _ batch: String, from first: Int, to last: Int, _ connection: inout Connection
    ) throws(DatabaseError) -> [Int: (RecordFacts, Origin)] {
        let rows = try connection.query(
            """
            SELECT l.line_no, l.tac_state, t.psam_no, m.merchant_no, m.name, m.rate_bp,
                pt.batch_id AS t_batch, pt.line_no AS t_line, tl.raw AS t_raw,
                pc.batch_id AS c_batch, pc.line_no AS c_line, cl.raw AS c_raw,
                before_it.card_seq IS NOT NULL OR l.card_seq = firsts.first_seq AS follows_on
            FROM batch_line l
            JOIN (SELECT s.card_asn, MIN(s.card_seq) AS first_seq FROM card_sequence s
                  WHERE s.card_asn IN (SELECT card_asn FROM batch_line
                                       WHERE batch_id = \(batch) AND line_no BETWEEN \(first) AND \(last))
                  GROUP BY s.card_asn) firsts ON firsts.card_asn = l.card_asn
            LEFT JOIN card_sequence before_it
                ON before_it.card_asn = l.card_asn AND before_it.card_seq = l.card_seq - 1
            LEFT JOIN terminal t ON t.terminal_no = l.terminal_no
            LEFT JOIN merchant m ON m.merchant_no = t.merchant_no
            LEFT JOIN purchase pt ON pt.terminal_no = l.terminal_no AND pt.terminal_txn = l.terminal_txn
            LEFT JOIN batch_line tl ON tl.batch_id = pt.batch_id AND tl.line_no = pt.line_no
            LEFT JOIN purchase pc ON pc.card_asn = l.card_asn AND pc.card_seq = l.card_seq
            LEFT JOIN batch_line cl ON cl.batch_id = pc.batch_id AND cl.line_no = pc.line_no
            WHERE l.batch_id = \(batch) AND l.line_no BETWEEN \(first) AND \(last) AND l.outcome IS NULL
            """)
        var facts: [Int: (RecordFacts, Origin)] = [:]
        for row in rows { facts[try row.int("line_no")] = try fact(row) }
        return facts
    }

    /// Where the other record of a duplicate is.
    struct Origin: Sendable {
        let sameTerminalNumber: String?
        let sameCardSequence: String?
    }

    /// Gives lines their outcome.
    static func settle(
        _ lines: [Int], outcome: String, fault: RecordFault?, detail: String?, batch: String,
        _ connection: inout Connection
    ) throws(DatabaseError) {
        guard !lines.isEmpty else { return }
        try connection.execute(
            """
            UPDATE batch_line SET outcome = \(outcome), fault = \((fault?.rawValue).sqlValue), detail = \(detail.sqlValue)
            WHERE batch_id = \(batch) AND outcome IS NULL AND line_no IN \(SQL.list(lines))
            """)
    }

    /// A purchase left suspense or went back: its line says so.
    static func resettle(_ purchase: PostedPurchase, toSuspense: Bool, _ connection: inout Connection)
        throws(DatabaseError)
    {
        let fault = toSuspense ? RecordFault.sequenceGap.rawValue : nil
        try connection.execute(
            """
            UPDATE batch_line l JOIN purchase p ON p.batch_id = l.batch_id AND p.line_no = l.line_no
            SET l.outcome = \(toSuspense ? "suspended" : "posted"),
                l.fault = \(fault.sqlValue), l.detail = NULL
            WHERE p.terminal_no = \(purchase.terminal) AND p.terminal_txn = \(purchase.terminalTransaction)
            """)
    }

    private static func waiting(_ rows: [Row]) throws(DatabaseError) -> [Waiting] {
        var list: [Waiting] = []
        for row in rows {
            let number = try row.int("line_no")
            list.append(Waiting(number: number, record: try record(row, "raw")))
        }
        return list
    }

    /// The record is read again from its line; the parser accepted it when the batch came in.
    private static func record(_ row: Row, _ column: String) throws(DatabaseError) -> ConsumptionRecord {
        let line = RecordCSV.line(number: 0, try row.text(column))
        guard case .success(let record) = line.content else { throw .column(column) }
        return record
    }

    private static func fact(_ row: Row) throws(DatabaseError) -> (RecordFacts, Origin) {
        let isKnown = try row.optionalText("merchant_no") != nil
        let terminalTwin = try row.optionalText("t_batch")
        let cardTwin = try row.optionalText("c_batch")
        let facts = RecordFacts(
            merchant: isKnown ? try PartyTable.merchant(row) : nil,
            boundPSAM: try row.optionalText("psam_no"),
            isTACValid: try row.int("tac_state") == 1,
            sameTerminalNumber: terminalTwin == nil ? nil : try record(row, "t_raw"),
            sameCardSequence: cardTwin == nil ? nil : try record(row, "c_raw"),
            followsOn: try row.bool("follows_on")
        )
        let origin = Origin(
            sameTerminalNumber: terminalTwin == nil ? nil : try place(row, "t_batch", "t_line"),
            sameCardSequence: cardTwin == nil ? nil : try place(row, "c_batch", "c_line")
        )
        return (facts, origin)
    }

    private static func place(_ row: Row, _ batch: String, _ line: String) throws(DatabaseError) -> String {
        "batch \(try row.text(batch)) line \(try row.int(line))"
    }
}
