import CryptoClient
import Foundation
import Testing

@testable import CryptoService

/// Components and fresh blocks over HTTP.
struct KeyRouteTests {
    private static func component(_ number: Int, _ more: String = "") async throws -> HTTPAnswer {
        try await HTTPDoor.open.value.ask(
            "/v1/keys/generate",
            #"{"attributes":{"usage":"M3","algorithm":"3des2","mode":"C"},"component":\#(number)\#(more)}"#)
    }

    private static func form(_ components: [String], _ more: String = "") async throws -> HTTPAnswer {
        let list = components.map { #""\#($0)""# }.joined(separator: ",")
        return try await HTTPDoor.open.value.ask("/v1/keys/form", #"{"components":[\#(list)]\#(more)}"#)
    }

    @Test func `A key formed from components is the same in any order, and serves`() async throws {
        let door = try await HTTPDoor.open.value
        var blocks: [String] = []
        for number in 1...3 { blocks.append(try #require(try await Self.component(number).text("block"))) }
        let key = try await Self.form(blocks)
        let again = try await Self.form(blocks.reversed(), #","version":7"#)
        #expect(key.status == 200 && key.text("check_value") == again.text("check_value"), "\(key.words)")
        let fresh = try await door.ask("/v1/keys/translate", #"{"key":"\#(key.text("block") ?? "")"}"#)
        #expect(fresh.text("check_value") == key.text("check_value") && fresh.text("block") != key.text("block"))
        var macs: Set<String?> = []
        for block in [key, again, fresh].map({ $0.text("block") ?? "" }) {
            let mac = try await door.ask(
                "/v1/mac/generate", #"{"key":"\#(block)","algorithm":"algorithm3","padding":"method1","data":"010203"}"#
            )
            #expect(mac.status == 200, "\(mac.words)")
            macs.insert(mac.text("mac"))
        }
        #expect(macs.count == 1)
        // A component is no key.
        let mac = try await door.ask(
            "/v1/mac/generate", #"{"key":"\#(blocks[0])","algorithm":"algorithm3","padding":"method1","data":"010203"}"#
        )
        #expect(mac.status == 403 && mac.text("code") == "A6", "\(mac.words)")
    }

    @Test func `Many cards' keys are those of the cards one by one, whatever their levels`() async throws {
        let door = try await HTTPDoor.make(without: [], presented: true)
        var cards: [[String]] = []
        for number in 0..<200 { cards.append([String(format: "%016X", 0x1122_3344_5566_0000 + number)]) }
        for number in 0..<5 { cards.append(["00000000000000AA", String(format: "%016X", number)]) }
        cards.append(["1122334455667788"])
        func list(_ cards: [[String]]) throws -> String {
            String(decoding: try JSONSerialization.data(withJSONObject: cards), as: UTF8.self)
        }
        for transport in ["", #","transport_key":"canteen/kek/bank""#] {
            let answer = try await door.ask(
                "/v1/keys/diversify-batch", #"{"key":"canteen/purse/regions","cards":\#(try list(cards))\#(transport)}"#
            )
            let keys = try #require(try answer.json()["keys"] as? [[String: String]], "\(answer.words)")
            #expect(keys.count == cards.count && Set(keys.map { $0["block"] }).count == cards.count)
            for index in [0, 1, 191, 192, 199, 200, 204, 205] {
                let factors = try JSONSerialization.data(withJSONObject: cards[index])
                let one = try await door.ask(
                    "/v1/keys/diversify",
                    #"{"key":"canteen/purse/regions","factors":\#(String(decoding: factors, as: UTF8.self))\#(transport)}"#
                )
                #expect(one.status == 200 && one.text("check_value") == keys[index]["check_value"], "\(index)")
            }
        }
        // A key that gives no card keys: all refused, with the code of the one.
        let refused = try await door.ask(
            "/v1/keys/diversify-batch", #"{"key":"canteen/pos/mac","cards":\#(try list(cards))}"#)
        #expect(refused.status == 403 && refused.text("code") == "A6")
        await door.stop()
        let figures = door.world.server.metrics.figures()
        #expect(figures.perCommand[.diversifyKey]?.succeeded == UInt64(2 * cards.count + 16))
        #expect(figures.perCommand[.diversifyKey]?.failed == UInt64(cards.count))
    }

    @Test func `A batch goes to the module in runs that one command holds`() throws {
        func path(_ count: Int) throws -> DiversificationPath {
            try #require(DiversificationPath((0..<count).map { DiversificationFactor(rawValue: UInt64($0)) }))
        }
        func runs(_ levels: [Int]) throws -> [Range<Int>] {
            let master = try HostKeyReference.label("canteen/purse/tac")
            return DiversificationBatch(master: master, paths: try levels.map(path), transportKey: nil).runs
        }
        #expect(try runs([]) == [])
        #expect(try runs([1, 1, 2, 1]) == [0..<2, 2..<3, 3..<4])
        #expect(try runs(Array(repeating: 1, count: 193)) == [0..<192, 192..<193])
        #expect(try runs(Array(repeating: 4, count: 97)) == [0..<48, 48..<96, 96..<97])
    }

    @Test func `What are not components of one key form none`() async throws {
        let first = try #require(try await Self.component(1).text("block"))
        let twin = try #require(try await Self.component(1).text("block"))
        for pair in [[first, twin], [first, first]] {
            let answer = try await Self.form(pair)
            #expect(answer.status == 422 && answer.text("code") == "B5", "\(answer.words)")
        }
        #expect(try await Self.form([first]).status == 400)
        #expect(try await Self.form([first, "canteen/pos/mac1"]).text("code") == "26")
        // A component travels nowhere, and its number is its version.
        #expect(try await Self.component(1, #","transport_key":"canteen/kek/bank""#).text("code") == "A9")
        let numbered = try await HTTPDoor.open.value.ask(
            "/v1/keys/generate",
            #"{"attributes":{"usage":"M3","algorithm":"3des2","mode":"C","version":4},"component":1}"#)
        #expect(numbered.text("code") == "A9")
    }
}
