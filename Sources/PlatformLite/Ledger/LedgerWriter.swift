import MariaDB

/// Writes postings within a transaction that holds the ledger's gate; all SQL that adds to the journal is here.
struct LedgerWriter {
    let by: String
    let at: Timestamp
    private(set) var next: Int64

    /// Takes the gate: from here to the end of the transaction nobody else writes to the ledger.
    ///
    /// The UPDATE comes first so that the transaction's snapshot is made with the lock held: what the holder before us committed is
    /// seen, or the server answers "conflict" and the transaction runs again.
    init(_ connection: inout Connection, by: String, at: Timestamp) throws(DatabaseError) {
        try connection.execute("UPDATE ledger_gate SET passes = passes + 1 WHERE gate = 1")
        next = try connection.requireOne("SELECT next_posting FROM ledger_gate WHERE gate = 1").int64("next_posting")
        self.by = by
        self.at = at
    }

    /// Posts all or nothing; the answer is the number of the first, the others follow on.
    @discardableResult
    mutating func post(_ postings: [Posting], _ connection: inout Connection) throws(DatabaseError) -> Int64 {
        let first = next
        guard !postings.isEmpty else { return first }
        try apply(effects(of: postings), &connection)
        for slice in Slices(of: postings, 500) {
            try insert(postings[slice], from: first + Int64(slice.lowerBound), &connection)
        }
        next += Int64(postings.count)
        try connection.execute("UPDATE ledger_gate SET next_posting = \(next) WHERE gate = 1")
        return first
    }

    /// Always on, in release builds too: a posting that creates or destroys money stops the program instead of being stored.
    private func effects(of postings: [Posting]) -> [AccountName: Amount] {
        var effects: [AccountName: Amount] = [:]
        for posting in postings {
            for (account, amount) in posting.effects { effects[account, default: .zero] += amount }
        }
        precondition(effects.values.sum == .zero, "debits and credits of a posting are equal")
        return effects
    }

    private func apply(
        _ effects: [AccountName: Amount], _ connection: inout Connection
    ) throws(DatabaseError) {
        // In the order of names, so that no two writers wait for each other in a circle.
        let accounts = effects.sorted { $0.key.text < $1.key.text }
        for slice in Slices(of: accounts, 1_000) {
            let rows = accounts[slice].map { SQL.row($0.key.text, $0.key.kind, $0.value.fen) }
            try connection.execute(
                """
                INSERT INTO account (name, kind, balance_fen) VALUES \(rows.joined(", "))
                ON DUPLICATE KEY UPDATE balance_fen = balance_fen + VALUES(balance_fen)
                """)
        }
    }

    private func insert(
        _ postings: ArraySlice<Posting>, from first: Int64, _ connection: inout Connection
    ) throws(DatabaseError) {
        var rows: [SQL] = []
        var entries: [SQL] = []
        for (index, posting) in postings.enumerated() {
            let number = first + Int64(index)
            rows.append(
                SQL.row(
                    number, posting.key, posting.kind.rawValue, posting.date.number, at.microseconds, by,
                    posting.merchant, posting.terminal, posting.meal?.rawValue, posting.memo, posting.reverses
                ))
            for (line, entry) in posting.entries.enumerated() {
                entries.append(
                    SQL.row(
                        number, line + 1, entry.purpose.rawValue, entry.debit.text, entry.credit.text, entry.amount.fen
                    ))
            }
        }
        try connection.execute(
            """
            INSERT INTO posting (posting_no, idempotency_key, kind, business_date, booked_at, booked_by, merchant_no,
                terminal_no, meal, memo, reverses) VALUES \(rows.joined(", "))
            """)
        try connection.execute(
            """
            INSERT INTO entry (posting_no, entry_no, purpose, debit_account, credit_account, amount_fen)
            VALUES \(entries.joined(", "))
            """)
    }
}

/// Ranges of at most `size` indices that cover an array: statements have a limit of placeholders.
struct Slices: Sequence {
    private let count: Int
    private let size: Int

    init(of array: [some Any], _ size: Int) {
        count = array.count
        self.size = size
    }

    func makeIterator() -> AnyIterator<Range<Int>> {
        var start = 0
        return AnyIterator {
            guard start < count else { return nil }
            defer { start += size }
            return start..<Swift.min(start + size, count)
        }
    }
}
