import Hummingbird

/// `/v1/merchants`, `/v1/terminals`, `/v1/openings`, `/v1/loads`: what the books need to know before records come.
struct PartyRoutes {
    let office: BackOffice

    struct MerchantBody: Codable {
        let merchantNo: String
        let name: String
        let rateBp: Int64
    }

    struct TerminalBody: Codable {
        let terminalNo: String
        let merchantNo: String
        let psamNo: String?
    }

    private struct LoadBody: Decodable {
        let cardAsn: String
        let amountFen: Int64
        let date: String
    }

    private struct Made: Encodable {
        let given: Int
        let made: Int
    }

    func add(to door: Door) {
        door.post("/v1/merchants", .manage) { request, context in try await addMerchant(request, context) }
        door.get("/v1/merchants", .read) { _, _ in
            JSONAnswer.response(
                try await office.merchants().map {
                    MerchantBody(merchantNo: $0.number, name: $0.name, rateBp: $0.rate.basisPoints)
                })
        }
        door.post("/v1/terminals", .manage) { request, context in try await addTerminals(request, context) }
        door.get("/v1/terminals", .read) { _, _ in
            JSONAnswer.response(
                try await office.terminals().map {
                    TerminalBody(terminalNo: $0.number, merchantNo: $0.merchant, psamNo: $0.psam)
                })
        }
        door.post("/v1/openings", .manage) { request, context in try await addOpenings(request, context) }
        door.post("/v1/loads", .manage) { request, context in try await addLoad(request, context) }
    }

    private func addMerchant(_ request: Request, _ context: PlatformContext) async throws -> Response {
        let body = try await request.json(MerchantBody.self, context)
        guard let rate = FeeRate(basisPoints: body.rateBp),
            let merchant = Merchant(number: body.merchantNo, name: body.name, rate: rate)
        else { throw Problem(.unprocessableContent, "number 1-20 letters, digits, -; name 1-60; rate_bp 0-10000") }
        let isMade = try await office.add(merchant, by: context.name)
        return JSONAnswer.response(body, status: isMade ? .created : .ok)
    }

    private func addTerminals(_ request: Request, _ context: PlatformContext) async throws -> Response {
        var terminals: [Terminal] = []
        if request.isCSV {
            let rows = try await request.rows("terminal_no,psam_no,merchant", limit: 10_000, context)
            let numbers = try await merchantNumbers()
            for (index, row) in rows.enumerated() {
                guard let number = numbers[row[2]] else {
                    throw Problem(.unprocessableContent, "line \(index + 2): there is no such merchant")
                }
                terminals.append(try terminal(row[0], number, row[1].isEmpty ? nil : row[1], line: index + 2))
            }
        } else {
            let body = try await request.json(TerminalBody.self, context)
            terminals = [try terminal(body.terminalNo, body.merchantNo, body.psamNo, line: 1)]
        }
        let made = try await office.add(terminals, by: context.name)
        return JSONAnswer.response(Made(given: terminals.count, made: made), status: made > 0 ? .created : .ok)
    }

    /// Merchant numbers by number, and by name where the name is unique.
    private func merchantNumbers() async throws -> [String: String] {
        let merchants = try await office.merchants()
        var numbers: [String: String] = [:]
        for (name, group) in Dictionary(grouping: merchants, by: \.name) where group.count == 1 {
            numbers[name] = group[0].number
        }
        for merchant in merchants { numbers[merchant.number] = merchant.number }
        return numbers
    }

    private func terminal(_ number: String, _ merchant: String, _ psam: String?, line: Int) throws -> Terminal {
        guard let terminal = Terminal(number: number, merchant: merchant, psam: psam) else {
            throw Problem(
                .unprocessableContent, "line \(line): terminal_no has 12, psam_no 20 hexadecimal digits")
        }
        return terminal
    }

    private func addOpenings(_ request: Request, _ context: PlatformContext) async throws -> Response {
        let rows = try await request.rows("card_asn,opening_balance_fen,first_seq", limit: 10_000, context)
        var openings: [(card: String, amount: Amount, firstSequence: UInt16)] = []
        for (index, row) in rows.enumerated() {
            guard let card = HexText.upper(row[0], digits: 20), let fen = Int64(row[1]),
                (0...Int64(UInt32.max)).contains(fen), let first = UInt16(row[2])
            else { throw Problem(.unprocessableContent, "line \(index + 2) has no card number, amount or sequence") }
            openings.append((card, Amount(fen: fen), first))
        }
        let made = try await office.open(openings, by: context.name)
        return JSONAnswer.response(Made(given: rows.count, made: made))
    }

    private func addLoad(_ request: Request, _ context: PlatformContext) async throws -> Response {
        let body = try await request.json(LoadBody.self, context)
        guard let key = request.headers[.idempotencyKey], Identifier.isValid(key, upTo: 64) else {
            throw Problem(.badRequest, "the header Idempotency-Key (1-64 of A-Z a-z 0-9 . _ -) is missing")
        }
        guard let card = HexText.upper(body.cardAsn, digits: 20), (1...Int64(UInt32.max)).contains(body.amountFen),
            let date = BusinessDate(body.date)
        else { throw Problem(.unprocessableContent, "card_asn 20 digits, amount_fen from 1, date YYYY-MM-DD") }
        let isMade = try await office.load(
            card: card, amount: Amount(fen: body.amountFen), date: date, key: key, memo: "load", by: context.name)
        return JSONAnswer.response(Made(given: 1, made: isMade ? 1 : 0), status: isMade ? .created : .ok)
    }
}

extension PlatformContext {
    /// The name of who asks, for the books.
    var name: String { staff?.name ?? "-" }
}
