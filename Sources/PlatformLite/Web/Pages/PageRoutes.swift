import Hummingbird

/// The pages for people.
struct PageRoutes {
    let office: BackOffice
    let pages: Pages
    let wake: @Sendable () -> Void

    private static let shownLines = 500

    func add(to door: Door) {
        door.get("/", .read) { _, context in try await overview(context) }
        door.get("/batches", .read) { _, context in
            let list = try await office.latestBatches().map { pages.batch($0, context.language) }
            return pages.page("batches", title: title("batches", context), ["batches": list], context)
        }
        door.get("/batches/:id", .read) { _, context in try await batch(context) }
        door.post("/batches/:id/continue", .upload) { _, context in
            guard let id = context.parameters.get("id"), Identifier.isValid(id, upTo: 64) else {
                throw Problem(.notFound, "there is no such batch")
            }
            wake()
            return Response(status: .seeOther, headers: [.location: "/batches/\(id)"])
        }
        door.get("/bad", .read) { _, context in
            let bad = pages.bad(try await office.badLines(of: nil, limit: Self.shownLines), context.language)
            return pages.page("bad", title: title("bad", context), ["bad": bad, "hasBad": !bad.isEmpty], context)
        }
        door.get("/merchants", .read) { _, context in try await merchants(context) }
        door.get("/merchants/:number/statement", .read) { request, context in
            let statement = try await LedgerRoutes.statement(office, request, context)
            return pages.page(
                "statement", title: title("statement", context), values(statement, context.language), context)
        }
        door.get("/ledger", .read) { _, context in try await ledger(context) }
    }

    private func title(_ key: String, _ context: PlatformContext) -> String {
        Phrases.text(key, in: context.language)
    }

    private func overview(_ context: PlatformContext) async throws -> Response {
        let overview = try await office.overview()
        let waits = overview.waiting.map { pages.batch($0, context.language) }
        var values: [String: Any] = [
            "posted": overview.posted, "takings": overview.takings.grouped, "suspended": overview.suspended,
            "rejected": overview.rejected, "merchants": overview.merchants, "terminals": overview.terminals,
            "waits": waits, "hasWaits": !waits.isEmpty,
        ]
        if let until = overview.completeUntil { values["completeUntil"] = until.description }
        return pages.page("overview", title: title("overview", context), values, context)
    }

    private func batch(_ context: PlatformContext) async throws -> Response {
        guard let id = context.parameters.get("id"), Identifier.isValid(id, upTo: 64),
            let status = try await office.batch(id)
        else { throw Problem(.notFound, "there is no such batch") }
        let bad = pages.bad(try await office.badLines(of: id, limit: Self.shownLines), context.language)
        return pages.page(
            "batch", title: title("batch", context),
            ["batch": pages.batch(status, context.language), "bad": bad, "hasBad": !bad.isEmpty], context)
    }

    private func merchants(_ context: PlatformContext) async throws -> Response {
        let terminals = Dictionary(grouping: try await office.terminals()) { $0.merchant }
        let balances = Dictionary(try await office.balances(prefix: "merchant:"), uniquingKeysWith: +)
        let rows: [[String: Any]] = try await office.merchants().map { merchant in
            [
                "number": merchant.number, "name": merchant.name, "rate": Pages.percent(merchant.rate),
                "terminals": terminals[merchant.number]?.count ?? 0,
                "payable": (-(balances[AccountName.merchant(merchant.number).text] ?? .zero)).grouped,
            ]
        }
        return pages.page("merchants", title: title("merchants", context), ["merchants": rows], context)
    }

    private func values(_ statement: Statement, _ language: Language) -> [String: Any] {
        func phrase(_ key: String) -> String { Phrases.text(key, in: language) }
        let total = pages.sums(statement.totals)
        func group(_ heading: String, _ key: String, _ rows: [[String: Any]]) -> [String: Any] {
            ["heading": phrase(heading), "key": phrase(key), "rows": rows]
        }
        var values: [String: Any] = [
            "name": statement.merchant.name, "number": statement.merchant.number,
            "rate": Pages.percent(statement.merchant.rate), "from": statement.from.description,
            "to": statement.to.description, "total": total, "held": pages.sums(statement.held),
            "plot": TakingsPlot.svg(statement.byDay.map { ($0.0, $0.1.gross) }, title: phrase("plotTitle")),
            "groups": [
                group("byDay", "date", statement.byDay.map { pages.sums($0.1, label: $0.0.description) }),
                group("byTerminal", "terminal", statement.byTerminal.map { pages.sums($0.1, label: $0.0) }),
                group("byMeal", "meal", statement.byMeal.map { pages.sums($0.1, label: phrase($0.0.rawValue)) }),
            ],
            "terminals": statement.terminals.map { terminal in
                [
                    "terminal": terminal.terminal, "last": terminal.lastRecord?.description ?? phrase("never"),
                    "missing": terminal.missing,
                ] as [String: Any]
            },
        ]
        if let until = statement.completeUntil { values["completeUntil"] = until.description }
        return values
    }

    private func ledger(_ context: PlatformContext) async throws -> Response {
        let check = try await office.checkLedger()
        let accounts: [[String: Any]] = check.balances.sorted { $0.key < $1.key }.map { kind, balance in
            ["account": title(kind, context), "balance": balance.grouped]
        }
        let values: [String: Any] = [
            "right": check.isRight, "findings": check.findings, "postings": check.postings, "entries": check.entries,
            "debits": check.debits.grouped, "credits": check.credits.grouped, "accounts": accounts,
        ]
        return pages.page("ledger", title: title("ledger", context), values, context)
    }
}
