import Foundation
import Hummingbird
import HummingbirdTesting
import Testing

@testable import PlatformLite

struct StatementTests {
    /// What a bookkeeper would write down from the raw file alone, without our types.
    private struct Recount {
        var records = 0
        var gross = 0
        var fee = 0

        static func of(_ lines: [String], terminals: Set<String>, basisPoints: Int, dates: ClosedRange<Int>) -> Recount
        {
            var sum = Recount()
            for line in lines {
                let cells = line.components(separatedBy: ",")
                guard terminals.contains(cells[1]), let date = Int(cells[9]), dates.contains(date),
                    let fen = Int(cells[6])
                else { continue }
                sum.records += 1
                sum.gross += fen
                let (whole, rest) = (fen * basisPoints).quotientAndRemainder(dividingBy: 10_000)
                sum.fee += rest * 2 >= 10_000 ? whole + 1 : whole
            }
            return sum
        }
    }

    @Test func `The statement's sums are those of the raw file, the CSV and the ledger`() async throws {
        try await WebClient.with("sums") { web in
            try await web.prepare()
            let good = Scenario.purchases(900, cards: 30, seed: 21)
            let bad = [
                Scenario.record(terminal: 0, transaction: 1, card: 801, sequence: 1, fen: 99_999, tac: 3), good[5],
                Scenario.record(transaction: 8, card: 802, sequence: 1, fen: 88_888, unknownTerminal: true), "rubbish",
            ]
            try await web.upload(good + bad)
            for (merchant, rate) in Scenario.merchants {
                guard let index = Int(merchant.dropFirst()) else { continue }
                let terminals = Set(Scenario.terminals[(2 * index - 2)...(2 * index - 1)])
                for (query, dates) in [("", 0...99_999_999), ("?from=2026-11-19&to=20261119", 20_261_119...20_261_119)]
                {
                    let expected = Recount.of(good, terminals: terminals, basisPoints: rate, dates: dates)
                    let csv = try await web.get("/v1/merchants/\(merchant)/statement.csv\(query)")
                    let rows = csv.split(separator: "\r\n").map {
                        $0.split(separator: ",", omittingEmptySubsequences: false)
                    }
                    let total = try #require(rows.first { $0[0] == "total" })
                    let net = expected.gross - expected.fee
                    #expect(
                        total[4...].joined(separator: ",")
                            == "\(expected.records),\(expected.gross),\(expected.fee),\(net)")
                    for column in 4...7 {
                        let details = rows.filter { $0[0] == "detail" }.compactMap { Int($0[column]) }.reduce(0, +)
                        #expect("\(details)" == total[column])
                    }
                    #expect(rows.allSatisfy { $0.count == 8 })
                    if query.isEmpty {
                        #expect(
                            try await web.get("/v1/ledger/accounts?prefix=merchant:\(merchant)")
                                == #"[{"account":"merchant:\#(merchant)","balance_fen":\#(-net)}]"#)
                    }
                }
            }
            #expect(try await web.get("/v1/ledger/check").contains(#""findings":[],"is_right":true"#))
            #expect(try await web.send(.get, "/v1/merchants/M9/statement", as: .auditor).status == .notFound)
            #expect(
                try await web.send(.get, "/v1/merchants/M1/statement?from=2026-02-30", as: .auditor).status
                    == .badRequest)
        }
    }

    @Test func `A statement says until when it is complete, and which numbers are missing`() async throws {
        try await WebClient.with("until") { web in
            try await web.prepare()
            try await web.upload([
                Scenario.record(
                    terminal: 0, transaction: 5, card: 1, sequence: 1, fen: 100, date: 20_261_119, time: 81_500),
                Scenario.record(
                    terminal: 0, transaction: 9, card: 1, sequence: 2, fen: 100, date: 20_261_120, time: 81_500),
            ])
            #expect(try await web.get("/v1/merchants/M1/statement").contains(#""complete_until""#) == false)
            #expect(try await web.get("/merchants/M1/statement?lang=en").contains("a terminal has never uploaded"))
            try await web.upload([
                Scenario.record(
                    terminal: 1, transaction: 1, card: 2, sequence: 1, fen: 100, date: 20_261_119, time: 235_959)
            ])
            let json = try await web.get("/v1/merchants/M1/statement")
            #expect(json.contains(#""complete_until":"2026-11-19 23:59:59""#))
            #expect(json.contains(#""missing_numbers":3,"terminal_no":"0000000000A1""#))
            #expect(try await web.get("/merchants/M1/statement?lang=zh").contains("数据完整截至: <b>2026-11-19 23:59:59</b>"))
        }
    }

    @Test(.enabled(if: FileManager.default.isExecutableFile(atPath: "/usr/bin/hledger")))
    func `Hledger adds the journal up to the same balances`() async throws {
        try await WebClient.with("hledger") { web in
            try await web.prepare()
            let records = Scenario.purchases(300, cards: 10, seed: 31).enumerated().filter { $0.offset % 29 != 11 }
            try await web.upload(records.map(\.element).reversed())
            _ = try await web.send(.post, "/v1/postings/7/reversal", as: .clerk, body: #"{"memo":"a; b | c"}"#)
            let path = "/tmp/kmsd-hledger-\(UInt32.random(in: 0 ... .max)).journal"
            try await web.get("/v1/ledger.journal").write(toFile: path, atomically: true, encoding: .utf8)
            defer { try? FileManager.default.removeItem(atPath: path) }
            let hledger = Process()
            hledger.executableURL = URL(filePath: "/usr/bin/hledger")
            hledger.arguments = ["-f", path, "balance", "--flat", "-E", "-N", "-O", "csv"]
            let pipe = Pipe()
            hledger.standardOutput = pipe
            try hledger.run()
            let output = try #require(try pipe.fileHandleForReading.readToEnd())
            hledger.waitUntilExit()
            #expect(hledger.terminationStatus == 0)
            var theirs: [String: String] = [:]
            for row in String(decoding: output, as: UTF8.self).split(separator: "\n").dropFirst() {
                let cells = row.replacing("\"", with: "").split(separator: ",")
                guard let amount = cells.last.map({ String($0).replacing(" CNY", with: "") }) else { continue }
                theirs[String(cells[0])] = amount == "0" ? "0.00" : amount
            }
            var ours: [String: String] = [:]
            for (name, balance) in try await web.office.balances() {
                let account = try #require(AccountName(text: name))
                ours[account.hledger] = balance.description
            }
            #expect(ours.count > 12)
            #expect(theirs == ours)
        }
    }
}
