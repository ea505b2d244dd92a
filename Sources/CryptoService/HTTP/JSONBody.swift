import FoundationEssentials
import HSMBridge
import Hummingbird

/// Any JSON value, as far as this service uses them.
enum JSONValue: Sendable, Decodable, Encodable {
    case text(String)
    case integer(Int)
    case bool(Bool)
    case list([JSONValue])
    case object([String: JSONValue])
    case other

    init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if let text = try? container.decode(String.self) {
            self = .text(text)
        } else if let number = try? container.decode(Int.self) {
            self = .integer(number)
        } else if let flag = try? container.decode(Bool.self) {
            self = .bool(flag)
        } else if let list = try? container.decode([JSONValue].self) {
            self = .list(list)
        } else if let object = try? container.decode([String: JSONValue].self) {
            self = .object(object)
        } else {
            self = .other
        }
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .text(let text): try container.encode(text)
        case .integer(let number): try container.encode(number)
        case .bool(let flag): try container.encode(flag)
        case .list(let list): try container.encode(list)
        case .object(let object): try container.encode(object)
        case .other: try container.encodeNil()
        }
    }

    /// Keys in order, so that the same answer is the same bytes.
    var encoded: [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return (try? encoder.encode(self)).map(Array.init) ?? Array("{}".utf8)
    }
}

/// A JSON request that was held against the fields of its route: what is read from it is there and in its limits.
struct JSONBody: Sendable {
    private let values: [String: JSONValue]

    /// Throws a problem that names the field, and never its content.
    init(_ bytes: [UInt8], _ fields: [JSONField]) throws(HTTPProblem) {
        guard let value = try? JSONDecoder().decode(JSONValue.self, from: Data(bytes)), case .object(let values) = value
        else { throw HTTPProblem(.badRequest, "the body is not a JSON object") }
        try self.init(values, fields)
    }

    private init(_ values: [String: JSONValue], _ fields: [JSONField]) throws(HTTPProblem) {
        for name in values.keys.sorted() where !fields.contains(where: { $0.name == name }) {
            throw HTTPProblem(.badRequest, "unknown field \(JSONBody.printable(name))")
        }
        for field in fields {
            guard let value = values[field.name] else {
                guard !field.isRequired else { throw HTTPProblem(.badRequest, "field \(field.name) is missing") }
                continue
            }
            guard try Self.fits(value, field.kind) else {
                throw HTTPProblem(.badRequest, "field \(field.name) is not as it should be: \(field.about)")
            }
        }
        self.values = values
    }

    private static func fits(_ value: JSONValue, _ kind: JSONField.Kind) throws(HTTPProblem) -> Bool {
        switch (value, kind) {
        case (.text(let text), .text(let range)): return range.contains(text.utf8.count)
        case (.text(let text), .choice(let words)): return words.contains(text)
        case (.integer(let number), .integer(let range)): return range.contains(number)
        case (.text(let text), .hexadecimal(let range)):
            let digits = text.utf8
            return digits.count.isMultiple(of: 2) && range.contains(digits.count / 2)
                && digits.allSatisfy { Character(UnicodeScalar($0)).isHexDigit }
        case (.list(let list), .list(let range, let element)):
            guard range.contains(list.count) else { return false }
            for value in list { guard try fits(value, element) else { return false } }
            return true
        case (.object(let values), .object(let fields)):
            _ = try JSONBody(values, fields)
            return true
        default: return false
        }
    }

    private static func printable(_ name: String) -> String {
        String(name.prefix(32).map { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_") ? $0 : "?" })
    }

    // MARK: Reading. What is asked for was checked above; the defaults are never met for required fields.

    func text(_ field: JSONField) -> String {
        if case .text(let text) = values[field.name] { text } else { "" }
    }

    func optionalText(_ field: JSONField) -> String? {
        if case .text(let text) = values[field.name] { text } else { nil }
    }

    func integer(_ field: JSONField) -> Int { optionalInteger(field) ?? 0 }

    func optionalInteger(_ field: JSONField) -> Int? {
        if case .integer(let number) = values[field.name] { number } else { nil }
    }

    func bytes(_ field: JSONField) -> [UInt8] { Hex.decode(text(field)) ?? [] }

    /// At most eight bytes as a big-endian number.
    func number(_ field: JSONField) -> UInt64 { UInt64(text(field), radix: 16) ?? 0 }

    func factors() -> [UInt64] {
        guard case .list(let list) = values[JSONField.factors.name] else { return [] }
        return list.map { if case .text(let text) = $0 { UInt64(text, radix: 16) ?? 0 } else { 0 } }
    }

    func records() -> [JSONBody] {
        guard case .list(let list) = values[JSONField.records.name] else { return [] }
        return list.compactMap { if case .object(let values) = $0 { JSONBody(checked: values) } else { nil } }
    }

    private init(checked values: [String: JSONValue]) { self.values = values }
}
