import ArgumentParser
import AsyncHTTPClient
import CryptoService
import FoundationEssentials
import NIOCore
import NIOHTTP1

/// How `status` and `top` find the service.
struct OperationOptions: ParsableArguments {
    @Option(help: "The service's HTTP door, such as http://127.0.0.1:8441 (default: from the configuration).")
    var url: String?

    @Option(help: "File with the bearer token of a client that may read the figures; not needed on this machine.")
    var tokenFile: String?

    func client(_ common: CommonOptions) async throws -> OperationClient {
        let settings = try await common.settings()
        let host = settings.crypto.httpHost
        // A door that listens everywhere is reached on loopback.
        let reached = ["0.0.0.0": "127.0.0.1", "::": "::1"][host] ?? host
        let own = "http://\(reached.contains(":") ? "[\(reached)]" : reached):\(settings.crypto.httpPort)"
        var token: String?
        if let tokenFile {
            guard let text = try? String(contentsOfFile: tokenFile, encoding: .utf8) else {
                throw CommandFailure("The token file \(tokenFile) cannot be read.")
            }
            token = text.split(whereSeparator: \.isWhitespace).first.map(String.init)
        }
        return OperationClient(base: url ?? own, token: token)
    }
}

/// Reads what the service says about itself, over HTTP as any monitor would.
struct OperationClient: Sendable {
    /// The service does not answer, or not as it should; exit status 2.
    struct Unreachable: Error {
        let reason: String
    }

    let base: String
    let token: String?

    private static let answerLimit = 16 << 20

    private static let http: HTTPClient = {
        var configuration = HTTPClient.Configuration()
        configuration.timeout.connect = .seconds(3)
        configuration.connectionPool.retryConnectionEstablishment = false
        configuration.redirectConfiguration = .disallow
        return HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
    }()

    func status() async throws(Unreachable) -> OperationStatus {
        let bytes = try await get("/statusz")
        do { return try JSONDecoder().decode(OperationStatus.self, from: Data(bytes.readableBytesView)) } catch {
            throw Unreachable(reason: "\(base) answers with a status that is not understood")
        }
    }

    func metrics() async throws(Unreachable) -> MetricsScrape {
        let page = try await get("/metrics")
        do throws(MetricsScrape.Unreadable) { return try MetricsScrape(String(buffer: page)) } catch {
            throw Unreachable(reason: "line \(error.line) of \(base)/metrics is not understood")
        }
    }

    private func get(_ path: String) async throws(Unreachable) -> ByteBuffer {
        var request = HTTPClientRequest(url: base + path)
        if let token { request.headers.add(name: "authorization", value: "Bearer \(token)") }
        do {
            let response = try await Self.http.execute(request, timeout: .seconds(5))
            let body = try await response.body.collect(upTo: Self.answerLimit)
            if response.status == .ok { return body }
            throw Unreachable(reason: "\(base)\(path) answers \(response.status.code)")
        } catch let error as Unreachable {
            throw error
        } catch {
            throw Unreachable(reason: "\(base) does not answer; is `kmsd serve` running?")
        }
    }
}
