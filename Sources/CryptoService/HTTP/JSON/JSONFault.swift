/// Why bytes are not the JSON that a route asks for. Says where, and never what stood there.
enum JSONFault: Error, Hashable {
    /// Not JSON (RFC 8259), at this byte.
    case syntax(at: Int)
    case notAnObject
    case unknownField(String)
    case repeatedField(String)
    case missingField(String)
    /// Of another type than the table says, outside its limits, or of other characters.
    case invalidField(String, expected: String)

    var detail: String {
        switch self {
        case .syntax(let offset): "the body is not JSON, at byte \(offset)"
        case .notAnObject: "the body is not a JSON object"
        case .unknownField(let path): "unknown field \(path)"
        case .repeatedField(let path): "field \(path) stands there twice"
        case .missingField(let path): "field \(path) is missing"
        case .invalidField(let path, let expected): "field \(path) is not as it should be: \(expected)"
        }
    }
}
