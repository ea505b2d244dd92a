import Foundation
import FoundationXML
import Hummingbird
import HummingbirdTesting
import Testing

@testable import PlatformLite

struct PageTests {
    private static let paths = ["/", "/batches", "/bad", "/merchants", "/merchants/M1/statement", "/ledger", "/login"]

    @Test func `Every page is well-formed, in both languages, with the facts on it`() async throws {
        try await WebClient.with("pages") { web in
            try await web.prepare()
            let records = Scenario.purchases(120, cards: 6, seed: 41)
            try await web.upload(records + ["<script>alert(1)</script>"])
            let batch = try #require(try await web.office.latestBatches().first)
            for path in Self.paths + ["/batches/\(batch.id)"] {
                for (language, tag, brand) in [("zh", "zh-CN", "一卡通结算平台"), ("en", "en", "One-card back office")] {
                    let html = try await web.get("\(path)?lang=\(language)")
                    #expect(html.contains("<html lang=\"\(tag)\">"))
                    #expect(html.contains(brand))
                    #expect(!html.contains("{{") && !html.contains("<script"))
                    let parser = XMLParser(data: Data(html.utf8))
                    #expect(parser.parse(), "\(path) \(language): \(parser.parserError.map { "\($0)" } ?? "")")
                }
            }
            let done = try await web.get("/batches/\(batch.id)?lang=en")
            #expect(!done.contains("alarm") && !done.contains("Go on now"))
            #expect(try await web.get("/bad?lang=en").contains("&lt;script&gt;"))
            #expect(try await web.get("/merchants").contains("食堂 &lt;M1&gt;"))
            let statement = try await web.office.statement(of: "M1", from: nil, to: nil)
            let page = try await web.get("/merchants/M1/statement?lang=zh")
            #expect(page.contains("<b>\(statement.totals.net.grouped)</b>"))
            #expect(page.contains("<svg class=\"plot\""))
            #expect(page.matches(of: /<rect class="bar"/).count == 3)
            #expect(try await web.get("/ledger?lang=en").contains("The books are right"))
            #expect(try await web.send(.get, "/nothing?lang=en", as: .auditor).text.contains("404 Not Found"))
        }
    }

    @Test func `A batch that waits says why and offers to go on`() async throws {
        let verifier = ScriptedVerifier()
        verifier.setAway(.sealed)
        try await WebClient.with("waitpage", verifier: verifier) { web in
            try await web.prepare()
            let records = Scenario.purchases(5, cards: 2, seed: 42)
            let id = try await web.office.upload(Scenario.csv(records), id: "b-1", by: "test").status.id
            await #expect(throws: VerificationFailure.sealed) { try await web.office.process(id) }
            let page = try await web.get("/batches/b-1?lang=en")
            #expect(page.contains("<p class=\"alarm\">the security module is sealed</p>"))
            #expect(page.contains("waiting for verification") && page.contains("Go on now"))
            #expect(try await web.get("/?lang=zh").contains("<a href=\"/batches/b-1\">"))
        }
    }

    @Test func `A fresh office has pages too`() async throws {
        try await WebClient.with("empty") { web in
            for path in ["/", "/batches", "/bad", "/merchants", "/ledger"] {
                let html = try await web.get(path)
                #expect(XMLParser(data: Data(html.utf8)).parse())
            }
        }
    }

    @Test func `People log in with their token and act only from our own pages`() async throws {
        try await WebClient.with("login") { web in
            let refused = try await web.send(
                .post, "/login", as: nil, body: "token=00", type: "application/x-www-form-urlencoded")
            #expect(refused.status == .unauthorized)
            #expect(refused.text.contains("令牌不正确"))
            let token = try #require(web.tokens[.uploader])
            let login = try await web.send(
                .post, "/login", as: nil, body: "token=\(token)", type: "application/x-www-form-urlencoded")
            #expect(login.status == .seeOther)
            let cookie = try #require(login.headers[.setCookie])
            for part in ["HttpOnly", "SameSite=Strict", "Path=/", "Max-Age=28800"] { #expect(cookie.contains(part)) }
            #expect(!cookie.contains(token))
            var headers: HTTPFields = [:]
            headers[.cookie] = String(cookie.prefix { $0 != ";" })
            let page = try await web.send(.get, "/?lang=en", as: nil, headers: headers)
            #expect(page.status == .ok)
            #expect(page.text.contains("the-uploader (uploader)"))
            #expect(try await web.send(.post, "/batches/x/continue", as: nil, headers: headers).status == .forbidden)
            headers[.secFetchSite] = "cross-site"
            #expect(try await web.send(.post, "/logout", as: nil, headers: headers).status == .forbidden)
            headers[.secFetchSite] = "same-origin"
            #expect(try await web.send(.post, "/batches/x/continue", as: nil, headers: headers).status == .seeOther)
            #expect(try await web.send(.post, "/logout", as: nil, headers: headers).status == .seeOther)
            #expect(try await web.send(.get, "/", as: nil, headers: headers).headers[.location] == "/login")
        }
    }

    @Test func `Every answer carries the headers that keep browsers from harm`() async throws {
        try await WebClient.with("headers") { web in
            for path in ["/login", "/", "/v1/merchants", "/v1/nothing", "/style.css"] {
                let headers = try await web.send(.get, path, as: nil).headers
                #expect(headers[.contentSecurityPolicy]?.contains("default-src 'none'") == true)
                #expect(headers[.xContentTypeOptions] == "nosniff")
                #expect(headers[.frameOptions] == "DENY")
                #expect(headers[.cacheControl] != nil)
            }
        }
    }

    @Test(arguments: [
        ("/login", "en-US,en;q=0.9", "en"), ("/login", "fr,zh-TW", "zh-CN"), ("/login", "", "zh-CN"),
        ("/login?lang=en", "zh", "en"), ("/login?lang=xx", "en", "en"),
    ])
    func `The language is the one asked for`(path: String, accept: String, tag: String) throws {
        var headers: HTTPFields = [:]
        headers[.acceptLanguage] = accept
        let request = Request(
            head: .init(method: .get, scheme: nil, authority: nil, path: path, headerFields: headers),
            body: .init(buffer: ByteBuffer()))
        #expect(Language(of: request).tag == tag)
    }

    @Test func `Every word on a template is in the table of phrases`() throws {
        let known = Set(Phrases.table.map(\.key))
        #expect(known.count == Phrases.table.count)
        for (name, text) in Templates.all {
            for match in text.matches(of: /{{t\.([A-Za-z-]+)}}/) {
                #expect(known.contains(String(match.output.1)), "\(name) asks for \(match.output.1)")
            }
        }
        for key in RecordFault.allCases.map(\.rawValue) + Meal.allCases.map(\.rawValue) { #expect(known.contains(key)) }
        for phrase in Phrases.table { #expect(phrase.chinese.unicodeScalars.contains { $0.value > 0x2E80 }) }
    }

    @Test func `The plot draws what it is given and nothing for nothing`() throws {
        let first = try #require(BusinessDate("2026-12-30"))
        let last = try #require(BusinessDate("2027-01-02"))
        #expect(TakingsPlot.svg([], title: "x") == "")
        let svg = TakingsPlot.svg([(first, Amount(fen: 100)), (last, Amount(fen: 50))], title: "x")
        #expect(svg.matches(of: /<rect/).count == 4)
        #expect(svg.contains("height=\"180\"") && svg.contains("height=\"90\"") && svg.contains("height=\"0\""))
        #expect(XMLParser(data: Data(svg.utf8)).parse())
    }
}
