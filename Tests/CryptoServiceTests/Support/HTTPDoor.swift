import Foundation
import HSMBridge
import Logging
import NIOCore
import NIOPosix

@testable import CryptoService
@testable import KMS

/// A world with its HTTP port open on loopback, a client of its own for it, and that client's token.
struct HTTPDoor: Sendable {
    let world: World
    let port: Int
    let token: String
    let running: Task<Void, any Error>

    /// Everything is granted but making MACs.
    static let shared = Task { try await HTTPDoor.make(without: [.generateMAC], presented: false) }
    /// Everything is granted, presented blocks too; with the keys of `CommandVectors`.
    static let open = Task { try await HTTPDoor.make(without: [], presented: true, keysOf: CommandVectors.keys) }

    static func make(
        without refused: Set<ServiceOperation>, presented: Bool, keysOf vectors: [CommandVectors.Key] = [],
        _ adjust: (inout CryptoSettings) -> Void = { _ in }
    ) async throws -> HTTPDoor {
        let world = try await World.make(keysOf: vectors) {
            $0.httpPort = 0
            $0.explanationsPerMinute = 1_000
            adjust(&$0)
        }
        let token = try await world.centre.createClient("web", description: "", by: World.conf)
        let granted = Set(ServiceOperation.allCases).subtracting(refused)
        for product in ["pos", "purse", "card", "kek", "sign"] {
            try await world.centre.grant(
                .product(issuer: "canteen", product: product), granted, to: "web", by: World.conf)
        }
        if presented { try await world.centre.grant(.presentedBlocks, granted, to: "web", by: World.conf) }
        let (ports, port) = AsyncStream.makeStream(of: Int.self)
        let server = CryptoHTTPServer(
            world.settings, centre: world.centre, module: ModuleBridge(path: world.socket, lanes: 2),
            responder: world.server.responder, metrics: world.server.metrics, admission: world.admission,
            logger: Logger(label: "test")
        ) { port.yield($0) }
        let running = Task { try await server.run() }
        for await port in ports { return HTTPDoor(world: world, port: port, token: token, running: running) }
        throw CancellationError()
    }

    /// Closes the port and ends the world, which must be the test's own.
    func stop() async {
        running.cancel()
        _ = try? await running.value
        await world.stop()
    }

    /// One request on a connection of its own. `body` nil: GET.
    func ask(
        _ path: String, _ body: String?, token: String?? = nil, headers: [String] = []
    ) async throws -> HTTPAnswer {
        try await ask(
            body == nil ? "GET" : "POST", path, body.map { Array($0.utf8) }, token: token,
            headers: (body == nil ? [] : ["content-type: application/json"]) + headers)
    }

    func ask(
        _ method: String, _ path: String, _ body: [UInt8]?, token: String?? = nil, headers: [String] = []
    ) async throws -> HTTPAnswer {
        let request = request(method, path, body, token: token, headers: headers)
        return try await RawClient.with(port: port) { client in
            try await client.send(request)
            return try await client.httpAnswer(withoutBody: method == "HEAD")
        }
    }

    /// The bytes of a request.
    func request(
        _ method: String, _ path: String, _ body: [UInt8]?, token: String?? = nil, headers: [String] = []
    ) -> [UInt8] {
        var lines = ["\(method) \(path) HTTP/1.1", "host: 127.0.0.1"] + headers
        if let token = token ?? self.token { lines.append("authorization: Bearer \(token)") }
        if let body { lines.append("content-length: \(body.count)") }
        return Array((lines.joined(separator: "\r\n") + "\r\n\r\n").utf8) + (body ?? [])
    }
}

/// A response as it came.
struct HTTPAnswer: Sendable {
    let status: Int
    /// By name in small letters.
    let headers: [String: String]
    let body: [UInt8]

    var contentType: String? { headers["content-type"] }

    func json() throws -> [String: Any] {
        guard let object = try JSONSerialization.jsonObject(with: Data(body)) as? [String: Any] else {
            throw CocoaError(.coderReadCorrupt)
        }
        return object
    }

    func text(_ name: String) -> String? { (try? json())?[name] as? String }
    func texts(_ name: String) -> [String]? { (try? json())?[name] as? [String] }
}

extension RawClient.Session {
    /// The next response; one with a length, as all of this service's are.
    mutating func httpAnswer(withoutBody: Bool = false) async throws -> HTTPAnswer {
        let end = Array("\r\n\r\n".utf8)
        while true {
            let bytes = pending.readableBytesView
            if let split = bytes.firstRange(of: end) {
                let lines = String(decoding: bytes[..<split.lowerBound], as: UTF8.self).components(separatedBy: "\r\n")
                var headers: [String: String] = [:]
                for line in lines.dropFirst() {
                    let parts = line.split(separator: ":", maxSplits: 1)
                    headers[parts[0].lowercased()] = parts[1].trimmingCharacters(in: .whitespaces)
                }
                let length = withoutBody ? 0 : headers["content-length"].flatMap { Int($0) } ?? 0
                if bytes.endIndex - split.upperBound >= length {
                    let status = lines[0].split(separator: " ")[1]
                    pending.moveReaderIndex(to: split.upperBound + length)
                    return HTTPAnswer(
                        status: Int(status) ?? 0, headers: headers,
                        body: Array(bytes[split.upperBound..<split.upperBound + length]))
                }
            }
            guard let read = try await reads.next(isolation: #isolation) else { throw CancellationError() }
            pending.writeImmutableBuffer(read)
        }
    }

    /// All responses until the connection ends; one that is cut off is an error.
    mutating func httpAnswers() async throws -> [HTTPAnswer] {
        var answers: [HTTPAnswer] = []
        while true {
            if pending.readableBytes == 0 {
                do {
                    guard let read = try await reads.next(isolation: #isolation) else { return answers }
                    pending = read
                } catch is IOError {
                    // A reset: the service closes for good what its client still sends to.
                    return answers
                }
            }
            answers.append(try await httpAnswer())
        }
    }
}
