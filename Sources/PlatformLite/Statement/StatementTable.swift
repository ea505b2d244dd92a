import MariaDB

/// The queries behind a statement.
enum StatementTable {
    static func statement(
        of merchant: Merchant, from: BusinessDate, to: BusinessDate, _ connection: inout Connection
    ) throws(DatabaseError) -> Statement {
        Statement(
            merchant: merchant, from: from, to: to,
            lines: try lines(of: merchant, from, to, &connection),
            held: try held(of: merchant, from, to, &connection),
            terminals: try terminals(of: merchant, &connection)
        )
    }

    /// Sums of the merchant's account: a sale that is credited counts one record, a sale that is debited (held back or reversed)
    /// takes one away.
    private static func lines(
        of merchant: Merchant, _ from: BusinessDate, _ to: BusinessDate, _ connection: inout Connection
    ) throws(DatabaseError) -> [Statement.Line] {
        let account = AccountName.merchant(merchant.number).text
        let rows = try connection.query(
            """
            SELECT p.business_date, p.terminal_no, p.meal,
                SUM(IF(e.purpose = 'sale', IF(e.credit_account = \(account), 1, -1), 0)) AS records,
                SUM(IF(e.purpose = 'sale', IF(e.credit_account = \(account), e.amount_fen, -e.amount_fen), 0)) AS gross,
                SUM(IF(e.purpose = 'fee', IF(e.debit_account = \(account), e.amount_fen, -e.amount_fen), 0)) AS fee
            FROM posting p JOIN entry e ON e.posting_no = p.posting_no
            WHERE p.merchant_no = \(merchant.number) AND p.business_date BETWEEN \(from.number) AND \(to.number)
                AND (e.debit_account = \(account) OR e.credit_account = \(account))
            GROUP BY p.business_date, p.terminal_no, p.meal
            HAVING records <> 0 OR gross <> 0 OR fee <> 0
            ORDER BY p.business_date, p.terminal_no, FIELD(p.meal, 'breakfast', 'lunch', 'dinner', 'night')
            """)
        var lines: [Statement.Line] = []
        for row in rows {
            guard let date = BusinessDate(number: try row.int("business_date")) else { throw .column("business_date") }
            guard let meal = Meal(rawValue: try row.text("meal")) else { throw .column("meal") }
            let totals = Statement.Totals(
                records: try row.int64("records"), gross: Amount(fen: try row.int64("gross")),
                fee: Amount(fen: try row.int64("fee")))
            lines.append(Statement.Line(date: date, terminal: try row.text("terminal_no"), meal: meal, totals: totals))
        }
        return lines
    }

    private static func held(
        of merchant: Merchant, _ from: BusinessDate, _ to: BusinessDate, _ connection: inout Connection
    ) throws(DatabaseError) -> Statement.Totals {
        let row = try connection.requireOne(
            """
            SELECT COUNT(*) AS records, COALESCE(SUM(amount_fen), 0) AS gross FROM purchase
            WHERE merchant_no = \(merchant.number) AND business_date BETWEEN \(from.number) AND \(to.number)
                AND standing = 'suspense'
            """)
        return Statement.Totals(records: try row.int64("records"), gross: Amount(fen: try row.int64("gross")))
    }

    /// The earliest of the last records of all terminals; nil when there is none, or one has never uploaded.
    static func completeUntil(_ connection: inout Connection) throws(DatabaseError) -> Statement.RecordTime? {
        let row = try connection.requireOne(
            """
            SELECT IF(COUNT(*) = COUNT(last_sale), MIN(last_sale), NULL) AS last_sale FROM (
                SELECT (SELECT MAX(l.sold_at) FROM batch_line l JOIN batch b ON b.batch_id = l.batch_id AND b.state = 'complete'
                        WHERE l.terminal_no = t.terminal_no) AS last_sale
                FROM terminal t) lasts
            """)
        return try time(row)
    }

    private static func time(_ row: Row) throws(DatabaseError) -> Statement.RecordTime? {
        guard let at = try row.optionalInt64("last_sale") else { return nil }
        guard let date = BusinessDate(number: Int(at / 1_000_000)), let time = TimeOfDay(number: Int(at % 1_000_000))
        else {
            throw .column("last_sale")
        }
        return Statement.RecordTime(date: date, time: time)
    }

    private static func terminals(
        of merchant: Merchant, _ connection: inout Connection
    ) throws(DatabaseError) -> [Statement.TerminalState] {
        let rows = try connection.query(
            """
            SELECT t.terminal_no, MAX(l.sold_at) AS last_sale,
                COALESCE(MAX(l.terminal_txn) - MIN(l.terminal_txn) + 1 - COUNT(DISTINCT l.terminal_txn), 0) AS missing
            FROM terminal t
            LEFT JOIN (batch_line l JOIN batch b ON b.batch_id = l.batch_id AND b.state = 'complete')
                ON l.terminal_no = t.terminal_no
            WHERE t.merchant_no = \(merchant.number)
            GROUP BY t.terminal_no ORDER BY t.terminal_no
            """)
        var states: [Statement.TerminalState] = []
        for row in rows {
            states.append(
                Statement.TerminalState(
                    terminal: try row.text("terminal_no"), lastRecord: try time(row), missing: try row.int64("missing"))
            )
        }
        return states
    }

    /// First and last business day on the merchant's account; nil when there is nothing.
    static func period(of merchant: String, _ connection: inout Connection) throws(DatabaseError) -> (
        BusinessDate, BusinessDate
    )? {
        let row = try connection.requireOne(
            "SELECT MIN(business_date) AS first, MAX(business_date) AS last FROM posting WHERE merchant_no = \(merchant)"
        )
        guard let first = try row.optionalInt64("first").flatMap({ BusinessDate(number: Int($0)) }),
            let last = try row.optionalInt64("last").flatMap({ BusinessDate(number: Int($0)) })
        else { return nil }
        return (first, last)
    }
}
