import Foundation
import HSMBridge
import KMS
import Logging
import NIOCore
import NIOPosix
import Testing

@testable import CryptoService

/// HTTP over TLS, asked by `curl`: certificate or token.
@Suite struct HTTPSDoorTests {
    /// The doors of a world over HTTP, plain and TLS.
    final class Web: Sendable {
        let door: TLSDoorTests.Door
        let token: String
        let plain: String
        let secure: String
        private let running: [Task<Void, any Error>]

        init() async throws {
            door = try await TLSDoorTests.Door.open { $0.httpPort = 0 }
            let world = door.world
            token = try await world.centre.createClient("web", description: "", by: World.conf)
            let (ports, ready) = AsyncStream.makeStream(of: (Bool, Int).self)
            let server = CryptoHTTPServer(
                world.settings, centre: world.centre, module: ModuleBridge(path: world.socket, lanes: 1),
                responder: world.server.responder, admission: world.admission, logger: Logger(label: "test"),
                onReady: { ready.yield((true, $0)) })
            let secured = server.behind(.https) { ready.yield((false, $0)) }
            running = [Task { try await server.run() }, Task { try await secured.run() }]
            var (plainPort, securePort) = (0, 0)
            for await (isPlain, port) in ports.prefix(2) {
                if isPlain { plainPort = port } else { securePort = port }
            }
            plain = "http://127.0.0.1:\(plainPort)/v1/status"
            secure = "https://127.0.0.1:\(securePort)/v1/status"
        }

        func stop() async {
            for task in running { task.cancel() }
            for task in running { _ = await task.result }
            await door.world.stop()
        }

        /// Over TLS, with more of curl's words.
        func ask(_ words: String...) async throws -> Curl.Answer { try await Curl.run(trust + words + [secure])[0] }

        var trust: [String] { ["--cacert", door.authority.certificate] }
        var certificate: [String] { ["--cert", door.pos.certificate, "--key", door.pos.key] }
        func bearer(_ token: String) -> [String] { ["-H", "Authorization: Bearer \(token)"] }
    }

    @Test func `a token or a certificate is who it is, and both must be of one client`() async throws {
        let web = try await Web()
        #expect(try await Curl.run(web.trust + web.bearer(web.token) + [web.secure])[0].text("client") == "web")
        #expect(try await Curl.run(web.trust + web.certificate + [web.secure])[0].text("client") == "pos")
        #expect(try await Curl.run(web.bearer(web.token) + [web.plain])[0].text("client") == "web")
        let both = try await Curl.run(web.trust + web.certificate + web.bearer(web.token) + [web.secure])[0]
        #expect(both.status == 403)
        let own = try await web.door.world.centre.newToken(of: "pos", until: nil, replacing: true, by: World.conf)
        #expect(
            try await Curl.run(web.trust + web.certificate + web.bearer(own) + [web.secure])[0].text("client") == "pos")
        let neither = try await web.ask()
        #expect(neither.status == 401 && neither.headers["www-authenticate"] == "Bearer")
        #expect(neither.headers["content-type"] == "application/problem+json" && neither.text("code") == "68")
        await web.stop()
    }

    @Test func `wrong tokens are all answered alike, and headers that claim things mean nothing`() async throws {
        let web = try await Web()
        let token = web.token
        var answers: [Curl.Answer] = []
        for wrong in [
            token.lowercased(), String(token.dropLast()), token + "0", "", "\(token) \(token)", "\(token),\(token)",
            "kmsd_00000000_" + String(token.suffix(64)),
        ] {
            answers.append(try await Curl.run(web.trust + web.bearer(wrong) + [web.secure])[0])
        }
        answers.append(try await Curl.run(web.trust + ["-H", "Authorization: Basic \(token)", web.secure])[0])
        answers.append(try await Curl.run(web.trust + web.bearer("x") + web.bearer(token) + [web.secure])[0])
        // Line ends inside a value end the header, and what follows is another header, or nothing that HTTP knows.
        for injected in ["X: y\r\nX-Client: web", "X: y\nAuthorization : Bearer \(token)", "X-Client-Cert: pos"] {
            answers.append(try await Curl.run(web.trust + ["-H", injected, web.secure])[0])
        }
        answers.append(
            try await Curl.run(
                web.trust + [
                    "-H", "X-Forwarded-For: 127.0.0.1", "-H", "X-SSL-Client-Verify: SUCCESS", "-H",
                    "X-SSL-Client-S-DN: CN=pos", "-H", "Forwarded: for=127.0.0.1", web.secure,
                ])[0])
        #expect(answers.allSatisfy { $0.status == 401 || $0.status == 400 }, "\(answers.map(\.status))")
        #expect(Set(answers.filter { $0.status == 401 }.map(\.body)).count == 1)
        // In either case of the scheme's name, which is not the token's.
        #expect(try await Curl.run(web.trust + ["-H", "authorization: BEARER \(token)", web.secure])[0].status == 200)
        await web.stop()
    }

    @Test func `over the rate it is 429 with the time to wait, on all connections`() async throws {
        let web = try await Web()
        try await web.door.world.centre.limit("web", to: RequestLimit(perSecond: 1, burst: 3), by: World.conf)
        // Each call of curl is a connection; in one call the requests share one.
        var answers = try await Curl.run(web.bearer(web.token) + [web.plain, web.plain])
        answers += try await Curl.run(web.trust + web.bearer(web.token) + Array(repeating: web.secure, count: 12))
        // The clock of rates stands still in a test.
        #expect(answers.map(\.status) == Array(repeating: 200, count: 3) + Array(repeating: 429, count: 11))
        for answer in answers.dropFirst(3) {
            #expect(answer.headers["retry-after"] == "1")
            #expect(answer.text("code") == "39" && answer.headers["content-type"] == "application/problem+json")
        }
        // Another client has a bucket of its own.
        #expect(try await Curl.run(web.trust + web.certificate + [web.secure])[0].status == 200)
        await web.stop()
    }

    @Test func `strangers do not come through the handshake, and old versions neither`() async throws {
        let web = try await Web()
        let stranger = try await web.door.authority.selfSigned("stranger")
        #expect(try await web.ask("--cert", stranger.certificate, "--key", stranger.key).status == 0)
        #expect(try await web.ask("--tls-max", "1.2").status == 0)
        // The clients hear of it before the server counts.
        var outcomes: Set<String> = []
        var turns = 0
        while outcomes.count < 2, turns < 1_000_000 {
            outcomes = Set(web.door.world.admission.figures.filter { $0.door == .https }.map(\.outcome))
            turns += 1
            await Task.yield()
        }
        #expect(outcomes == ["certificateUnknown", "protocolVersion"])
        await web.stop()
    }

    @Test func `a token that is revoked and a client that is disabled are refused on an open connection`() async throws
    {
        let web = try await Web()
        let centre = web.door.world.centre
        let port = try #require(URL(string: web.plain)?.port)
        let request = "GET /v1/status HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer \(web.token)\r\n\r\n"
        let channel = try await World.clients
            .connect(host: "127.0.0.1", port: port) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: channel)
                }
            }
        let statuses = try await channel.executeThenClose { inbound, outbound in
            var reads = inbound.makeAsyncIterator()
            var statuses: [String] = []
            func ask() async throws {
                try await outbound.write(ByteBuffer(string: request))
                var text = ""
                // Every answer here is one JSON object; it is whole when its last brace is there.
                while !text.hasSuffix("}"), let read = try await reads.next(isolation: #isolation) {
                    text += String(buffer: read)
                }
                statuses.append(String(text.dropFirst(9).prefix(3)))
            }
            try await ask()
            try await centre.disableClient("web", by: World.conf)
            try await ask()
            try await centre.enableClient("web", by: World.conf)
            try await ask()
            try await centre.revokeToken(String(web.token.dropFirst(5).prefix(8)), of: "web", by: World.conf)
            try await ask()
            return statuses
        }
        #expect(statuses == ["200", "401", "200", "401"])
        await web.stop()
    }
}
