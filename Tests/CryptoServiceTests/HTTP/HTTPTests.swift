import Foundation
import HSMBridge
import HummingbirdTesting
import Logging
import Testing

@testable import CryptoService
@testable import Hummingbird
@testable import KMS

/// The routes, on the application as it is served.
struct HTTPTests {
    /// A world with a client of its own for HTTP, and its token.
    private static let door = Task { () -> (CryptoHTTPServer, String) in
        let world = try await World.make()
        let token = try await world.centre.createClient("web", description: "", by: World.conf)
        for product in ["pos", "purse", "kek"] {
            try await world.centre.grant(
                .product(issuer: "canteen", product: product),
                Set(ServiceOperation.allCases).subtracting([.generateMAC]),
                to: "web", by: World.conf)
        }
        let module = ModuleBridge(path: world.socket, lanes: 2)
        return (
            CryptoHTTPServer(world.settings, centre: world.centre, module: module, logger: Logger(label: "test")), token
        )
    }

    struct Answer: Sendable {
        let status: Int
        let contentType: String?
        let values: [String: JSONValue]

        func text(_ name: String) -> String? { if case .text(let text) = values[name] { text } else { nil } }
    }

    private static func ask(
        _ path: String, _ body: String?, token: String? = nil, bearer: Bool = true
    ) async throws -> Answer {
        let (server, own) = try await door.value
        return try await server.application().test(.router) { client in
            var headers: HTTPFields = [.contentType: "application/json"]
            if bearer { headers[.authorization] = "Bearer \(token ?? own)" }
            let method: HTTPRequest.Method = body == nil ? .get : .post
            return try await client.execute(
                uri: path, method: method, headers: headers, body: body.map { ByteBuffer(string: $0) }
            ) { response in
                let bytes = Array(response.body.readableBytesView)
                let value = try JSONDecoder().decode(JSONValue.self, from: Data(bytes))
                guard case .object(let values) = value else { throw CocoaError(.coderReadCorrupt) }
                return Answer(
                    status: response.status.code, contentType: response.headers[.contentType], values: values)
            }
        }
    }

    private static let record = "000004E2060011223344550000000920161216134600"

    @Test(arguments: [("C5B780D7", "verified"), ("C5B780D6", "verification failed"), ("C5B780D7B0AF15D2", nil)])
    func `A MAC is verified or not, and both are answers`(mac: String, result: String?) async throws {
        let data = Hex.encode(Array("Now is the time for all ".utf8))
        let answer = try await Self.ask(
            "/v1/mac/verify",
            #"{"key":"canteen/pos/mac","algorithm":"algorithm3","padding":"method1","data":"\#(data)","mac":"\#(mac)"}"#
        )
        #expect(answer.status == 200)
        #expect(answer.text("result") == result || result == nil)
    }

    @Test(arguments: [("F47F70FE", "verified"), ("F47F70FF", "verification failed")])
    func `A TAC is verified or not, and both are answers`(tac: String, result: String) async throws {
        let answer = try await Self.ask(
            "/v1/tac/verify",
            #"{"key":"canteen/purse/tac","factors":["1122334455667788"],"data":"\#(Self.record)","tac":"\#(tac)"}"#)
        #expect(answer.status == 200)
        #expect(answer.text("result") == result)
    }

    @Test func `A batch of TACs is answered record by record`() async throws {
        let records = ["1122334455667788", "1122334455667789"].map {
            #"{"factors":["\#($0)"],"data":"\#(Self.record)","tac":"F47F70FE"}"#
        }
        let answer = try await Self.ask(
            "/v1/tac/batch", #"{"key":"canteen/purse/tac","records":[\#(records.joined(separator: ","))]}"#)
        guard case .list(let results) = answer.values["results"], results.count == 2,
            case .text(let first) = results[0],
            case .text(let second) = results[1]
        else {
            Issue.record("no results")
            return
        }
        #expect([first, second] == ["verified", "verification failed"])
    }

    @Test func `A load is authorised with MAC2 only where MAC1 is right`() async throws {
        func body(_ mac1: String) -> String {
            #"{"key":"canteen/purse/load","factors":["1122334455667788"],"random":"11223344","online_sequence":0,"#
                + #""old_balance":0,"amount":4096,"type":"01","terminal":"001122334455","mac1":"\#(mac1)","#
                + #""date":"20111221","time":"214822"}"#
        }
        let right = try await Self.ask("/v1/purse/load", body("94DC7FAD"))
        #expect(right.text("result") == "verified" && right.text("mac2") == "1082AB41")
        let wrong = try await Self.ask("/v1/purse/load", body("94DC7FAC"))
        #expect(wrong.status == 200)
        #expect(wrong.text("result") == "verification failed" && wrong.values["mac2"] == nil)
    }

    @Test func `A purchase has its MAC1, and its MAC2 is checked`() async throws {
        let common =
            #""factors":["1122334455667788"],"random":"584633C9","offline_sequence":7,"terminal_transaction":9,"amount":1250"#
        let mac1 = try await Self.ask(
            "/v1/purse/purchase-mac",
            #"{"key":"canteen/purse/pay",\#(common),"type":"06","terminal":"001122334455","date":"20161216","time":"134600"}"#
        )
        #expect(mac1.text("mac1") == "95172757")
        for (mac2, result) in [("2FA2858A", "verified"), ("2FA2859A", "verification failed")] {
            let check = try await Self.ask(
                "/v1/purse/purchase-check", #"{"key":"canteen/purse/pay",\#(common),"mac2":"\#(mac2)"}"#)
            #expect(check.text("result") == result)
        }
    }

    @Test func `A diversified key comes as a block with its check value`() async throws {
        let answer = try await Self.ask(
            "/v1/keys/diversify",
            #"{"key":"canteen/purse/tac","factors":["1122334455667788"],"transport_key":"canteen/kek/bank"}"#)
        #expect(answer.text("check_value") == "EFD5E1")
        #expect(answer.text("block")?.hasPrefix("B0") == true)
    }

    @Test func `Status, health, readiness and the OpenAPI document are there`() async throws {
        #expect(try await Self.ask("/v1/status", nil).text("module") == "operational")
        #expect(try await Self.ask("/healthz", nil, bearer: false).status == 200)
        #expect(try await Self.ask("/readyz", nil, bearer: false).text("status") == "ready")
        let document = try await Self.ask("/v1/openapi.json", nil, bearer: false)
        #expect(document.text("openapi") == "3.1.0")
        guard case .object(let paths) = document.values["paths"] else {
            Issue.record("no paths")
            return
        }
        #expect(Set(paths.keys) == Set(ServiceRoute.all.map(\.path) + ["/v1/status"]))
    }

    @Test(arguments: [
        // What was not granted, what is not there, what is not the key's use.
        (
            "/v1/mac/generate", #"{"key":"canteen/pos/mac","algorithm":"algorithm3","padding":"method1","data":""}"#,
            403, "29"
        ),
        ("/v1/random", #"{"count":8}"#, 403, "29"),
        (
            "/v1/mac/verify",
            #"{"key":"canteen/closed/mac","algorithm":"algorithm3","padding":"method1","data":"","mac":"00000000"}"#,
            403, "29"
        ),
        (
            "/v1/mac/verify",
            #"{"key":"canteen/pos/nobody","algorithm":"algorithm3","padding":"method1","data":"","mac":"00000000"}"#,
            404, "21"
        ),
        (
            "/v1/mac/verify",
            #"{"key":"canteen/kek/bank","algorithm":"algorithm3","padding":"method1","data":"","mac":"00000000"}"#, 403,
            "A6"
        ),
        // What is not as it should be.
        ("/v1/tac/verify", "not json", 400, "15"), ("/v1/tac/verify", "[]", 400, "15"),
        ("/v1/tac/verify", #"{"key":"canteen/purse/tac","factors":["1122334455667788"],"data":"00"}"#, 400, "15"),
        ("/v1/tac/verify", #"{"key":"canteen/purse/tac","factors":["11"],"data":"00","tac":"00000000"}"#, 400, "15"),
        ("/v1/tac/verify", #"{"key":"canteen/purse/tac","factors":[],"data":"00","tac":"00000000"}"#, 400, "15"),
        (
            "/v1/tac/verify",
            #"{"key":"canteen/purse/tac","factors":["1122334455667788"],"data":"0","tac":"00000000"}"#, 400, "15"
        ),
        ("/v1/random", #"{"count":8,"more":1}"#, 400, "15"), ("/v1/random", #"{"count":"8"}"#, 400, "15"),
    ])
    func `A refusal is problem details with the host error code`(
        path: String, body: String, status: Int, code: String
    ) async throws {
        let answer = try await Self.ask(path, body)
        #expect(answer.status == status)
        #expect(answer.text("code") == code)
        #expect(answer.contentType == "application/problem+json")
        #expect(answer.text("detail")?.isEmpty == false)
    }

    @Test func `Without the token of a client nothing is answered`() async throws {
        for (bearer, token) in [(false, ""), (true, ""), (true, String(repeating: "0", count: 64))] {
            let answer = try await Self.ask("/v1/random", #"{"count":8}"#, token: token, bearer: bearer)
            #expect(answer.status == 401)
        }
    }

    @Test func `A body beyond the limit is refused`() async throws {
        let answer = try await Self.ask("/v1/random", String(repeating: " ", count: 4 << 20) + #"{"count":8}"#)
        #expect(answer.status == 413)
    }
}
