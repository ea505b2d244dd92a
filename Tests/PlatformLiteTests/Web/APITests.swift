import Foundation
import FoundationXML
import Hummingbird
import HummingbirdTesting
import Testing

@testable import PlatformLite

struct APITests {
    @Test func `Nobody gets in without a token, and each role does its own only`() async throws {
        try await WebClient.with("doors") { web in
            for uri in [
                "/v1/merchants", "/v1/batches", "/v1/ledger/check", "/v1/ledger.journal", "/v1/ledger/accounts",
            ] {
                let refused = try await web.send(.get, uri, as: nil)
                #expect(refused.status == .unauthorized)
                #expect(refused.headers[.contentType] == "application/problem+json")
                #expect(try await web.send(.get, uri, as: .auditor).status == .ok)
            }
            var stranger: HTTPFields = [:]
            stranger[.authorization] = "Bearer " + String(repeating: "0", count: 64)
            #expect(try await web.send(.get, "/v1/merchants", as: nil, headers: stranger).status == .unauthorized)
            let merchant = #"{"merchant_no":"M9","name":"x","rate_bp":1}"#
            for role in [StaffRole.uploader, .auditor] {
                #expect(try await web.send(.post, "/v1/merchants", as: role, body: merchant).status == .forbidden)
            }
            for role in [StaffRole.clerk, .auditor] {
                #expect(
                    try await web.send(.post, "/v1/batches", as: role, body: "x", type: "text/csv").status == .forbidden
                )
            }
            #expect(try await web.send(.get, "/", as: nil).headers[.location] == "/login")
            #expect(try await web.send(.get, "/healthz", as: nil).status == .ok)
            #expect(try await web.send(.get, "/readyz", as: nil).status == .ok)
        }
    }

    @Test func `Setting up twice changes nothing, and other content is a conflict`() async throws {
        try await WebClient.with("setup") { web in
            try await web.prepare()
            let same = #"{"merchant_no":"M1","name":"食堂 <M1>","rate_bp":60}"#
            #expect(try await web.send(.post, "/v1/merchants", as: .clerk, body: same).status == .ok)
            let other = #"{"merchant_no":"M1","name":"食堂 <M1>","rate_bp":61}"#
            #expect(try await web.send(.post, "/v1/merchants", as: .clerk, body: other).status == .conflict)
            for bad in [
                #"{"merchant_no":"M 1","name":"x","rate_bp":61}"#, #"{"merchant_no":"M4","name":"","rate_bp":61}"#,
                #"{"merchant_no":"M4","name":"x","rate_bp":10001}"#,
            ] {
                #expect(
                    try await web.send(.post, "/v1/merchants", as: .clerk, body: bad).status == .unprocessableContent)
            }
            #expect(try await web.send(.post, "/v1/merchants", as: .clerk, body: "{").status == .badRequest)
            let orphan = #"{"terminal_no":"0000000000B1","merchant_no":"M7"}"#
            #expect(
                try await web.send(.post, "/v1/terminals", as: .clerk, body: orphan).status == .unprocessableContent)
            let load = #"{"card_asn":"62170000000000000001","amount_fen":10000,"date":"2026-11-20"}"#
            #expect(try await web.send(.post, "/v1/loads", as: .clerk, body: load).status == .badRequest)
            var key: HTTPFields = [:]
            key[.idempotencyKey] = "load-1"
            #expect(try await web.send(.post, "/v1/loads", as: .clerk, body: load, headers: key).status == .created)
            #expect(try await web.send(.post, "/v1/loads", as: .clerk, body: load, headers: key).status == .ok)
            let more = load.replacing("10000", with: "10001")
            #expect(try await web.send(.post, "/v1/loads", as: .clerk, body: more, headers: key).status == .conflict)
            let cards = "card_asn,opening_balance_fen,first_seq\n62170000000000000001,500,7\n62170000000000000002,0,1\n"
            let opened = try await web.send(.post, "/v1/openings", as: .clerk, body: cards, type: "text/csv")
            #expect(opened.text == #"{"given":2,"made":1}"#)
            let again = try await web.send(.post, "/v1/openings", as: .clerk, body: cards, type: "text/csv")
            #expect(again.text == #"{"given":2,"made":0}"#)
            #expect(
                try await web.get("/v1/ledger/accounts?prefix=purse")
                    == #"[{"account":"purse:62170000000000000001","balance_fen":-10500}]"#)
        }
    }

    @Test func `A batch goes in, its progress and its bad records come out`() async throws {
        try await WebClient.with("batchapi") { web in
            try await web.prepare()
            let records = Scenario.purchases(40, cards: 4, seed: 11)
            let response = try await web.upload(
                records + [Scenario.record(transaction: 1, card: 9, sequence: 1, fen: 5, tac: 7)])
            #expect(response.status == .accepted)
            let location = try #require(response.headers[.location])
            let status = try await web.get(location)
            for part in [#""posted":40"#, #""rejected":1"#, #""state":"complete""#, #""lines":41"#] {
                #expect(status.contains(part))
            }
            #expect(try await web.get(location + "/bad").contains(#""fault":"wrongTAC","line":41"#))
            let csv = try await web.get(location + "/bad.csv").split(separator: "\r\n")
            #expect(csv.count == 2)
            #expect(csv[1].contains(",41,wrongTAC,,\"r-0000000000A1-1,"))
            let again = try await web.upload(
                records + [Scenario.record(transaction: 1, card: 9, sequence: 1, fen: 5, tac: 7)])
            #expect(again.status == .ok)
            #expect(again.text.contains(#""is_new":false"#))
            #expect(try await web.get("/v1/ledger/check").contains(#""is_right":true,"postings":40"#))
        }
    }

    @Test func `What is no upload is refused with its reason`() async throws {
        try await WebClient.with("badupload") { web in
            let cases: [(String, String, HTTPResponse.Status)] = [
                ("hello", "application/json", .unsupportedMediaType), ("hello", "text/csv", .badRequest),
                (RecordCSV.header + "\n", "text/csv", .badRequest),
                (String(repeating: "x", count: 8 * 1_024 * 1_024 + 1), "text/csv", .contentTooLarge),
            ]
            for (body, type, expected) in cases {
                let response = try await web.send(.post, "/v1/batches", as: .uploader, body: body, type: type)
                #expect(response.status == expected)
                #expect(response.text.contains(#""status":\#(expected.code)"#))
            }
            #expect(try await web.send(.get, "/v1/batches/nope", as: .auditor).status == .notFound)
            #expect(try await web.send(.get, "/v1/batches/%27%20OR%201=1", as: .auditor).status == .notFound)
            #expect(try await web.send(.get, "/v1/nothing", as: .auditor).status == .notFound)
            #expect(try await web.get("/v1/batches") == "[]")
        }
    }

    @Test func `A single record is verified and posted at once, and only once`() async throws {
        let verifier = ScriptedVerifier()
        try await WebClient.with("online", verifier: verifier) { web in
            try await web.prepare()
            func json(_ record: String) -> String {
                let pairs = zip(RecordCSV.columns, record.split(separator: ",")).map { "\"\($0)\":\"\($1)\"" }
                return "{" + pairs.joined(separator: ",") + "}"
            }
            let record = json(Scenario.record(terminal: 2, transaction: 5, card: 1, sequence: 3, fen: 1_250))
            let first = try await web.send(.post, "/v1/records", as: .uploader, body: record)
            #expect(first.status == .created)
            #expect(first.text.contains(#""outcome":"posted""#))
            let second = try await web.send(.post, "/v1/records", as: .uploader, body: record)
            #expect(second.status == .ok)
            #expect(second.text.contains(#""is_new":false,"outcome":"posted""#))
            let wrong = json(Scenario.record(terminal: 2, transaction: 6, card: 1, sequence: 4, fen: 1, tac: 1))
            let refused = try await web.send(.post, "/v1/records", as: .uploader, body: wrong)
            #expect(refused.text.contains(#""fault":"wrongTAC","is_new":true,"outcome":"rejected""#))
            let malformed = record.replacing("\"1250\"", with: "\"12.50\"")
            let answer = try await web.send(.post, "/v1/records", as: .uploader, body: malformed)
            #expect(answer.status == .unprocessableContent)
            #expect(answer.text.contains("amount_fen is malformed"))
            verifier.setAway(.sealed)
            let later = json(Scenario.record(terminal: 2, transaction: 7, card: 1, sequence: 5, fen: 300))
            let away = try await web.send(.post, "/v1/records", as: .uploader, body: later)
            #expect(away.status == .serviceUnavailable)
            #expect(away.text.contains("the security module is sealed"))
            verifier.setAway(nil)
            let back = try await web.send(.post, "/v1/records", as: .uploader, body: later)
            #expect(back.text.contains(#""outcome":"posted""#))
            #expect(
                try await web.get("/v1/ledger/accounts?prefix=merchant")
                    == #"[{"account":"merchant:M2","balance_fen":-1550}]"#)
        }
    }

    @Test func `A posting is taken back once`() async throws {
        try await WebClient.with("reversal") { web in
            try await web.prepare()
            try await web.upload([Scenario.record(transaction: 5, card: 1, sequence: 3, fen: 1_250)])
            let body = #"{"memo":"wrong dish"}"#
            let first = try await web.send(.post, "/v1/postings/1/reversal", as: .clerk, body: body)
            #expect(first.status == .created)
            #expect(first.text == #"{"posting":2}"#)
            #expect(try await web.send(.post, "/v1/postings/1/reversal", as: .clerk, body: body).status == .conflict)
            #expect(try await web.send(.post, "/v1/postings/2/reversal", as: .clerk, body: body).status == .conflict)
            #expect(try await web.send(.post, "/v1/postings/3/reversal", as: .clerk, body: body).status == .notFound)
            let accounts = try await web.get("/v1/ledger/accounts")
            #expect(accounts.matches(of: /"balance_fen":0/).count == 3)
            #expect(try await web.get("/v1/ledger/check").contains(#""is_right":true"#))
            #expect(try await web.get("/v1/merchants/M1/statement").contains(#""lines":[]"#))
        }
    }

    @Test func `The worker carries batches on by itself on a real socket`() async throws {
        try await WebClient.with("live", setup: .live) { web in
            try await web.prepare()
            let csv = String(decoding: Scenario.csv(Scenario.purchases(300, cards: 10, seed: 8)), as: UTF8.self)
            let response = try await web.send(.post, "/v1/batches", as: .uploader, body: csv, type: "text/csv")
            let location = try #require(response.headers[.location])
            var status = ""
            // Each question is a round trip, so this ends by itself when the worker does not work.
            for _ in 0..<5_000 where !status.contains("complete") { status = try await web.get(location) }
            #expect(status.contains(#""posted":300"#))
        }
    }
}
