import MariaDB

/// The purchases that are in the books, and the numbers seen of each card.
enum PurchaseTable {
    /// A purchase to be stored with the posting that carries its money.
    struct New: Sendable {
        let record: ConsumptionRecord
        let merchant: Merchant
        let line: Int
        let postingNumber: Int64
        let isSuspended: Bool
    }

    static func insert(_ purchases: [New], batch: String, _ connection: inout Connection) throws(DatabaseError) {
        for slice in Slices(of: purchases, 500) {
            let rows = purchases[slice].map { new in
                SQL.row(
                    new.record.terminal, new.record.terminalTransaction, new.record.card, new.record.cardSequence,
                    new.merchant.number, new.record.amount.fen, new.merchant.rate.fee(of: new.record.amount).fen,
                    new.record.date.number, Meal(at: new.record.time).rawValue, batch, new.line, new.postingNumber,
                    new.isSuspended ? "suspense" : "clear"
                )
            }
            try connection.execute(
                """
                INSERT INTO purchase (terminal_no, terminal_txn, card_asn, card_seq, merchant_no, amount_fen, fee_fen,
                    business_date, meal, batch_id, line_no, posting_no, standing) VALUES \(rows.joined(", "))
                """)
        }
    }

    /// Notes which numbers have been seen of cards; a number that is known already changes nothing.
    static func see(_ numbers: [(card: String, sequence: UInt16)], _ connection: inout Connection) throws(DatabaseError)
    {
        for slice in Slices(of: numbers, 2_000) {
            let rows = numbers[slice].map { SQL.row($0.card, $0.sequence) }
            try connection.execute(
                """
                INSERT INTO card_sequence (card_asn, card_seq) VALUES \(rows.joined(", "))
                ON DUPLICATE KEY UPDATE card_seq = VALUES(card_seq)
                """)
        }
    }

    /// Notes the number before a card's first purchase, for cards of which nothing was seen yet: if the first record that comes
    /// has a later number, one is missing.
    static func expect(
        _ firsts: [(card: String, sequence: UInt16)], _ connection: inout Connection
    ) throws(DatabaseError) {
        for slice in Slices(of: firsts, 2_000) {
            let cards = firsts[slice].map(\.card)
            let rows = try connection.query(
                "SELECT DISTINCT card_asn FROM card_sequence WHERE card_asn IN \(SQL.list(cards))")
            var seen: Set<String> = []
            for row in rows { seen.insert(try row.text("card_asn")) }
            let new = firsts[slice].filter { !seen.contains($0.card) }.map { SQL.row($0.card, Int($0.sequence) - 1) }
            if new.isEmpty { continue }
            try connection.execute("INSERT INTO card_sequence (card_asn, card_seq) VALUES \(new.joined(", "))")
        }
    }

    /// Purchases of the cards of a batch that stand otherwise than `SequenceRule` says now: with true for those that must go to
    /// suspense.
    static func misplaced(batch: String, _ connection: inout Connection) throws(DatabaseError) -> [(
        PostedPurchase, Bool
    )] {
        let rows = try connection.query(
            """
            SELECT p.terminal_no, p.terminal_txn, p.merchant_no, p.amount_fen, p.fee_fen, p.business_date, p.meal,
                p.moves, p.standing
            FROM (SELECT s.card_asn, MIN(s.card_seq) AS first_seq FROM card_sequence s
                  WHERE s.card_asn IN (SELECT card_asn FROM batch_line WHERE batch_id = \(batch))
                  GROUP BY s.card_asn) c
            JOIN purchase p ON p.card_asn = c.card_asn
            LEFT JOIN card_sequence before_it
                ON before_it.card_asn = p.card_asn AND before_it.card_seq = p.card_seq - 1
            WHERE p.standing = IF(before_it.card_seq IS NULL AND p.card_seq <> c.first_seq, 'clear', 'suspense')
            ORDER BY p.terminal_no, p.terminal_txn
            """)
        var list: [(PostedPurchase, Bool)] = []
        for row in rows { list.append((try purchase(row), try row.text("standing") == "clear")) }
        return list
    }

    static func move(_ purchase: PostedPurchase, to standing: String, _ connection: inout Connection)
        throws(DatabaseError)
    {
        try connection.execute(
            """
            UPDATE purchase SET standing = \(standing), moves = moves + 1
            WHERE terminal_no = \(purchase.terminal) AND terminal_txn = \(purchase.terminalTransaction)
            """)
    }

    static func purchase(_ row: Row) throws(DatabaseError) -> PostedPurchase {
        guard let date = BusinessDate(number: try row.int("business_date")) else { throw .column("business_date") }
        guard let meal = Meal(rawValue: try row.text("meal")) else { throw .column("meal") }
        guard let transaction = UInt32(exactly: try row.int64("terminal_txn")) else { throw .column("terminal_txn") }
        return PostedPurchase(
            terminal: try row.text("terminal_no"), terminalTransaction: transaction,
            merchant: try row.text("merchant_no"), amount: Amount(fen: try row.int64("amount_fen")),
            fee: Amount(fen: try row.int64("fee_fen")), date: date, meal: meal, moves: try row.int("moves")
        )
    }
}
