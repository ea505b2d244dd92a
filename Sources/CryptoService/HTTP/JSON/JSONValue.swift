import NIOCore

/// A JSON value that this service says: documents, status, problems. Names of an object stay in the order given.
enum JSONValue: Sendable {
    case text(String)
    case integer(Int)
    case bool(Bool)
    case list([JSONValue])
    case object([(name: String, value: JSONValue)])
    /// A JSON text as it stands.
    case written(String)

    var encoded: ByteBuffer {
        var writer = JSONWriter()
        write(into: &writer)
        return writer.buffer
    }

    func write(into writer: inout JSONWriter) {
        switch self {
        case .text(let text): writer.value(text)
        case .integer(let number): writer.value(number)
        case .bool(let flag): writer.value(flag)
        case .list(let list):
            writer.beginList()
            for value in list { value.write(into: &writer) }
            writer.endList()
        case .object(let members): Self.write(members, into: &writer)
        case .written(let text): writer.value(written: text)
        }
    }

    private static func write(_ members: [(name: String, value: JSONValue)], into writer: inout JSONWriter) {
        writer.beginObject()
        for (name, value) in members {
            writer.name(name)
            value.write(into: &writer)
        }
        writer.endObject()
    }
}

extension JSONValue: ExpressibleByStringLiteral, ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral,
    ExpressibleByIntegerLiteral, ExpressibleByBooleanLiteral
{
    init(stringLiteral text: String) { self = .text(text) }
    init(arrayLiteral values: JSONValue...) { self = .list(values) }
    init(dictionaryLiteral members: (String, JSONValue)...) { self = .object(members.map { ($0.0, $0.1) }) }
    init(integerLiteral number: Int) { self = .integer(number) }
    init(booleanLiteral flag: Bool) { self = .bool(flag) }
}
