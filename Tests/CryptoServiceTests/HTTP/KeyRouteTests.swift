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
