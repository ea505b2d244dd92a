import Hummingbird

/// `/v1/ledger…`, `/v1/postings…` and the statements: the books for programs and for other people's tools.
struct LedgerRoutes {
    let office: BackOffice

    private struct CheckAnswer: Encodable {
        let isRight: Bool
        let postings: Int64
        let entries: Int64
        let debitsFen: Int64
        let creditsFen: Int64
        /// Debit positive, by control account.
        let balances: [String: Int64]
        let findings: [String]
    }

    private struct AccountAnswer: Encodable {
        let account: String
        let balanceFen: Int64
    }

    private struct ReversalBody: Decodable {
        let memo: String
    }

    private struct ReversalAnswer: Encodable {
        let posting: Int64
    }

    func add(to door: Door) {
        door.get("/v1/ledger/check", .read) { _, _ in
            let check = try await office.checkLedger()
            return JSONAnswer.response(
                CheckAnswer(
                    isRight: check.isRight, postings: check.postings, entries: check.entries,
                    debitsFen: check.debits.fen,
                    creditsFen: check.credits.fen, balances: check.balances.mapValues(\.fen), findings: check.findings))
        }
        door.get("/v1/ledger/accounts", .read) { request, _ in
            let prefix = request.uri.queryParameters.get("prefix") ?? ""
            return JSONAnswer.response(
                try await office.balances(prefix: prefix).map { AccountAnswer(account: $0.0, balanceFen: $0.1.fen) })
        }
        door.get("/v1/ledger.journal", .read) { _, _ in journal() }
        door.post("/v1/postings/:number/reversal", .manage) { request, context in
            guard let number = context.parameters.get("number").flatMap(Int64.init) else {
                throw Problem(.notFound, "there is no such posting")
            }
            let memo = try await request.json(ReversalBody.self, context).memo
            guard (1...100).contains(memo.count) else {
                throw Problem(.unprocessableContent, "memo has 1 to 100 letters")
            }
            let posting = try await office.reverse(number, memo: memo, by: context.name)
            return JSONAnswer.response(ReversalAnswer(posting: posting), status: .created)
        }
        door.get("/v1/merchants/:number/statement", .read) { request, context in
            JSONAnswer.response(StatementAnswer(try await Self.statement(office, request, context)))
        }
        door.get("/v1/merchants/:number/statement.csv", .read) { request, context in
            let statement = try await Self.statement(office, request, context)
            return .csv(statement.csv, name: "statement-\(statement.merchant.number).csv")
        }
    }

    static func statement(_ office: BackOffice, _ request: Request, _ context: PlatformContext) async throws
        -> Statement
    {
        guard let number = context.parameters.get("number"), Merchant.isNumber(number) else {
            throw Problem(.notFound, "there is no such merchant")
        }
        return try await office.statement(of: number, from: try request.date("from"), to: try request.date("to"))
    }

    /// The journal as it is read, page after page, so that its length does not matter.
    private func journal() -> Response {
        let office = office
        return Response(
            status: .ok, headers: [.contentType: "text/plain; charset=utf-8"],
            body: ResponseBody { writer in
                try await writer.write(ByteBuffer(string: HledgerJournal.head))
                var number: Int64 = 1
                while true {
                    let page = try await office.journal(from: number, limit: 1_000)
                    guard let next = page.next else { break }
                    try await writer.write(ByteBuffer(string: page.text))
                    number = next
                }
                try await writer.finish(nil)
            })
    }
}

/// A statement as JSON.
struct StatementAnswer: Encodable {
    struct Sums: Encodable {
        let records: Int64
        let grossFen: Int64
        let feeFen: Int64
        let netFen: Int64

        init(_ totals: Statement.Totals) {
            records = totals.records
            grossFen = totals.gross.fen
            feeFen = totals.fee.fen
            netFen = totals.net.fen
        }
    }

    struct Line: Encodable {
        let date: String
        let terminalNo: String
        let meal: String
        let sums: Sums
    }

    struct Terminal: Encodable {
        let terminalNo: String
        let lastRecord: String?
        let missingNumbers: Int64
    }

    let merchantNo: String
    let name: String
    let rateBp: Int64
    let from: String
    let to: String
    let completeUntil: String?
    let total: Sums
    let held: Sums
    let lines: [Line]
    let terminals: [Terminal]

    init(_ statement: Statement) {
        merchantNo = statement.merchant.number
        name = statement.merchant.name
        rateBp = statement.merchant.rate.basisPoints
        from = statement.from.description
        to = statement.to.description
        completeUntil = statement.completeUntil?.description
        total = Sums(statement.totals)
        held = Sums(statement.held)
        lines = statement.lines.map {
            Line(date: $0.date.description, terminalNo: $0.terminal, meal: $0.meal.rawValue, sums: Sums($0.totals))
        }
        terminals = statement.terminals.map {
            Terminal(terminalNo: $0.terminal, lastRecord: $0.lastRecord?.description, missingNumbers: $0.missing)
        }
    }
}
