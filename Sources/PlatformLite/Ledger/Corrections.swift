import MariaDB

extension BackOffice {
    /// Books money put on a card. The same key again with the same content changes nothing; false then.
    public func load(
        card: String, amount: Amount, date: BusinessDate, key: String, memo: String, by: String
    ) async throws -> Bool {
        precondition(amount > .zero, "a load is positive")
        let posting = PostingRules.load(card: card, amount: amount, date: date, key: key, memo: memo)
        let now = clock()
        return try await database.write { connection in
            var writer = try LedgerWriter(&connection, by: by, at: now)
            let row = try connection.queryOne(
                "SELECT posting_no FROM posting WHERE idempotency_key = \(posting.key)")
            if let row {
                let number = try row.int64("posting_no")
                let known = try JournalTable.postings(from: number, limit: 1, &connection).first?.posting
                guard known == posting else { throw Refusal.keyTaken }
                return false
            }
            try writer.post([posting], &connection)
            return true
        }
    }

    /// Books what is on cards at the start of the books, once per card; the answer is how many are new. Cards with nothing on them
    /// need no posting. `firstSequence` is the offline sequence that the card's first purchase will have: without it a lost first
    /// record could not be told from a card that is simply seen for the first time.
    public func open(
        _ openings: [(card: String, amount: Amount, firstSequence: UInt16)], by: String
    ) async throws -> Int {
        let now = clock()
        guard let today = BusinessDate(now, offsetMinutes: 480) else { throw Refusal.notFound }
        let postings = openings.filter { $0.amount > .zero }.map { opening in
            PostingRules.load(
                card: opening.card, amount: opening.amount, date: today, key: "opening-\(opening.card)",
                memo: "opening balance")
        }
        guard Set(postings.map(\.key)).count == postings.count else { throw Refusal.conflict }
        return try await database.write { connection in
            var writer = try LedgerWriter(&connection, by: by, at: now)
            var known: Set<String> = []
            for slice in Slices(of: postings, 1_000) {
                let rows = try connection.query(
                    "SELECT idempotency_key FROM posting WHERE idempotency_key IN \(SQL.list(postings[slice].map(\.key)))"
                )
                for row in rows { known.insert(try row.text("idempotency_key")) }
            }
            let new = postings.filter { !known.contains($0.key) }
            try writer.post(new, &connection)
            try PurchaseTable.expect(openings.map { ($0.card, $0.firstSequence) }, &connection)
            return new.count
        }
    }

    /// Takes a posting back (冲正) by its mirror image, once; the answer is the number of the new posting.
    public func reverse(_ number: Int64, memo: String, by: String) async throws -> Int64 {
        let now = clock()
        return try await database.write { connection in
            var writer = try LedgerWriter(&connection, by: by, at: now)
            guard let original = try JournalTable.postings(from: number, limit: 1, &connection).first,
                original.number == number
            else { throw Refusal.notFound }
            let taken = try connection.queryOne("SELECT posting_no FROM posting WHERE reverses = \(number)")
            guard taken == nil else { throw Refusal.alreadyReversed }
            switch original.posting.kind {
            case .load: break
            case .purchase, .suspended:
                // A purchase that has moved between suspense and merchant would be taken back from the wrong account.
                let changed = try connection.execute(
                    """
                    UPDATE purchase SET standing = 'reversed'
                    WHERE posting_no = \(number) AND moves = 0 AND standing <> 'reversed'
                    """)
                guard changed.affectedRows == 1 else { throw Refusal.notReversible }
            case .release, .hold, .reversal: throw Refusal.notReversible
            }
            return try writer.post(
                [PostingRules.reversal(of: original.posting, number: number, memo: memo)], &connection)
        }
    }
}
