import CryptoClient

/// Fields as JSON Schema 2020-12, which is what OpenAPI 3.1 speaks: the same limits that `JSONReader` holds requests to.
enum OpenAPISchema {
    static func object(_ fields: [JSONField]) -> JSONValue {
        let required = fields.filter(\.isRequired).map { JSONValue.text($0.name) }
        var members: [(name: String, value: JSONValue)] = [
            ("type", "object"), ("properties", .object(fields.map { ($0.name, property($0)) })),
        ]
        if !required.isEmpty { members.append(("required", .list(required))) }
        members.append(("additionalProperties", false))
        return .object(members)
    }

    private static func property(_ field: JSONField) -> JSONValue {
        .object(members(field.kind) + [("description", .text(field.about))])
    }

    private static func schema(_ kind: JSONField.Kind) -> JSONValue { .object(members(kind)) }

    private static func members(_ kind: JSONField.Kind) -> [(name: String, value: JSONValue)] {
        switch kind {
        case .text(let range):
            [
                ("type", "string"), ("minLength", .integer(range.lowerBound)),
                ("maxLength", .integer(range.upperBound)),
                ("pattern", "^[ -~]*$"),
            ]
        case .digits(let range):
            [
                ("type", "string"), ("minLength", .integer(range.lowerBound)),
                ("maxLength", .integer(range.upperBound)), ("pattern", "^[0-9]*$"),
            ]
        case .key:
            [
                ("type", "string"), ("minLength", .integer(KeyText.counts.lowerBound)),
                ("maxLength", .integer(KeyText.counts.upperBound)), ("pattern", .text(KeyText.pattern)),
            ]
        case .hexadecimal(let count): hexadecimal(count)
        case .integer(let range):
            [
                ("type", "integer"), ("minimum", .integer(range.lowerBound)), ("maximum", .integer(range.upperBound)),
            ]
        case .number(let numbers): [("type", "integer"), ("enum", .list(numbers.map { .integer($0) }))]
        case .choice(let words): [("type", "string"), ("enum", .list(words.map { .text($0) }))]
        case .flag: [("type", "boolean")]
        case .list(let range, let element):
            [
                ("type", "array"), ("items", schema(element)), ("minItems", .integer(range.lowerBound)),
                ("maxItems", .integer(range.upperBound)),
            ]
        case .object(let fields): if case .object(let members) = object(fields) { members } else { [] }
        }
    }

    private static func hexadecimal(_ count: JSONField.ByteCount) -> [(name: String, value: JSONValue)] {
        let forms = count.ranges.map { range in
            range.count == 1
                ? "[0-9A-Fa-f]{\(2 * range.lowerBound)}"
                : "([0-9A-Fa-f]{2})*"
        }
        let pattern = forms.count == 1 ? "^\(forms[0])$" : "^(\(forms.joined(separator: "|")))$"
        return [
            ("type", "string"), ("minLength", .integer(2 * count.lowest)), ("maxLength", .integer(2 * count.highest)),
            ("pattern", .text(pattern)),
        ]
    }
}
