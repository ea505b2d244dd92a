import CryptoClient
import Foundation
import HSMBridge
import NIOCore
import Testing

@testable import CryptoService

/// The messages of Tests/Vectors/commands.json, asked over HTTP: the same questions, and the answers that other people's libraries
/// have calculated.
struct HTTPVectorTests {
    private struct Case {
        let id: String
        let form: HTTPForm
        let code: String
        let expected: [String: Any]?

        init?(_ message: CommandVectors.Message) throws {
            guard let form = try HTTPVectorTests.form(message.request), let answer = try Self.frame(message.answer)
            else { return nil }
            var body = answer.body
            id = message.id
            self.form = form
            code = body.readString(length: 2) ?? ""
            expected = try form.answer(code, body)
        }

        static func frame(_ bytes: [UInt8]) throws -> HostFrame? {
            var stream = HostFrameStream()
            stream.receive(ByteBuffer(bytes: bytes))
            return try stream.next()
        }
    }

    private static func form(_ request: [UInt8]) throws -> HTTPForm? {
        try Case.frame(request).flatMap { try HTTPForm(HostRequest.parse($0).request) }
    }

    private static func text(_ object: [String: Any]) throws -> [UInt8] {
        Array(try JSONSerialization.data(withJSONObject: object, options: [.sortedKeys]))
    }

    @Test func `Every command of the vectors is answered over HTTP as others calculate it`() async throws {
        let door = try await HTTPDoor.open.value
        let cases = try CommandVectors.messages.compactMap { try Case($0) }
        #expect(cases.count == CommandVectors.messages.count)
        let requests = try cases.map { item in
            door.request(
                "POST", item.form.path, try Self.text(item.form.fields), headers: ["content-type: application/json"])
        }
        let answers = try await RawClient.with(port: door.port) { client in
            var answers: [HTTPAnswer] = []
            for request in requests {
                try await client.send(request)
                answers.append(try await client.httpAnswer())
            }
            return answers
        }
        for (item, answer) in zip(cases, answers) {
            guard let expected = item.expected else {
                #expect(answer.status >= 400 && answer.text("code") == item.code, "\(item.id) \(answer.words)")
                continue
            }
            #expect(answer.status == 200, "\(item.id) \(answer.words)")
            #expect(try Self.text(answer.json()) == Self.text(expected), "\(item.id) \(answer.words)")
        }
    }

    private static func ask(_ form: HTTPForm) async throws -> HTTPAnswer {
        try await HTTPDoor.open.value.ask(form.path, String(decoding: text(form.fields), as: UTF8.self))
    }

    @Test func `A key that is made over HTTP has the check value that others calculate, and does what they do with it`()
        async throws
    {
        #expect(CommandVectors.made.count == 14)
        let door = try await HTTPDoor.open.value
        for vector in CommandVectors.made {
            let making = try #require(try Self.form(vector.request), "\(vector.id)")
            let made = try await Self.ask(making)
            #expect(made.status == 200 && made.text("check_value") == vector.checkValue, "\(vector.id) \(made.words)")
            var block = try #require(made.text("block"), "\(vector.id)")
            if making.fields["transport_key"] != nil, !making.path.hasPrefix("/v1/keys/import") {
                // What went out under the transport key comes in again under it.
                let taken = try await door.ask(
                    "/v1/keys/import", #"{"transport_key":"canteen/kek/known","block":"\#(block)"}"#)
                #expect(taken.text("check_value") == vector.checkValue, "\(vector.id) \(taken.words)")
                block = try #require(taken.text("block"), "\(vector.id)")
            }
            let message = vector.before + Array("S\(block)".utf8) + vector.after
            let use = try #require(try Self.form(CommandVectorTests.frame(message)), "\(vector.id)")
            let answer = try await Self.ask(use)
            let given = String(decoding: vector.answer, as: UTF8.self)
            let expected = try use.answer(
                String(given.prefix(4).suffix(2)), ByteBuffer(string: String(given.dropFirst(4))))
            #expect(answer.status == 200, "\(vector.id) \(answer.words)")
            #expect(try Self.text(answer.json()) == Self.text(#require(expected)), "\(vector.id) \(answer.words)")
        }
    }

    /// Path of one and of many, what all records of a batch share, and where the answers are.
    private static let batches: [(one: String, many: String, shared: [String], answers: String)] = [
        ("/v1/mac/verify", "/v1/mac/batch", ["key", "algorithm", "padding"], "results"),
        ("/v1/unionpay/verify", "/v1/unionpay/batch", ["key", "method"], "results"),
        ("/v1/card-code/verify", "/v1/card-code/batch", ["key"], "results"),
        (
            "/v1/cryptogram/card", "/v1/cryptogram/batch", ["key", "derivation", "session", "padding"], "answers"
        ),
    ]

    @Test(arguments: batches.indices)
    func `Records of a batch are answered as each alone`(index: Int) async throws {
        let batch = Self.batches[index]
        let door = try await HTTPDoor.open.value
        let cases = try CommandVectors.messages.compactMap { try Case($0) }.filter {
            $0.form.path == batch.one && $0.expected != nil && $0.form.fields["part"] == nil
        }
        let groups = try Dictionary(grouping: cases) { item in
            try Self.text(item.form.fields.filter { batch.shared.contains($0.key) })
        }
        #expect(cases.count > 3)
        for (_, cases) in groups {
            var body = cases[0].form.fields.filter { batch.shared.contains($0.key) }
            body["records"] = cases.map { item in item.form.fields.filter { !batch.shared.contains($0.key) } }
            let answer = try await door.ask(batch.many, String(decoding: try Self.text(body), as: UTF8.self))
            let given = try answer.json()[batch.answers] as? [Any] ?? []
            try #require(given.count == cases.count, "\(cases[0].id) \(answer.words)")
            for (item, given) in zip(cases, given) {
                let given = (given as? String).map { ["result": $0] } ?? given as? [String: Any] ?? [:]
                #expect(try Self.text(given) == Self.text(item.expected ?? [:]), "\(item.id) \(answer.words)")
            }
        }
    }
}

extension HTTPAnswer {
    /// For a failing test.
    var words: String { "\(status) \(String(decoding: body, as: UTF8.self))" }
}
