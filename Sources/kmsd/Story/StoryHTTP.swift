import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1

/// The HTTP door, as any program would use it.
struct StoryHTTP: Sendable {
    let base: String
    static let bodyLimit = 32 << 20

    struct Answer {
        let status: Int
        let body: Data

        func object() throws -> [String: Any] {
            guard let object = try JSONSerialization.jsonObject(with: body) as? [String: Any] else {
                throw StoryMismatch(
                    "the answer is not a JSON object: \(String(decoding: body.prefix(200), as: UTF8.self))")
            }
            return object
        }
        var text: String { String(decoding: body, as: UTF8.self) }
    }

    /// Any request; the status is the caller's to judge.
    func send(
        _ method: HTTPMethod, _ path: String, token: String?, body: Data? = nil, type: String = "application/json",
        language: String = "en"
    ) async throws -> Answer {
        var request = HTTPClientRequest(url: base + path)
        request.method = method
        request.headers.add(name: "accept-language", value: language)
        if let token {
            request.headers.add(
                name: "authorization", value: "Bearer \(token.trimmingCharacters(in: .whitespacesAndNewlines))")
        }
        if let body {
            request.headers.add(name: "content-type", value: type)
            request.body = .bytes(ByteBuffer(bytes: body))
        }
        let response = try await HTTPClient.shared.execute(request, timeout: .seconds(120))
        let bytes = try await response.body.collect(upTo: Self.bodyLimit)
        return Answer(status: Int(response.status.code), body: Data(bytes.readableBytesView))
    }

    /// A JSON request that must be answered with 2xx.
    func post(_ path: String, token: String?, _ values: [String: Any]) async throws -> [String: Any] {
        let answer = try await send(.POST, path, token: token, body: try JSONSerialization.data(withJSONObject: values))
        try expect((200..<300).contains(answer.status), "POST \(path): \(answer.status) \(answer.text.prefix(300))")
        return try answer.object()
    }

    func get(_ path: String, token: String?, language: String = "en") async throws -> Answer {
        let answer = try await send(.GET, path, token: token, language: language)
        try expect(answer.status == 200, "GET \(path): \(answer.status) \(answer.text.prefix(300))")
        return answer
    }
}
