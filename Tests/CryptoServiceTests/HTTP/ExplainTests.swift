import CryptoClient
import Foundation
import HSMBridge
import Testing

@testable import CryptoService
@testable import KMS

/// A MAC that does not match, and what it would have matched with.
struct ExplainTests {
    private static let text = Hex.encode(Array("Now is the time for all ".utf8))

    private static func session(_ name: String, _ world: World) async throws -> String {
        var password = Array("correct horse battery".utf8)
        return try await world.centre.signIn(name: name, password: Password(wiping: &password), origin: "test").token
    }

    /// One session for all tests, as for one person.
    static let key = Task { try await session("bob", HTTPDoor.open.value.world) }

    private static func ask(_ fields: String, token: String? = nil) async throws -> HTTPAnswer {
        let own = try await key.value
        return try await HTTPDoor.open.value.ask("/v1/mac/explain", "{\(fields)}", token: .some(token ?? own))
    }

    private static func fields(
        key: String = "canteen/pos/mac", algorithm: String = "algorithm3", padding: String = "method1",
        data: String = text, mac: String = "C5B780D7", _ more: String = ""
    ) -> String {
        #""key":"\#(key)","algorithm":"\#(algorithm)","padding":"\#(padding)","data":"\#(data)","mac":"\#(mac)"\#(more)"#
    }

    private static let record = "000004E2060011223344550000000920161216134600"
    private static let posMessage =
        "0200302004C020C0981100000000000000005100183402100006324392260009942820D13121011200843931363638383031"
        + "34303030303030303030303030303031313536ACF46E73838A82F92600000000000000000822000001"

    @Test(arguments: [
        (fields(padding: "method3"), "padding method 1 instead of padding method 3"),
        (fields(algorithm: "algorithm1"), "ISO 9797-1 algorithm 3 instead of ISO 9797-1 algorithm 1"),
        (fields(algorithm: "cmac", padding: "method1"), "ISO 9797-1 algorithm 3 instead of CMAC"),
        (fields(data: Hex.encode(Array(text.utf8))), "the bytes that the data's hexadecimal text stands for"),
        (
            fields(data: Hex.encode(Array("Now is the time for all ".utf8).reversed())),
            "the data from right to left"
        ),
        (fields(mac: "D780B7C5"), "the bytes of the MAC from right to left"),
        // The MACs of these are pycryptodome's, DES and XOR written out.
        (fields(mac: "AAA48177"), "the data as hexadecimal text in capitals instead of as bytes"),
        (fields(mac: "E0E09A1C"), "the data as hexadecimal text in small letters instead of as bytes"),
        (fields(mac: "472FD7D0"), "each block of eight data bytes from right to left"),
        (fields(mac: "A8C766D4"), "an initial vector of FF bytes"),
        (fields(mac: "4152E5C9"), "the right bytes of the last block as the MAC"),
        (
            fields(mac: "606A11F5"),
            "algorithm 1 with the left half of the key alone (single DES) instead of ISO 9797-1 algorithm 3"
        ),
        // Y0.E.3des2 of Tests/Vectors/commands.json, and the other way round.
        (
            fields(key: "canteen/pos/mac1", algorithm: "algorithm1", data: posMessage, mac: "4133303936413131"),
            "UnionPay's ECB MAC instead of ISO 9797-1 algorithm 1"
        ),
        (
            fields(key: "canteen/pos/mac1", algorithm: "unionPayECB", data: posMessage, mac: "1310E47E"),
            "ISO 9797-1 algorithm 1 instead of UnionPay's ECB MAC"
        ),
        (
            fields(padding: "method3", mac: "D780B7C5"),
            "padding method 1 instead of padding method 3, the bytes of the MAC from right to left"
        ),
        (fields(#","initial_vector":"0102030405060708""#), "an initial vector of zeros"),
        (
            fields(
                key: "canteen/purse/tac", algorithm: "algorithm1", padding: "method2", data: record, mac: "F47F70FE",
                #","factors":["1122334455667788"]"#), "the key's halves xored, as for a TAC"
        ),
        (
            fields(
                key: "canteen/purse/tac", algorithm: "algorithm1", padding: "method2", data: record, mac: "F47F70FE",
                #","factors":["EEDDCCBBAA998877"]"#),
            // Inverted factors swap the halves of the card's key, whose sum is the same.
            "the key's halves xored, as for a TAC"
        ),
        (
            fields(
                key: "canteen/purse/tac", algorithm: "algorithm1", padding: "method2", data: record, mac: "F47F70FE",
                #","factors":["1122334455667788","0000000000000001"]"#),
            "the key's halves xored, as for a TAC, the key diversified without the last factor"
        ),
    ])
    func `The nearest reading that matches is named in words`(fields: String, words: String) async throws {
        let answer = try await Self.ask(fields)
        #expect(answer.status == 200, "\(String(decoding: answer.body, as: UTF8.self))")
        #expect(answer.text("result") == "verification failed")
        #expect(answer.text("explanation") == "The MAC would have matched with \(words).")
        let matches = try answer.json()["matches"] as? [[String: String]]
        #expect(matches?.first?["words"] == words)
    }

    /// The MAC is that of Tests/Vectors/commands.json, YI.3des2.7.mac: the header, Lc and data of a card command, from the challenge.
    @Test(arguments: [
        ("1122334455667788", "A1B2C3D400000000", "", nil),
        (
            "EEDDCCBBAA998877", "A1B2C3D400000000", "the key's halves swapped",
            "the key diversified by the inverted factors"
        ),
        ("8877665544332211", "A1B2C3D400000000", "the bytes of the factors from right to left", nil),
        (
            "1122334455667788\",\"0102030405060708", "A1B2C3D400000000", "the key diversified without the last factor",
            nil
        ),
        (
            "0102030405060708\",\"1122334455667788", "A1B2C3D400000000", "the key diversified by the last factor only",
            nil
        ),
    ])
    func `The MAC of a card command is explained too`(
        factors: String, vector: String, words: String, also: String?
    ) async throws {
        let answer = try await Self.ask(
            Self.fields(
                key: "canteen/purse/maintain", padding: "method2", data: "04D695000B4E6F7720697320", mac: "C31EE1FC",
                #","factors":["\#(factors)"],"initial_vector":"\#(vector)""#))
        let matches = try answer.json()["matches"] as? [[String: String]] ?? []
        #expect(matches.first?["words"] == (words.isEmpty ? "exactly as asked" : words), "\(answer.words)")
        if let also { #expect(matches.contains { $0["words"] == also }, "\(answer.words)") }
    }

    @Test func `A MAC that is right is said to be, and one that nothing matches has no explanation`() async throws {
        #expect(try await Self.ask(Self.fields()).text("result") == "verified")
        let nothing = try await Self.ask(Self.fields(mac: "C5B780D70000"))
        #expect(nothing.text("explanation") == "No other reading of the request has this MAC.")
        let tried = try nothing.json()["tried"] as? Int ?? 0
        #expect(tried > 100 && tried < 20_000)
    }

    @Test func `A MAC of an older version is found under it`() async throws {
        let world = try await HTTPDoor.open.value.world
        let key = "canteen/pos/spare"
        let made = try await HTTPDoor.open.value.ask(
            "/v1/mac/generate",
            #"{"key":"\#(key)","algorithm":"algorithm3","padding":"method2","data":"0102","length":4}"#)
        let mac = try #require(made.text("mac"))
        let next = try await world.centre.createVersion(
            of: #require(KeyName(key)), validity: .unlimited, by: World.key)
        _ = try await world.centre.generateValue(next, by: World.key)
        let answer = try await Self.ask(Self.fields(key: key, padding: "method1", data: "0102", mac: mac))
        #expect(
            answer.text("explanation")
                == "The MAC would have matched with padding method 2 instead of padding method 1, under version 01.")
    }

    @Test func `It is the right of a key administrator or an auditor, and each use is recorded`() async throws {
        let door = try await HTTPDoor.open.value
        #expect(try await Self.ask(Self.fields(), token: door.token).status == 401)
        let conf = try await Self.session("alice", door.world)
        let refused = try await Self.ask(Self.fields(key: "canteen/pos/nobody"), token: conf)
        #expect(refused.status == 403 && refused.text("code") == "29")
        _ = try await Self.ask(Self.fields())
        let auditor = try await Self.session("olga", door.world)
        #expect(try await Self.ask(Self.fields(), token: auditor).text("result") == "verified")
        let trail = try String(contentsOfFile: "\(door.world.folder)/audit.log", encoding: .utf8)
        let lines = trail.split(separator: "\n").filter { $0.contains("mac.explain") }
        #expect(lines.contains { $0.contains("alice") && $0.contains("refused") })
        #expect(lines.contains { $0.contains("bob") && $0.contains("begun") && $0.contains("canteen/pos/mac") })
        #expect(lines.contains { $0.contains("olga") && $0.contains("begun") && $0.contains("canteen/pos/mac") })
    }

    @Test(arguments: [
        (fields(key: "canteen/pos/nobody"), 404), (fields(key: "canteen/kek/bank"), 403), (fields(mac: "C5B780"), 400),
        (fields(data: String(repeating: "00", count: 4_097)), 400), (fields(#","factors":[]"#), 400),
    ])
    func `What cannot be explained is refused`(fields: String, status: Int) async throws {
        #expect(try await Self.ask(fields).status == status)
    }

    @Test func `A person who asks too often waits`() {
        let clock = TestClock()
        let rate = MACExplainRate(limit: 3) { clock.now }
        for _ in 0..<3 { #expect(rate.take("bob") == nil) }
        #expect(rate.take("bob") == 60 && rate.take("eve") == nil)
        clock.advance(.seconds(60))
        #expect(rate.take("bob") == nil)
    }
}
