import AcceptedConnections
import CryptoClient
import HSMBridge
import KMS
import Logging
import NIOCore
import NIOPosix
import ServiceLifecycle
import Testing

@testable import CryptoService

/// A stop of the doors as `kmsd serve` does it: by the group of its services.
struct GracefulStopTests {
    /// Both doors of a world over a module whose answers are kept back. What asks for the module's state has a gate of its own, so
    /// that a test sees when it is under way.
    private struct Doors {
        let world: World
        let gate: ModuleGate
        let statusGate: ModuleGate
        let group: ServiceGroup
        let running: Task<Void, any Error>
        let http: HTTPDoor
        let metrics: ServiceMetrics

        /// Answers to B2 so far.
        var echoes: Int { Int(metrics.figures().perCommand[.echo]?.succeeded ?? 0) }

        init(stopSeconds: Int = 600) async throws {
            world = try await World.make()
            gate = try await ModuleGate(before: world.socket, at: world.folder + "/gate")
            statusGate = try await ModuleGate(before: world.socket, at: world.folder + "/status")
            var settings = world.settings
            settings.moduleSocket = gate.path
            settings.httpPort = 0
            settings.stopSeconds = stopSeconds
            settings.moduleSeconds = 600
            settings.requestSeconds = 600
            metrics = ServiceMetrics()
            let logger = Logger(label: "test")
            let admission = Admission(settings, centre: world.centre, metrics: metrics, logger: logger)
            let hosts = CryptoServer(
                settings, centre: world.centre, slowModule: ModuleBridge(path: gate.path, lanes: 1), metrics: metrics,
                admission: admission, logger: logger)
            let (ports, port) = AsyncStream.makeStream(of: Int.self)
            let web = CryptoHTTPServer(
                settings, centre: world.centre, module: ModuleBridge(path: statusGate.path, lanes: 1),
                responder: hosts.responder, metrics: metrics, admission: admission, logger: logger
            ) { port.yield($0) }
            let services = ServiceGroup(services: [hosts, web], logger: logger)
            group = services
            running = Task { try await services.run() }
            let token = try await world.centre.createClient("web", description: "", by: World.conf)
            let all = Set(ServiceOperation.allCases)
            try await world.centre.grant(.presentedBlocks, all, to: "web", by: World.conf)
            try await world.centre.grant(
                .product(issuer: "canteen", product: "pos"), all, to: "web", by: World.conf)
            var iterator = ports.makeAsyncIterator()
            guard let number = await iterator.next() else { throw CancellationError() }
            http = HTTPDoor(world: world, port: number, token: token, running: running)
        }
    }

    /// One answer and the end of its connection.
    private static func ask(_ doors: Doors, _ method: String, _ path: String, _ body: String?) async throws
        -> HTTPAnswer
    {
        let request = doors.http.request(
            method, path, body.map { Array($0.utf8) }, headers: ["content-type: application/json"])
        return try await RawClient.with(port: doors.http.port) { client in
            try await client.send(request)
            let answer = try await client.httpAnswer()
            #expect(try await client.reads.next(isolation: nil) == nil)
            return answer
        }
    }

    @Test(.timeLimit(.minutes(15)))
    func `A stop over HTTP answers what was accepted, and takes no new connection`() async throws {
        let doors = try await Doors()
        let mac = #"{"key":"canteen/pos/mac","algorithm":"algorithm3","padding":"method1","data":"010203"}"#
        // The way of the host commands, a slow command, and what Hummingbird answers; and one that has asked nothing.
        async let first = Self.ask(doors, "POST", "/v1/random", #"{"count":8}"#)
        async let second = Self.ask(doors, "POST", "/v1/mac/generate", mac)
        async let third = Self.ask(
            doors, "POST", "/v1/keys/generate", #"{"attributes":{"usage":"M3","algorithm":"3des2","mode":"C"}}"#)
        async let fourth = Self.ask(doors, "GET", "/v1/status", nil)
        async let idle = RawClient.with(port: doors.http.port) { try await $0.reads.next(isolation: nil) }
        while doors.metrics.figures().sum.gauges.inFlight < 3 || doors.statusGate.asked == 0
            || doors.metrics.figures().connections(.http) < 5
        {
            try Task.checkCancellation()
            await Task.yield()
        }
        #expect(doors.metrics.figures().requests == 0)
        await doors.group.triggerGracefulShutdown()
        // New connections are refused before any of these is answered.
        while (try? await RawClient.with(port: doors.http.port, { _ in })) != nil { try Task.checkCancellation() }
        #expect(doors.metrics.figures().sum.gauges.inFlight == 3)
        doors.gate.open()
        doors.statusGate.open()
        let answers = try await [first, second, third, fourth]
        #expect(answers.map(\.status) == [200, 200, 200, 200], "\(answers.map(\.words))")
        #expect(answers[0].text("data")?.count == 16 && answers[1].text("mac") != nil)
        #expect(answers[2].text("block") != nil && answers[3].text("module") == "operational")
        for answer in answers.prefix(3) { #expect(answer.headers["connection"] == "close") }
        #expect(try await idle == nil)
        try await doors.running.value
        let figures = doors.metrics.figures()
        // Those that looked whether the port is still open may be among them.
        #expect(figures.closed(.http, .stop) >= 5, "\(ConnectionEnd.allCases.map { figures.closed(.http, $0) })")
        #expect(figures.connections(.http) == 0)
        doors.gate.close()
        doors.statusGate.close()
        await doors.world.stop()
    }

    @Test(.timeLimit(.minutes(15)))
    func `What waits behind a request when the service stops is not begun, whoever answers that`() async throws {
        let doors = try await Doors()
        let json = ["content-type: application/json"]
        let status = doors.http.request("GET", "/v1/status", nil)
        let mac = doors.http.request(
            "POST", "/v1/mac/generate",
            Array(#"{"key":"canteen/pos/mac","algorithm":"algorithm3","padding":"method1","data":"010203"}"#.utf8),
            headers: json)
        let create = doors.http.request(
            "POST", "/v1/keys/generate", Array(#"{"attributes":{"usage":"M3","algorithm":"3des2","mode":"C"}}"#.utf8),
            headers: json)
        func answers(_ bytes: [UInt8]) async throws -> [HTTPAnswer] {
            try await RawClient.with(port: doors.http.port) { client in
                try await client.send(bytes)
                return try await client.httpAnswers()
            }
        }
        async let first = answers(status + create)
        async let second = answers(mac + create)
        while doors.metrics.figures().sum.gauges.inFlight < 1 || doors.statusGate.asked == 0 {
            try Task.checkCancellation()
            await Task.yield()
        }
        await doors.group.triggerGracefulShutdown()
        while (try? await RawClient.with(port: doors.http.port, { _ in })) != nil { try Task.checkCancellation() }
        doors.gate.open()
        doors.statusGate.open()
        for answers in try await [first, second] {
            #expect(answers.map(\.status) == [200])
            #expect(answers.last?.headers["connection"] == "close")
        }
        try await doors.running.value
        #expect(doors.metrics.figures().perCommand[.generateKey] == nil)
        doors.gate.close()
        doors.statusGate.close()
        await doors.world.stop()
    }

    private static let echo: String = #"{"data":"\#(String(repeating: "41", count: 15_000))"}"#

    /// Asks and takes nothing, until the service makes no more answers because of that; then stops the service.
    private static func stopWithAnswersUntaken(
        _ doors: Doors, _ outbound: NIOAsyncChannelOutboundWriter<ByteBuffer>
    ) async throws -> Task<Void, any Error> {
        let request = doors.http.request(
            "POST", "/v1/echo", Array(echo.utf8), headers: ["content-type: application/json"])
        let sending = Task { while true { try await outbound.write(ByteBuffer(bytes: request)) } }
        let other = try await doors.world.connect()
        var (before, rounds) = (0, 0)
        while rounds < 5 {
            for count in 1...200 {
                #expect(try await other.run(RandomValueRequest(count: count)).bytes.count == count)
            }
            let now = doors.echoes
            rounds = now == before && now > 0 ? rounds + 1 : 0
            before = now
        }
        await other.close()
        await doors.group.triggerGracefulShutdown()
        while (try? await RawClient.with(port: doors.http.port, { _ in })) != nil { try Task.checkCancellation() }
        return sending
    }

    @Test(.timeLimit(.minutes(15)))
    func `Answers that are made when the service stops are taken whole, however slowly`() async throws {
        let doors = try await Doors()
        doors.gate.open()
        let taken = try await RawClient.with(port: doors.http.port, receiveBuffer: 65_536) { client in
            let sending = try await Self.stopWithAnswersUntaken(doors, client.outbound)
            let answers = try await client.httpAnswers()
            sending.cancel()
            _ = await sending.result
            return answers
        }
        #expect(taken.allSatisfy { $0.status == 200 && $0.body.count > 30_000 })
        try await doors.running.value
        #expect(taken.count > 1 && taken.count == doors.echoes)
        doors.gate.close()
        doors.statusGate.close()
        await doors.world.stop()
    }

    @Test(.timeLimit(.minutes(15)))
    func `A stop waits for who takes no answers only as long as it may`() async throws {
        let doors = try await Doors(stopSeconds: 1)
        doors.gate.open()
        try await RawClient.with(port: doors.http.port, receiveBuffer: 65_536) { client in
            let sending = try await Self.stopWithAnswersUntaken(doors, client.outbound)
            // Ends when the service closes.
            await #expect(throws: (any Error).self) { try await sending.value }
        }
        try await doors.running.value
        doors.gate.close()
        doors.statusGate.close()
        await doors.world.stop()
    }

    @Test(.timeLimit(.minutes(15)))
    func `A connection that was accepted and is never served is closed, and ends nothing else`() async throws {
        let world = try await World.shared.value
        let connected = try await World.clients
            .connect(host: "127.0.0.1", port: world.port) { channel in
                channel.eventLoop.makeCompletedFuture {
                    AcceptedConnection(try NIOAsyncChannel(wrappingChannelSynchronously: channel))
                }
            }.channel
        try await connected.closeFuture.get()
    }
}
