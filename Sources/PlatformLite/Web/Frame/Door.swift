import FoundationEssentials
import Hummingbird

/// Registers routes with the right that they need. A route cannot be added without saying which, so "forgotten" is not a state.
struct Door {
    let router: Router<PlatformContext>

    typealias Handler = @Sendable (Request, PlatformContext) async throws -> Response

    func get(_ path: RouterPath, _ right: Right?, _ handler: @escaping Handler) {
        router.get(path) { request, context in
            try Self.require(right, context)
            return try await handler(request, context)
        }
    }

    func post(_ path: RouterPath, _ right: Right?, _ handler: @escaping Handler) {
        router.post(path) { request, context in
            try Self.require(right, context)
            return try await handler(request, context)
        }
    }

    private static func require(_ right: Right?, _ context: PlatformContext) throws {
        guard let right else { return }
        guard let staff = context.staff else { throw Problem(.unauthorized, "a token or a login is needed") }
        guard staff.role.may(right) else {
            throw Problem(.forbidden, "the role \(staff.role.rawValue) may not do this")
        }
    }
}

extension Request {
    /// The whole body, at most the context's limit; more is 413.
    func bytes(_ context: PlatformContext) async throws -> [UInt8] {
        let buffer = try await body.collect(upTo: context.maxUploadSize)
        return Array(buffer.readableBytesView)
    }

    /// A JSON body in snake case; what does not fit is 400.
    func json<Value: Decodable>(_ type: Value.Type, _ context: PlatformContext) async throws -> Value {
        let buffer = try await body.collect(upTo: 65_536)
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        guard let value = try? decoder.decode(type, from: Data(buffer.readableBytesView)) else {
            throw Problem(.badRequest, "the body is not the JSON object that is expected here")
        }
        return value
    }

    /// The rows of a CSV body with exactly this header, at most `limit`.
    func rows(_ header: String, limit: Int, _ context: PlatformContext) async throws -> [[String]] {
        guard let text = String(validating: try await bytes(context), as: UTF8.self) else {
            throw Problem(.badRequest, "the file is not UTF-8")
        }
        var lines = text.utf8.split(separator: 0x0A).map { Substring($0.last == 0x0D ? $0.dropLast() : $0) }
        guard !lines.isEmpty, lines.removeFirst() == header else {
            throw Problem(.badRequest, "the first line is not: \(header)")
        }
        guard lines.count <= limit else { throw Problem(.contentTooLarge, "more than \(limit) lines") }
        let columns = header.split(separator: ",").count
        return try lines.enumerated().map { index, line in
            let fields = line.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
            guard fields.count == columns else {
                throw Problem(.badRequest, "line \(index + 2) has not \(columns) fields")
            }
            return fields
        }
    }

    var isCSV: Bool { headers[.contentType]?.hasPrefix("text/csv") ?? false }

    /// A date of the query; a text that is none is 400.
    func date(_ name: String) throws -> BusinessDate? {
        guard let text = uri.queryParameters.get(name), !text.isEmpty else { return nil }
        guard let date = BusinessDate(text) else { throw Problem(.badRequest, "\(name) is no date (YYYY-MM-DD)") }
        return date
    }
}

extension Response {
    static func csv(_ text: String, name: String) -> Response {
        Response(
            status: .ok,
            headers: [
                .contentType: "text/csv; charset=utf-8",
                .contentDisposition: "attachment; filename=\"\(name)\"",
            ],
            body: ResponseBody(byteBuffer: ByteBuffer(string: text)))
    }
}

/// A cell of a CSV file: quoted when needed, and never a formula for a spreadsheet.
enum CSVCell {
    static func text(_ value: String) -> String {
        let safe = value.first.map { "=+-@\t\r".contains($0) } == true ? "'" + value : value
        guard safe.contains(where: { ",\"\n\r".contains($0) }) else { return safe }
        return "\"" + safe.replacing("\"", with: "\"\"") + "\""
    }
}
