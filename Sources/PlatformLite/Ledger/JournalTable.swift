import MariaDB

/// Reads the journal and the accounts.
enum JournalTable {
    /// A posting as it is stored.
    struct Stored: Sendable {
        let number: Int64
        let bookedAt: Timestamp
        let bookedBy: String
        let posting: Posting
    }

    /// Postings from a number on, in their order, at most `limit`.
    static func postings(
        from number: Int64, limit: Int, _ connection: inout Connection
    ) throws(DatabaseError) -> [Stored] {
        let rows = try connection.query(
            """
            SELECT posting_no, idempotency_key, kind, business_date, booked_at, booked_by, merchant_no, terminal_no, meal,
                memo, reverses
            FROM posting WHERE posting_no >= \(number) ORDER BY posting_no LIMIT \(limit)
            """)
        guard let last = rows.last else { return [] }
        let lines = try connection.query(
            """
            SELECT posting_no, purpose, debit_account, credit_account, amount_fen FROM entry
            WHERE posting_no BETWEEN \(number) AND \(try last.int64("posting_no")) ORDER BY posting_no, entry_no
            """)
        var entries: [Int64: [Entry]] = [:]
        for line in lines { entries[try line.int64("posting_no"), default: []].append(try entry(line)) }
        var stored: [Stored] = []
        for row in rows { stored.append(try posting(row, entries)) }
        return stored
    }

    static func balances(prefix: String, _ connection: inout Connection) throws(DatabaseError) -> [(String, Amount)] {
        var list: [(String, Amount)] = []
        let rows = try connection.query(
            "SELECT name, balance_fen FROM account WHERE LEFT(name, \(prefix.count)) = \(prefix) ORDER BY name")
        for row in rows { list.append((try row.text("name"), Amount(fen: try row.int64("balance_fen")))) }
        return list
    }

    private static func entry(_ row: Row) throws(DatabaseError) -> Entry {
        guard let purpose = Entry.Purpose(rawValue: try row.text("purpose")) else { throw .column("purpose") }
        guard let debit = AccountName(text: try row.text("debit_account")) else { throw .column("debit_account") }
        guard let credit = AccountName(text: try row.text("credit_account")), credit != debit else {
            throw .column("credit_account")
        }
        let amount = Amount(fen: try row.int64("amount_fen"))
        guard amount > .zero else { throw .column("amount_fen") }
        return Entry(purpose, debit: debit, credit: credit, amount)
    }

    private static func posting(_ row: Row, _ entries: [Int64: [Entry]]) throws(DatabaseError) -> Stored {
        guard let kind = Posting.Kind(rawValue: try row.text("kind")) else { throw .column("kind") }
        guard let date = BusinessDate(number: try row.int("business_date")) else { throw .column("business_date") }
        let number = try row.int64("posting_no")
        guard let own = entries[number], own.count <= 16 else { throw .column("entry_no") }
        return Stored(
            number: number,
            bookedAt: Timestamp(microseconds: try row.int64("booked_at")),
            bookedBy: try row.text("booked_by"),
            posting: Posting(
                key: try row.text("idempotency_key"), kind: kind, date: date,
                merchant: try row.optionalText("merchant_no"), terminal: try row.optionalText("terminal_no"),
                meal: try row.optionalText("meal").flatMap(Meal.init(rawValue:)), memo: try row.text("memo"),
                entries: own, reverses: try row.optionalInt64("reverses")
            )
        )
    }
}
