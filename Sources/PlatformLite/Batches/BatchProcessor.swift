import MariaDB

/// Carries batches on: first a verdict for every TAC, then the postings, both in bounded steps of one transaction each.
///
/// Every step starts from what is in the database and leaves it consistent, so it does not matter where a crash comes, who
/// carries a batch on, or whether two do at once.
struct BatchProcessor: Sendable {
    let database: Database
    let verifier: any TACVerifier
    let clock: @Sendable () -> Timestamp
    /// Lines of one question to the crypto service, and of one posting transaction.
    let verifyLines: Int
    let postLines: Int

    /// One step of a batch, and whether there is another.
    enum Step: Sendable, Hashable {
        case verified(Int), posted(Int), completed, nothingToDo
    }

    /// Carries the batch on to its end, or to the first failure. A failure of verification is kept as the batch's `problem`.
    func run(_ batch: String) async throws {
        while try await step(batch) != .nothingToDo {}
    }

    func step(_ batch: String) async throws -> Step {
        guard let status = try await database.read({ connection in try BatchTable.status(batch, &connection) }) else {
            return .nothingToDo
        }
        switch status.state {
        case .waiting: return try await verifySome(batch)
        case .verified: return try await postSome(batch)
        case .complete: return .nothingToDo
        }
    }

    // MARK: - Verification

    private func verifySome(_ batch: String) async throws -> Step {
        let limit = verifyLines
        let lines = try await database.read { connection in
            try BatchLineTable.unverified(batch, limit: limit, &connection)
        }
        guard !lines.isEmpty else {
            try await database.write { connection in
                try connection.execute(
                    "UPDATE batch SET state = 'verified', problem = NULL WHERE batch_id = \(batch) AND state = 'waiting'"
                )
            }
            return .verified(0)
        }
        // Outside any transaction: the network may take its time.
        let verdicts: [Bool]
        do throws(VerificationFailure) {
            verdicts = try await verifier.verify(lines.map(\.record))
            guard verdicts.count == lines.count else { throw .nonsense }
        } catch {
            let problem = error.description
            try await database.write { connection in
                try connection.execute("UPDATE batch SET problem = \(problem) WHERE batch_id = \(batch)")
            }
            throw error
        }
        let noted = zip(lines, verdicts).map { (line: $0.number, isValid: $1) }
        try await database.write { connection in
            try BatchLineTable.note(noted, batch: batch, &connection)
            try connection.execute("UPDATE batch SET problem = NULL WHERE batch_id = \(batch)")
        }
        return .verified(lines.count)
    }

    // MARK: - Posting

    private func postSome(_ batch: String) async throws -> Step {
        let now = clock()
        let limit = postLines
        return try await database.write { connection in
            var writer = try LedgerWriter(&connection, by: "batch", at: now)
            let row = try connection.requireOne("SELECT state FROM batch WHERE batch_id = \(batch)")
            guard try row.text("state") == "verified" else { return .nothingToDo }
            let lines = try BatchLineTable.unposted(batch, limit: limit, &connection)
            guard let first = lines.first, let last = lines.last else {
                try Self.complete(batch, now, &writer, &connection)
                return .completed
            }
            let facts = try BatchLineTable.facts(batch, from: first.number, to: last.number, &connection)
            var chunk = BatchChunk(batch: batch, firstPosting: writer.next)
            for line in lines {
                guard let (known, origin) = facts[line.number] else { throw DatabaseError.noRow }
                chunk.judge(line, known, origin)
            }
            try writer.post(chunk.postings, &connection)
            try PurchaseTable.insert(chunk.purchases, batch: batch, &connection)
            try chunk.settle(&connection)
            return .posted(lines.count)
        }
    }

    /// Moves what the batch's card numbers have put in another light, and closes the batch.
    private static func complete(
        _ batch: String, _ now: Timestamp, _ writer: inout LedgerWriter, _ connection: inout Connection
    ) throws(DatabaseError) {
        let moves = try PurchaseTable.misplaced(batch: batch, &connection)
        let postings = moves.map { PostingRules.move($0.0, toSuspense: $0.1, move: $0.0.moves + 1) }
        try writer.post(postings, &connection)
        for (purchase, toSuspense) in moves {
            try PurchaseTable.move(purchase, to: toSuspense ? "suspense" : "clear", &connection)
            try BatchLineTable.resettle(purchase, toSuspense: toSuspense, &connection)
        }
        try connection.execute(
            "UPDATE batch SET state = 'complete', completed_at = \(now.microseconds) WHERE batch_id = \(batch)")
    }
}

/// The lines of one posting transaction: judged one after the other, each knowing those before it.
struct BatchChunk {
    let batch: String
    let firstPosting: Int64
    private(set) var postings: [Posting] = []
    private(set) var purchases: [PurchaseTable.New] = []
    private var posted: [Int] = []
    private var faulty: [(line: Int, fault: RecordFault, detail: String?)] = []
    private var byTerminalNumber: [String: PurchaseTable.New] = [:]
    private var byCardSequence: [String: PurchaseTable.New] = [:]

    init(batch: String, firstPosting: Int64) {
        self.batch = batch
        self.firstPosting = firstPosting
    }

    mutating func judge(_ line: BatchLineTable.Waiting, _ known: RecordFacts, _ origin: BatchLineTable.Origin) {
        let record = line.record
        let terminalTwin = byTerminalNumber[Self.terminalKey(record)]
        let cardTwin = byCardSequence[Self.cardKey(record)]
        let facts = RecordFacts(
            merchant: known.merchant, boundPSAM: known.boundPSAM, isTACValid: known.isTACValid,
            sameTerminalNumber: known.sameTerminalNumber ?? terminalTwin?.record,
            sameCardSequence: known.sameCardSequence ?? cardTwin?.record, followsOn: known.followsOn
        )
        switch RecordJudge.judge(record, facts) {
        case .post(let merchant): add(line, merchant, isSuspended: false)
        case .suspend(let merchant): add(line, merchant, isSuspended: true)
        case .reject(let fault):
            let detail: String? =
                switch fault {
                case .duplicate, .terminalNumberReused: origin.sameTerminalNumber ?? terminalTwin.map(place)
                case .cardSequenceReused: origin.sameCardSequence ?? cardTwin.map(place)
                case .unknownTerminal: "terminal \(record.terminal)"
                case .wrongPSAM: "PSAM \(record.psam)"
                case .malformed, .wrongTAC, .sequenceGap: nil
                }
            faulty.append((line.number, fault, detail))
        }
    }

    /// Writes the outcomes down.
    func settle(_ connection: inout Connection) throws(DatabaseError) {
        try BatchLineTable.settle(posted, outcome: "posted", fault: nil, detail: nil, batch: batch, &connection)
        for (line, fault, detail) in faulty {
            try BatchLineTable.settle(
                [line], outcome: fault.isRejection ? "rejected" : "suspended", fault: fault, detail: detail,
                batch: batch,
                &connection)
        }
    }

    private mutating func add(_ line: BatchLineTable.Waiting, _ merchant: Merchant, isSuspended: Bool) {
        let record = line.record
        let new = PurchaseTable.New(
            record: record, merchant: merchant, line: line.number,
            postingNumber: firstPosting + Int64(postings.count), isSuspended: isSuspended)
        postings.append(PostingRules.purchase(record, merchant: merchant, isSuspended: isSuspended))
        purchases.append(new)
        byTerminalNumber[Self.terminalKey(record)] = new
        byCardSequence[Self.cardKey(record)] = new
        if isSuspended {
            let missing = "card sequence \(Int(record.cardSequence) - 1) has not come"
            faulty.append((line.number, .sequenceGap, missing))
        } else {
            posted.append(line.number)
        }
    }

    private func place(_ other: PurchaseTable.New) -> String { "batch \(batch) line \(other.line)" }

    private static func terminalKey(_ record: ConsumptionRecord) -> String {
        "\(record.terminal) \(record.terminalTransaction)"
    }

    private static func cardKey(_ record: ConsumptionRecord) -> String { "\(record.card) \(record.cardSequence)" }
}
