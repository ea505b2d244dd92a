import Foundation
import HSMBridge
import NIOHTTP1
import PlatformLite

// Chapter 9: offline records become a settlement statement.
extension Story {
    private var platform: StoryHTTP { StoryHTTP(base: "http://\(settings.platform.host):\(settings.platform.port)") }

    private func token(_ name: String) throws -> String {
        guard let token = try AccessTokens.token(of: name, in: settings.platform.tokens) else {
            throw StoryMismatch("no access token of \(name) in \(settings.platform.tokens)")
        }
        return token
    }

    func money(_ notes: inout StoryNotes) async throws {
        let fleet = desk + "/fleet"
        try FileManager.default.createDirectory(atPath: fleet, withIntermediateDirectories: true)
        try await doors.kmsd(
            [
                "card-simulator", "fleet", "--seed", String(seed), "--records", String(records), "--tac-master",
                demo + "/fleet-tac-master.json", "--out", fleet,
            ])
        let (clerk, uploader) = (try token("clerk"), try token("pos"))
        let merchant = try await merchants(fleet, clerk)
        let csv = try Data(contentsOf: URL(filePath: fleet + "/records.csv"))
        notes.tell("simulated fleet: \(records) offline records, seed \(seed)")

        let batch = try await upload(csv, uploader)
        try expect(batch.isNew, "the first upload must be new")
        let done = try await waitForBatch(batch.id, uploader)
        for name in ["lines", "verified", "posted", "suspended", "rejected"] {
            notes.publish("batch.\(name)", "\(done[name] ?? "")")
        }
        notes.tell(
            "TACs verified through the crypto service; posted \(done["posted"] ?? "?"), suspended \(done["suspended"] ?? "?"), rejected \(done["rejected"] ?? "?")"
        )
        try await compareBad(batch.id, truth: fleet + "/truth.csv", uploader, &notes)

        let before = try await platform.get("/v1/ledger/check", token: clerk).text
        let again = try await upload(csv, uploader)
        try expect(!again.isNew && again.id == batch.id, "the second upload must be recognised")
        let after = try await platform.get("/v1/ledger/check", token: clerk).text
        try expect(before == after, "uploading the same batch again changed the ledger")
        notes.tell("the same batch uploaded again: recognised, the ledger is unchanged")

        try await statement(merchant, clerk, &notes)
        try await settlePurchase(clerk, uploader, &notes)
    }

    /// The 12.50 yuan of chapter 7 reach the books and a merchant's statement.
    private func settlePurchase(_ clerk: String, _ uploader: String, _ notes: inout StoryNotes) async throws {
        let bought = try POSRecord.load(desk + "/purchase.json")
        _ = try await platform.post(
            "/v1/merchants", token: clerk, ["merchant_no": "M2001", "name": "Canteen One", "rate_bp": 60])
        _ = try await platform.post(
            "/v1/terminals", token: clerk,
            ["terminal_no": bought.terminal, "merchant_no": "M2001", "psam_no": bought.psam])
        let opening =
            "card_asn,opening_balance_fen,first_seq\n\(bought.card),\(bought.balanceBefore),\(bought.cardSequence)\n"
        let opened = try await platform.send(
            .POST, "/v1/openings", token: clerk, body: Data(opening.utf8), type: "text/csv")
        try expect(opened.status == 200, "POST /v1/openings: \(opened.text)")
        let answer = try await platform.post(
            "/v1/records", token: uploader,
            [
                "record_id": "1", "terminal_no": bought.terminal, "psam_no": bought.psam,
                "terminal_txn": "\(bought.terminalTransaction)", "card_asn": bought.card,
                "card_seq": "\(bought.cardSequence)",
                "amount_fen": "\(bought.amount)", "balance_after_fen": "\(bought.balanceAfter)",
                "txn_type": bought.type,
                "date": bought.date, "time": bought.time, "key_version": "1", "tac": bought.tac,
            ])
        try expect(answer["outcome"] as? String == "posted", "the POS purchase: \(answer)")
        let (from, to) = (Self.dashed(bought.date), Self.dashed(bought.date))
        let csv = try await platform.get("/v1/merchants/M2001/statement.csv?from=\(from)&to=\(to)", token: clerk)
        try csv.body.write(to: URL(filePath: "\(desk)/statement-M2001.csv"))
        try expect(csv.text.contains(",1250,"), "the statement of M2001 does not show 1250 fen:\n\(csv.text)")
        notes.tell("the POS purchase of chapter 7: TAC verified, posted, on the statement of merchant M2001")
        notes.publish("purchase.outcome", "posted")
    }

    private static func dashed(_ date: String) -> String {
        "\(date.prefix(4))-\(date.dropFirst(4).prefix(2))-\(date.suffix(2))"
    }

    /// Merchants and terminals of the fleet; the number of the first merchant.
    private func merchants(_ fleet: String, _ clerk: String) async throws -> String {
        let terminals = try String(contentsOfFile: fleet + "/terminals.csv", encoding: .utf8)
        var numbers: [String: String] = [:]
        for line in terminals.split(separator: "\n").dropFirst() {
            let name = String(line.split(separator: ",", maxSplits: 2).last ?? "")
            if numbers[name] != nil { continue }
            let number = "M" + String(1000 + numbers.count + 1)
            numbers[name] = number
            _ = try await platform.post(
                "/v1/merchants", token: clerk, ["merchant_no": number, "name": name, "rate_bp": 60])
        }
        for (path, file) in [("/v1/terminals", "terminals.csv"), ("/v1/openings", "cards.csv")] {
            let answer = try await platform.send(
                .POST, path, token: clerk, body: try Data(contentsOf: URL(filePath: "\(fleet)/\(file)")),
                type: "text/csv")
            try expect((200..<300).contains(answer.status), "POST \(path): \(answer.text)")
        }
        return "M1001"
    }

    private func upload(_ csv: Data, _ uploader: String) async throws -> (id: String, isNew: Bool) {
        let answer = try await platform.send(.POST, "/v1/batches", token: uploader, body: csv, type: "text/csv")
        try expect((200..<300).contains(answer.status), "upload: \(answer.status) \(answer.text)")
        let object = try answer.object()
        return ("\(object["id"] ?? "")", object["is_new"] as? Bool ?? false)
    }

    /// Polls with a limit of three minutes, and says how far it is.
    private func waitForBatch(_ id: String, _ uploader: String) async throws -> [String: Any] {
        for turn in 0..<900 {
            let state = try await platform.get("/v1/batches/\(id)", token: uploader).object()
            if state["state"] as? String == "complete" { return state }
            if turn % 25 == 24 {
                Terminal.say(
                    "    … \(state["state"] ?? "?"): verified \(state["verified"] ?? "?"), posted \(state["posted"] ?? "?") \(state["problem"] as? String ?? "")"
                )
            }
            try await Task.sleep(for: .milliseconds(200))
        }
        throw StoryMismatch("the batch was not complete after three minutes")
    }

    /// The bad ones that were found against the simulation's own list.
    private func compareBad(_ id: String, truth: String, _ uploader: String, _ notes: inout StoryNotes) async throws {
        let answer = try await platform.get("/v1/batches/\(id)/bad", token: uploader)
        let bad = try JSONSerialization.jsonObject(with: answer.body) as? [[String: Any]] ?? []
        let lines = try String(contentsOfFile: truth, encoding: .utf8).split(separator: "\n").dropFirst()
        try expect(bad.count == lines.count, "\(bad.count) bad records found, the simulation made \(lines.count)")
        // Record n stands in line n + 1, behind the header.
        let wrong = Set(lines.compactMap { Int($0.split(separator: ",")[0]) })
        let found = Set(bad.compactMap { $0["line"] as? Int })
        try expect(
            found == wrong || found == Set(wrong.map { $0 + 1 }),
            "the records found are not those that the simulation spoilt")
        var reasons: [String: Int] = [:]
        for one in bad { reasons["\(one["fault"] ?? "")", default: 0] += 1 }
        let text = reasons.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }.joined(separator: ", ")
        notes.tell("\(bad.count) bad records, exactly those that were spoilt: \(text)")
        notes.publish("bad", text)
    }

    private func statement(_ merchant: String, _ clerk: String, _ notes: inout StoryNotes) async throws {
        let period = "from=2026-03-01&to=2026-03-31"
        let csv = try await platform.get("/v1/merchants/\(merchant)/statement.csv?\(period)", token: clerk)
        let data = try await platform.get("/v1/merchants/\(merchant)/statement?\(period)", token: clerk).object()
        let page = try await platform.get(
            "/merchants/\(merchant)/statement?\(period)&lang=zh", token: clerk, language: "zh")
        try expect(
            page.text.contains("<svg") && page.text.contains("结算"), "the statement page is not what it should be")
        try csv.body.write(to: URL(filePath: "\(desk)/statement-\(merchant).csv"))
        try page.body.write(to: URL(filePath: "\(desk)/statement-\(merchant).html"))
        let check = try await platform.get("/v1/ledger/check", token: clerk).object()
        try expect(check["is_right"] as? Bool == true, "the ledger check found: \(check["findings"] ?? "")")
        notes.tell(
            "statement of merchant \(merchant): page and CSV, sums from the ledger; debits = credits = \(check["debits_fen"] ?? "?") fen"
        )
        notes.publish("ledger.debits", "\(check["debits_fen"] ?? "")")
        notes.publish("ledger.credits", "\(check["credits_fen"] ?? "")")
        for (name, value) in data where !(value is [Any]) && !(value is [String: Any]) {
            notes.publish("statement.\(name)", "\(value)")
        }
    }
}
