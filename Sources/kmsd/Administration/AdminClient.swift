import AsyncHTTPClient
import Console
import FoundationEssentials
import NIOCore
import NIOHTTP1

/// The command line's side of the admin API.
struct AdminClient: Sendable {
    private let base: String
    private let token: String?

    /// Bytes of an answer; a long card transcript or key list stays far below.
    private static let answerLimit = 64 << 20

    /// One for the process. It does not try again to connect: who forgot to start the server is to be told at once.
    private static let http: HTTPClient = {
        var configuration = HTTPClient.Configuration()
        configuration.timeout.connect = .seconds(5)
        configuration.connectionPool.retryConnectionEstablishment = false
        configuration.redirectConfiguration = .disallow
        return HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
    }()

    init(_ settings: Settings, token: String?) {
        let host = settings.admin.host.contains(":") ? "[\(settings.admin.host)]" : settings.admin.host
        base = "http://\(host):\(settings.admin.port)"
        self.token = token
    }

    func get<Answer: Decodable>(_ path: AdminPath, as type: Answer.Type = Answer.self) async throws -> Answer {
        try Self.decoded(try await send(.GET, path, nil))
    }

    func post<Answer: Decodable>(
        _ path: AdminPath, _ body: some Encodable, as type: Answer.Type = Answer.self
    ) async throws -> Answer {
        try Self.decoded(try await send(.POST, path, try Self.encoded(body)))
    }

    func post<Answer: Decodable>(_ path: AdminPath, as type: Answer.Type = Answer.self) async throws -> Answer {
        try Self.decoded(try await send(.POST, path, nil))
    }

    func delete(_ path: AdminPath) async throws { _ = try await send(.DELETE, path, nil) }

    func delete<Answer: Decodable>(_ path: AdminPath, as type: Answer.Type) async throws -> Answer {
        try Self.decoded(try await send(.DELETE, path, nil))
    }

    /// A body of secrets, overwritten when it has been sent.
    func post<Answer: Decodable>(
        _ path: AdminPath, secret: borrowing SecretLines, as type: Answer.Type = Answer.self
    ) async throws -> Answer {
        try Self.decoded(try await send(.POST, path, secret.buffer))
    }

    func post(_ path: AdminPath, secret: borrowing SecretLines) async throws {
        _ = try await send(.POST, path, secret.buffer)
    }

    private func send(_ method: HTTPMethod, _ path: AdminPath, _ body: ByteBuffer?) async throws -> ByteBuffer {
        var request = HTTPClientRequest(url: base + path.text)
        request.method = method
        request.headers.add(name: "accept-language", value: Terminal.Language.current == .chinese ? "zh" : "en")
        if let token { request.headers.add(name: "authorization", value: "Bearer \(token)") }
        if let body {
            request.headers.add(name: "content-type", value: "application/octet-stream")
            request.body = .bytes(body)
        } else if method == .POST {
            request.body = .bytes(ByteBuffer())
        }
        let answer: ByteBuffer
        let status: Int
        do {
            let response = try await Self.http.execute(request, timeout: .seconds(180))
            status = Int(response.status.code)
            answer = try await response.body.collect(upTo: Self.answerLimit)
        } catch {
            throw CommandFailure(
                "\(base) does not answer. Is `kmsd serve` running, and are admin.host and admin.port right? (\(Self.reason(error)))"
            )
        }
        if (200..<300).contains(status) { return answer }
        throw Self.failure(status, answer)
    }

    private static func failure(_ status: Int, _ answer: ByteBuffer) -> CommandFailure {
        guard let problem = try? JSONDecoder().decode(ProblemMessage.self, from: Data(answer.readableBytesView)) else {
            return CommandFailure("The server answered with status \(status) and no explanation; see its log.")
        }
        let hint =
            switch problem.code {
            case "K-101", "K-102": "  → kmsd login NAME"
            case "K-202": "  → kmsd approval request …, then another administrator: kmsd approval approve ID"
            default: ""
            }
        return CommandFailure("\(problem.detail) [\(problem.code)]\(hint)")
    }

    private static func reason(_ error: any Error) -> String {
        switch error {
        case let error as HTTPClientError: "\(error)"
        case let error as ChannelError: "\(error)"
        default: "no connection"
        }
    }

    private static func encoded(_ value: some Encodable) throws -> ByteBuffer {
        ByteBuffer(bytes: try JSONEncoder().encode(value))
    }

    private static func decoded<Answer: Decodable>(_ buffer: ByteBuffer) throws -> Answer {
        do { return try JSONDecoder().decode(Answer.self, from: Data(buffer.readableBytesView)) } catch {
            throw CommandFailure("The server's answer is not understood; both sides must be of one version.")
        }
    }
}

/// A path of the admin API, each part percent-encoded.
struct AdminPath: Sendable {
    private(set) var text: String

    init(_ parts: String..., query: [(String, String)] = []) {
        text = "/admin/v1/" + parts.map { Self.encoded($0) }.joined(separator: "/")
        if !query.isEmpty {
            text += "?" + query.map { "\(Self.encoded($0.0))=\(Self.encoded($0.1))" }.joined(separator: "&")
        }
    }

    /// `issuer/product/label[/NN]` and what follows it; without a version the newest is meant.
    static func key(_ name: String, _ rest: String...) throws -> AdminPath {
        let parts = name.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 3 || parts.count == 4, !parts.contains("") else { throw keyNameWrong(name) }
        return AdminPath(joining: ["keys"] + parts + (parts.count == 3 ? ["newest"] : []) + rest)
    }

    /// `issuer/product/label` without a version, and what follows it.
    static func keyName(_ name: String, _ rest: String...) throws -> AdminPath {
        let parts = name.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 3, !parts.contains("") else { throw keyNameWrong(name) }
        return AdminPath(joining: ["keys"] + parts + rest)
    }

    private init(joining parts: [String]) {
        text = "/admin/v1/" + parts.map { Self.encoded($0) }.joined(separator: "/")
    }

    private static func keyNameWrong(_ name: String) -> CommandFailure {
        CommandFailure("“\(name)” is not the name of a key: ISSUER/PRODUCT/LABEL, with /NN for a certain version.")
    }

    private static func encoded(_ text: String) -> String {
        var encoded = ""
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-"):
                encoded.append(Character(UnicodeScalar(byte)))
            default:
                let digits = String(byte, radix: 16, uppercase: true)
                encoded += digits.count == 1 ? "%0\(digits)" : "%\(digits)"
            }
        }
        return encoded
    }
}
