import FoundationEssentials
import Hummingbird
import KMS

/// JSON as we write it: keys in order, optional members left out.
enum JSONAnswer {
    static func response(_ value: some Encodable, status: HTTPResponse.Status = .ok) -> Response {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        // Our own answers are plain structs of numbers and text; they always encode.
        let data = (try? encoder.encode(value)) ?? Data("{}".utf8)
        return Response(
            status: status, headers: [.contentType: "application/json; charset=utf-8"],
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: data)))
    }

    static let nothing = Response(status: .noContent)
}

extension Request {
    /// A JSON body of at most `limit` bytes; what does not fit is 400, and the answer does not repeat it.
    func json<Value: Decodable>(_ type: Value.Type, limit: Int = 65_536) async throws -> Value {
        let buffer = try await body.collect(upTo: limit)
        do {
            return try JSONDecoder().decode(type, from: Data(buffer.readableBytesView))
        } catch DecodingError.keyNotFound(let key, _) {
            throw Problem.malformed("member \(key.stringValue) is missing")
        } catch DecodingError.typeMismatch(_, let context), DecodingError.valueNotFound(_, let context) {
            throw Problem.malformed(
                "member \(context.codingPath.map(\.stringValue).joined(separator: ".")) is of the wrong type")
        } catch {
            throw Problem.malformed("the body is not the JSON object that is expected here")
        }
    }

    /// A required item of the query.
    func query(_ name: String) throws -> String {
        guard let text = uri.queryParameters.get(name), !text.isEmpty else {
            throw Problem.malformed("query item \(name) is missing")
        }
        return text
    }

    /// A number of the query, with a default where it is absent.
    func number<Number: FixedWidthInteger>(_ name: String, default fallback: Number) throws -> Number {
        guard let text = uri.queryParameters.get(name) else { return fallback }
        guard let number = Number(text) else { throw Problem.malformed("query item \(name) is not a number") }
        return number
    }
}

extension ConsoleContext {
    /// A part of the path as it stands there: no name of ours has a character that needs percent-encoding, and `KMS` refuses
    /// the others.
    func part(_ name: String) throws -> String {
        guard let text = parameters.get(name) else { throw Problem.malformed("path") }
        return text
    }

    func number<Number: FixedWidthInteger>(_ name: String) throws -> Number {
        guard let number = Number(try part(name)) else { throw Problem.malformed("\(name) is not a number") }
        return number
    }
}
