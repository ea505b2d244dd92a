import CryptoClient
import Foundation
import NIOCore
import Testing

@testable import CryptoService

/// The edges of every field, with keys that exist and all else as in the example: where schemathesis, which knows no key, does not come.
@Suite(.serialized)
struct SchemaEdgeTests {
    /// Values at the limits of what the document allows.
    private static func edges(_ kind: JSONField.Kind) -> [Any] {
        switch kind {
        case .text(let range): return texts(["A"], [range.lowerBound, min(range.upperBound, 2_000)])
        case .key: return ["canteen/pos/nobody", "canteen/kek/bank", "canteen/pos/mac/99"]
        case .digits(let range): return texts(["0", "9"], [range.lowerBound, range.upperBound])
        case .hexadecimal(let count):
            return texts(["00", "fF"], count.ranges.flatMap { [$0.lowerBound, $0.upperBound] })
        case .integer(let range): return [range.lowerBound, range.upperBound]
        case .number(let numbers): return numbers
        case .choice(let words): return words
        case .flag: return [true, false]
        case .list(let range, let element):
            let elements = edges(element)
            let few = elements.map { Array(repeating: $0, count: max(1, range.lowerBound)) }
            return few + elements.prefix(1).map { Array(repeating: $0, count: min(range.upperBound, 100)) }
        case .object(let fields):
            let required = fields.filter(\.isRequired).map { ($0.name, edges($0.kind)[0]) }
            return edges(fields, of: Dictionary(uniqueKeysWithValues: required))
        }
    }

    private static func texts(_ characters: [String], _ counts: [Int]) -> [String] {
        counts.flatMap { count in characters.map { String(repeating: $0, count: count) } }
    }

    /// The object with one field after the other moved to each of its edges, or left out where it may be.
    private static func edges(_ fields: [JSONField], of object: [String: Any]) -> [[String: Any]] {
        fields.flatMap { field in
            var objects = edges(field.kind).map { value in object.merging([field.name: value]) { _, new in new } }
            if case .object(let inner) = field.kind, let value = object[field.name] as? [String: Any] {
                objects = edges(inner, of: value).map { value in object.merging([field.name: value]) { _, new in new } }
            }
            if case .list(_, .object(let inner)) = field.kind, let list = object[field.name] as? [[String: Any]] {
                objects = edges(inner, of: list[0]).map { value in
                    object.merging([field.name: [value] + list.dropFirst()]) { _, new in new }
                }
            }
            if !field.isRequired { objects.append(object.filter { $0.key != field.name }) }
            return objects
        }
    }

    @Test(arguments: ServiceRoute.all.map(\.path))
    func `What the document allows is carried out or refused by its meaning`(path: String) async throws {
        let route = try #require(ServiceRoute.byPath[path])
        let door = try await HTTPDoor.open.value
        let example = try JSONSerialization.jsonObject(with: Data(route.example.request.utf8)) as? [String: Any] ?? [:]
        let requests = try Self.edges(route.request, of: example).map { object in
            let body = Array(try JSONSerialization.data(withJSONObject: object))
            return door.request("POST", path, body, headers: ["content-type: application/json"])
        }
        let answers = try await RawClient.with(port: door.port) { client in
            var answers: [HTTPAnswer] = []
            for request in requests {
                try await client.send(request)
                answers.append(try await client.httpAnswer())
            }
            return answers
        }
        for (request, answer) in zip(requests, answers) {
            let words = "\(String(decoding: request.suffix(400), as: UTF8.self)) \(answer.words)"
            #expect([200, 403, 404, 409, 422].contains(answer.status), "\(words)")
            guard answer.status == 200 else { continue }
            #expect(throws: Never.self, "\(words)") { try JSONBody(.init(bytes: answer.body), route.answer) }
        }
    }
}
