public import MariaDB

/// The back office (综合业务) without its web pages: everything that it can be asked to do.
public struct BackOffice: Sendable {
    let database: Database
    let clock: @Sendable () -> Timestamp
    let processor: BatchProcessor

    /// `verifyLines` and `postLines`: records of one question to the crypto service, and of one posting transaction.
    public init(
        database: Database, verifier: any TACVerifier, clock: @escaping @Sendable () -> Timestamp,
        verifyLines: Int = 3_072,
        postLines: Int = 500
    ) {
        self.database = database
        self.clock = clock
        self.processor = BatchProcessor(
            database: database, verifier: verifier, clock: clock, verifyLines: verifyLines, postLines: postLines)
    }

    /// What was asked cannot be done; the state of the books is unchanged.
    public enum Refusal: Error, Sendable, Hashable {
        case upload(RecordCSV.Refusal)
        case badBatchID
        /// The batch id stands for other content.
        case batchIDTaken
        /// The key was used before for something else.
        case keyTaken
        case notFound
        case conflict
        case merchantUnknown
        case alreadyReversed
        /// Only purchases, suspended purchases and loads can be reversed, and a purchase not after it was moved.
        case notReversible
    }

    // MARK: - Batches

    public struct Upload: Sendable {
        public let status: BatchStatus
        /// False when the same content was there before: nothing has changed.
        public let isNew: Bool
    }

    /// Stores an upload; nothing is posted yet. The same content, or the same id with the same content, is the same batch.
    public func upload(
        _ bytes: [UInt8], id: String?, source: String = "upload", by: String
    ) async throws -> Upload {
        if let id, !Identifier.isValid(id, upTo: 64) { throw Refusal.badBatchID }
        let lines: [RecordCSV.Line]
        do throws(RecordCSV.Refusal) {
            lines = try RecordCSV.lines(of: bytes)
        } catch {
            throw Refusal.upload(error)
        }
        let text = String(decoding: bytes, as: UTF8.self)
        let now = clock()
        return try await database.write { connection in
            // The gate keeps two uploads of the same content apart, and card numbers in step with postings.
            _ = try LedgerWriter(&connection, by: by, at: now)
            let content = try BatchTable.sha256(text, &connection)
            if let known = try BatchTable.status(content: content, &connection) {
                return Upload(status: known, isNew: false)
            }
            let name = id ?? content
            if try BatchTable.status(name, &connection) != nil { throw Refusal.batchIDTaken }
            try BatchTable.insert(name, content: content, source: source, lines: lines, by: by, at: now, &connection)
            let seen = lines.compactMap { line in
                line.cardNumber.flatMap { card in line.cardSequence.map { (card: card, sequence: $0) } }
            }
            try PurchaseTable.see(seen, &connection)
            guard let status = try BatchTable.status(name, &connection) else { throw DatabaseError.noRow }
            return Upload(status: status, isNew: true)
        }
    }

    /// Verifies and posts what is left of a batch. Throws `VerificationFailure` when the crypto service cannot say; what is
    /// done by then stays done.
    public func process(_ batch: String) async throws {
        try await processor.run(batch)
    }

    /// Batches that are not complete, the oldest first.
    public func unfinishedBatches() async throws -> [String] {
        try await database.read { connection in try BatchTable.unfinished(&connection) }
    }

    public func batch(_ id: String) async throws -> BatchStatus? {
        try await database.read { connection in try BatchTable.status(id, &connection) }
    }

    public func latestBatches(limit: Int = 100) async throws -> [BatchStatus] {
        try await database.read { connection in try BatchTable.latest(limit: limit, &connection) }
    }

    /// Lines with a fault, of one batch or of all.
    public func badLines(of batch: String?, limit: Int = 10_000) async throws -> [BadLine] {
        try await database.read { connection in try BatchTable.bad(batch: batch, limit: limit, &connection) }
    }

    // MARK: - Merchants and terminals

    /// True when it was made, false when it was there already with the same content.
    public func add(_ merchant: Merchant, by: String) async throws -> Bool {
        let now = clock()
        return try Self.isMade(
            try await database.write { connection in try PartyTable.add(merchant, by: by, at: now, &connection) })
    }

    /// Adds terminals, all or none; the answer is how many are new.
    public func add(_ terminals: [Terminal], by: String) async throws -> Int {
        let now = clock()
        return try await database.write { connection in
            var made = 0
            for terminal in terminals {
                if try Self.isMade(PartyTable.add(terminal, by: by, at: now, &connection)) { made += 1 }
            }
            return made
        }
    }

    public func merchants() async throws -> [Merchant] {
        try await database.read { connection in try PartyTable.merchants(&connection) }
    }

    public func terminals(of merchant: String? = nil) async throws -> [Terminal] {
        try await database.read { connection in try PartyTable.terminals(of: merchant, &connection) }
    }

    // MARK: - Statement and books

    /// The statement of a merchant; without dates, of the whole time it has postings for.
    public func statement(of number: String, from: BusinessDate?, to: BusinessDate?) async throws -> Statement {
        let today = BusinessDate(clock(), offsetMinutes: 480)
        return try await database.read { connection in
            guard let merchant = try PartyTable.merchant(number, &connection) else { throw Refusal.notFound }
            let period = try StatementTable.period(of: number, &connection)
            guard let first = from ?? period?.0 ?? today, let last = to ?? period?.1 ?? today else {
                throw Refusal.notFound
            }
            return try StatementTable.statement(of: merchant, from: first, to: last, &connection)
        }
    }

    public func checkLedger() async throws -> LedgerCheck {
        try await database.read { connection in try LedgerChecker.check(&connection) }
    }

    /// Names and balances (debit positive) of the accounts whose name begins with `prefix`.
    public func balances(prefix: String = "") async throws -> [(String, Amount)] {
        try await database.read { connection in try JournalTable.balances(prefix: prefix, &connection) }
    }

    /// The journal for hledger, from a posting on; with the number to go on from, nil at the end.
    func journal(from number: Int64, limit: Int) async throws -> (text: String, next: Int64?) {
        let page = try await database.read { connection in
            try JournalTable.postings(from: number, limit: limit, &connection)
        }
        return (page.map(HledgerJournal.text(of:)).joined(), page.last.map { $0.number + 1 })
    }

    private static func isMade(_ registration: PartyTable.Registration) throws -> Bool {
        switch registration {
        case .made: true
        case .unchanged: false
        case .conflict: throw Refusal.conflict
        case .merchantUnknown: throw Refusal.merchantUnknown
        }
    }
}
