import Foundation
import HSMBridge
import Testing

@testable import CryptoService

/// The operations, as a program on the other side of the port meets them.
struct HTTPTests {
    private static let record = "000004E2060011223344550000000920161216134600"
    private static let text = Hex.encode(Array("Now is the time for all ".utf8))

    private static func verify(_ mac: String, _ more: String = "") -> String {
        #"{"key":"canteen/pos/mac","algorithm":"algorithm3","padding":"method1","data":"\#(text)","mac":"\#(mac)"\#(more)}"#
    }

    private static func ask(_ path: String, _ body: String?) async throws -> HTTPAnswer {
        try await HTTPDoor.shared.value.ask(path, body)
    }

    @Test(arguments: [("C5B780D7", "verified"), ("c5b780d7", "verified"), ("C5B780D6", "verification failed")])
    func `A MAC is verified or not, and both are answers`(mac: String, result: String) async throws {
        let answer = try await Self.ask("/v1/mac/verify", Self.verify(mac))
        #expect(answer.status == 200 && answer.contentType == "application/json")
        #expect(answer.text("result") == result)
    }

    @Test func `Many MACs are verified in their order`() async throws {
        let records = ["C5B780D7", "C5B780D6", "C5B780D7"].map { #"{"data":"\#(Self.text)","mac":"\#($0)"}"# }
        let answer = try await Self.ask(
            "/v1/mac/batch",
            #"{"key":"canteen/pos/mac","algorithm":"algorithm3","padding":"method1","records":[\#(records.joined(separator: ","))]}"#
        )
        #expect(answer.texts("results") == ["verified", "verification failed", "verified"])
    }

    @Test func `A message in parts has the MAC of the whole message`() async throws {
        let door = try await HTTPDoor.open.value
        let first = try await door.ask(
            "/v1/mac/generate",
            #"{"key":"canteen/pos/mac","algorithm":"algorithm3","padding":"method1","part":"first","data":"\#(Self.text.prefix(32))"}"#
        )
        let chaining = try #require(first.text("chaining_value"))
        for (mac, result) in [("C5B780D7", "verified"), ("C5B780D6", "verification failed")] {
            let last = try await door.ask(
                "/v1/mac/verify",
                #"{"key":"canteen/pos/mac","algorithm":"algorithm3","padding":"method1","part":"last","#
                    + #""chaining_value":"\#(chaining)","data":"\#(Self.text.dropFirst(32))","mac":"\#(mac)"}"#)
            #expect(last.text("result") == result)
        }
    }

    /// Longer than a piece of the secret memory that the plain text stays in.
    @Test func `Long data are translated as one message, and the plain text is the same`() async throws {
        let door = try await HTTPDoor.open.value
        let plain = (0..<40_000).map { String(UInt8(truncatingIfNeeded: $0 &* 37 >> 3), radix: 16, uppercase: true) }
            .map { $0.count == 1 ? "0" + $0 : $0 }.joined()
        let vectors = (des: "0102030405060708", aes: "00112233445566778899AABBCCDDEEFF")
        func ask(_ path: String, _ fields: [String: String]) async throws -> HTTPAnswer {
            let body = try JSONSerialization.data(withJSONObject: fields)
            return try await door.ask(path, String(decoding: body, as: UTF8.self))
        }
        let sent = try await ask(
            "/v1/data/encrypt",
            ["key": "canteen/pos/data", "mode": "cbc", "initial_vector": vectors.des, "data": plain])
        let expected = try await ask(
            "/v1/data/encrypt",
            ["key": "canteen/pos/dataaes", "mode": "cbc", "initial_vector": vectors.aes, "data": plain])
        let translated = try await ask(
            "/v1/data/translate",
            [
                "source_key": "canteen/pos/data", "source_mode": "cbc", "source_vector": vectors.des,
                "destination_key": "canteen/pos/dataaes", "destination_mode": "cbc",
                "destination_vector": vectors.aes, "data": #require(sent.text("data")),
            ])
        #expect(expected.status == 200 && translated.body == expected.body)
    }

    @Test(arguments: [("F47F70FE", "verified"), ("F47F70FF", "verification failed")])
    func `A TAC is verified or not, and both are answers`(tac: String, result: String) async throws {
        let answer = try await Self.ask(
            "/v1/tac/verify",
            #"{"key":"canteen/purse/tac","factors":["1122334455667788"],"data":"\#(Self.record)","tac":"\#(tac)"}"#)
        #expect(answer.status == 200)
        #expect(answer.text("result") == result)
    }

    /// Longer than one host command takes, and of both kinds.
    @Test func `A batch of TACs is answered record by record, whatever its records are`() async throws {
        var records: [String] = []
        var expected: [String] = []
        for number in 0..<10_000 {
            let isLoad = number % 1_700 == 5
            let isRight = number % 3 == 0 && !isLoad && number % 100 != 7
            let factors = number % 100 == 7 ? #""0000000000000001""# : #""1122334455667788""#
            let data = isLoad ? Self.record + "0000" : Self.record
            records.append(
                #"{"factors":[\#(factors)],"data":"\#(data)","tac":"\#(isRight ? "F47F70FE" : "F47F70FF")"}"#)
            expected.append(isRight ? "verified" : "verification failed")
        }
        let answer = try await Self.ask(
            "/v1/tac/batch", #"{"key":"canteen/purse/tac","records":[\#(records.joined(separator: ","))]}"#)
        #expect(answer.texts("results") == expected)
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
        #expect(wrong.text("result") == "verification failed" && wrong.text("mac2") == nil)
    }

    @Test func `A key made here serves by its block, travels and comes back as the same key`() async throws {
        let door = try await HTTPDoor.open.value
        let made = try await door.ask(
            "/v1/keys/generate",
            #"{"attributes":{"usage":"M3","algorithm":"3des2","mode":"C","exportability":"E"}}"#)
        let block = try #require(made.text("block"))
        let checkValue = try #require(made.text("check_value"))
        let check = try await door.ask("/v1/keys/check-value", #"{"key":"\#(block)"}"#)
        #expect(check.text("check_value") == checkValue)
        let given = try await door.ask(
            "/v1/keys/export", #"{"transport_key":"canteen/kek/bank","key":"\#(block)"}"#)
        let traveller = try #require(given.text("block"))
        let taken = try await door.ask(
            "/v1/keys/import", #"{"transport_key":"canteen/kek/bank","block":"\#(traveller)"}"#)
        #expect(taken.text("check_value") == checkValue)
    }

    @Test func `Status, health, readiness and the OpenAPI document are there`() async throws {
        let door = try await HTTPDoor.shared.value
        #expect(try await door.ask("/v1/status", nil).text("module") == "operational")
        #expect(try await door.ask("/healthz", nil, token: .some(nil)).status == 200)
        #expect(try await door.ask("/readyz", nil, token: .some(nil)).text("status") == "ready")
        let document = try await door.ask(OpenAPIDocument.path, nil, token: .some(nil))
        #expect(document.text("openapi") == "3.1.0")
        let paths = try #require(document.json()["paths"] as? [String: Any])
        #expect(
            Set(paths.keys)
                == Set(ServiceRoute.all.map(\.path) + [MACExplainDesk.path] + ServiceResource.all.map(\.path)))
    }

    @Test(arguments: [
        // What was not granted, what is not there, what is not the key's use.
        (
            "/v1/mac/generate", #"{"key":"canteen/pos/mac","algorithm":"algorithm3","padding":"method1","data":""}"#,
            403, "29"
        ),
        ("/v1/random", #"{"count":8}"#, 403, "29"),
        ("/v1/mac/verify", verify("00000000").replacing("pos", with: "closed"), 403, "29"),
        ("/v1/mac/verify", verify("00000000").replacing("pos/mac", with: "pos/nobody"), 404, "21"),
        ("/v1/mac/verify", verify("00000000").replacing("pos/mac", with: "kek/bank"), 403, "A6"),
        // What is not as it should be.
        ("/v1/tac/verify", "not json", 400, "15"), ("/v1/tac/verify", "[]", 400, "15"),
        ("/v1/tac/verify", "", 400, "15"),
        ("/v1/mac/verify", verify("00000000", #","more":1"#), 400, "15"),
        ("/v1/mac/verify", verify("00000000", #","mac":"00000000""#), 400, "15"),
        ("/v1/mac/verify", verify("00000000", #","chaining_value":"0011223344556677""#), 422, "15"),
        ("/v1/mac/verify", verify("00000000", #","part":"first""#), 422, "15"),
        ("/v1/tac/verify", #"{"key":"canteen/purse/tac","factors":[],"data":"00","tac":"00000000"}"#, 400, "15"),
        ("/v1/random", #"{"count":8,"more":1}"#, 400, "15"), ("/v1/random", #"{"count":"8"}"#, 400, "15"),
        ("/v1/random", #"{"count":257}"#, 400, "15"), ("/v1/random", #"{"count":null}"#, 400, "15"),
        ("/v1/random", #"{"count":8.5}"#, 400, "15"), ("/v1/random", #"{"count":1e400}"#, 400, "15"),
        ("/v1/nothing", "{}", 404, "67"), ("/v1/status", "{}", 405, "67"),
    ])
    func `A refusal is problem details with the host error code`(
        path: String, body: String, status: Int, code: String
    ) async throws {
        let answer = try await Self.ask(path, body)
        #expect(answer.status == status)
        #expect(answer.text("code") == code)
        #expect(answer.contentType == "application/problem+json")
        #expect(answer.text("type")?.hasPrefix("urn:kmsd:problem:") == true)
        #expect(answer.text("detail")?.isEmpty == false && answer.text("next")?.isEmpty == false)
    }

    @Test func `Without the token of a client nothing is answered`() async throws {
        let door = try await HTTPDoor.shared.value
        for token in [nil, "", String(repeating: "0", count: 64)] {
            let answer = try await door.ask("/v1/random", #"{"count":8}"#, token: .some(token))
            #expect(answer.status == 401 && answer.headers["www-authenticate"] == "Bearer")
        }
    }

    @Test func `A body beyond the limit is refused`() async throws {
        let answer = try await Self.ask("/v1/random", String(repeating: " ", count: 4 << 20) + #"{"count":8}"#)
        #expect(answer.status == 413 && answer.text("code") == "80")
    }

    @Test(arguments: ["PUT", "DELETE", "PATCH", "GET", "HEAD", "OPTIONS"])
    func `An operation has one method and says which`(method: String) async throws {
        let answer = try await HTTPDoor.shared.value.ask(method, "/v1/random", nil)
        #expect(answer.status == 405 && answer.headers["allow"] == "POST")
    }

    @Test func `What can be read can be asked for without its body`() async throws {
        let answer = try await HTTPDoor.shared.value.ask("HEAD", "/healthz", nil)
        #expect(answer.status == 200 && answer.body.isEmpty)
        let refused = try await HTTPDoor.shared.value.ask("DELETE", "/healthz", nil)
        #expect(refused.headers["allow"] == "GET, HEAD")
    }

    @Test(arguments: [
        ("content-type: text/plain", 415), ("content-type: application/json; charset=latin1", 415),
        ("content-type: application/json; charset=utf-8", 403),
        ("content-type: application/json\r\naccept: text/html", 406),
        ("content-type: application/json\r\naccept: text/html, application/*;q=0.1", 403),
        ("content-type: application/json\r\naccept: application/json;q=0, */*", 406), ("x: y", 415),
    ])
    func `Content is negotiated`(header: String, status: Int) async throws {
        let door = try await HTTPDoor.shared.value
        let answer = try await door.ask("POST", "/v1/random", Array(#"{"count":8}"#.utf8), headers: [header])
        #expect(answer.status == status)
    }
}
