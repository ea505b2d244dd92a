import CryptoClient
import HSMBridge
import KMS
import Logging
import NIOCore
import NIOPosix
import Testing

@testable import CryptoService

/// Each limit at a real port: what the client sees, and what is counted.
struct LimitTests {
    private static func request(_ title: String) throws -> [UInt8] {
        try #require(ProtocolPage.shared?.messages["\(title) request"])
    }

    /// The error code of an answer.
    private static func code(_ frame: [UInt8]?) -> String? {
        frame.map { String(decoding: $0.dropFirst(8).prefix(2), as: UTF8.self) }
    }

    @Test func `A connection that says nothing is closed when the time for its first byte is over`() async throws {
        let world = try await World.make { $0.firstByteSeconds = 1 }
        let answer = try await RawClient.with(port: world.port) { client in try await client.frame() }
        #expect(answer == nil)
        await world.stop()
        #expect(world.server.metrics.figures().closed(.tcp, .firstByte) == 1)
    }

    @Test func `A frame that is begun and not ended is answered 80, and the connection closed`() async throws {
        let world = try await World.make { $0.frameSeconds = 1 }
        let answers = try await RawClient.with(port: world.port) { client in
            try await client.send([0, 50] + Array("0000B2".utf8))
            return [try await client.frame(), try await client.frame()]
        }
        #expect(Self.code(answers[0]) == "80" && answers[1] == nil)
        await world.stop()
        #expect(world.server.metrics.figures().closed(.tcp, .frameTime) == 1)
    }

    @Test(arguments: [20, 60, 900])
    func `A request over HTTP that is begun and not ended is closed, and whole ones before it are answered`(
        length: Int
    ) async throws {
        let door = try await HTTPDoor.make(without: [], presented: true) { $0.requestSeconds = 1 }
        let whole = door.request("GET", "/healthz", nil)
        // Cut in the first line, in the headers, in the body.
        let half = Array(
            door.request(
                "POST", "/v1/mac/verify", Array(repeating: 0x20, count: 1_000),
                headers: ["content-type: application/json"]
            ).prefix(length))
        let (status, last) = try await RawClient.with(port: door.port) { client in
            try await client.send(whole)
            let status = try await client.httpAnswer().status
            try await client.send(half)
            return (status, try await client.reads.next(isolation: nil))
        }
        #expect(status == 200 && last == nil)
        await door.stop()
        #expect(door.world.server.metrics.figures().closed(.http, .frameTime) == 1)
    }

    @Test func `A connection without requests is closed when it has been idle for its time`() async throws {
        let world = try await World.make { $0.idleSeconds = 1 }
        let request = try Self.request("B2")
        let answers = try await RawClient.with(port: world.port) { client in
            try await client.send(request)
            return [try await client.frame(), try await client.frame()]
        }
        #expect(Self.code(answers[0]) == "00" && answers[1] == nil)
        await world.stop()
        #expect(world.server.metrics.figures().closed(.tcp, .idle) == 1)
    }

    @Test func `A frame longer than the limit is answered 80, and the connection closed`() async throws {
        let world = try await World.make { $0.frameLimit = 100 }
        let answers = try await RawClient.with(port: world.port) { client in
            try await client.send([0, 101] + Array("0000B2".utf8))
            return [try await client.frame(), try await client.frame()]
        }
        #expect(Self.code(answers[0]) == "80" && answers[1] == nil)
        await world.stop()
        #expect(world.server.metrics.figures().closed(.tcp, .frameSize) == 1)
    }

    @Test(arguments: [(limit: 1, byAddress: false), (limit: 1, byAddress: true)])
    func `One connection too many is closed at once, and the others are served on`(
        limit: Int, byAddress: Bool
    ) async throws {
        let world = try await World.make {
            if byAddress { $0.addressConnectionLimit = limit } else { $0.connectionLimit = limit }
        }
        let connection = try await world.connect()
        #expect(try await connection.run(EchoRequest([1])).bytes == [1])
        let answer = try await RawClient.with(port: world.port) { client in try? await client.frame() }
        #expect(answer == nil)
        #expect(try await connection.run(EchoRequest([2])).bytes == [2])
        await connection.close()
        await world.stop()
        let figures = world.server.metrics.figures()
        #expect(figures.refused(.tcp, byAddress ? .addressLimit : .limit) == 1)
        #expect(figures.sum.opened[Int(ServiceDoor.tcp.rawValue)] == 1 && figures.connections(.tcp) == 0)
    }

    @Test func `What finds the module's queue full is answered 41 at once`() async throws {
        let world = try await World.make { $0.moduleQueueLimit = 0 }
        let connection = try await world.connect()
        for _ in 0..<3 {
            await #expect(throws: CryptoClientError.refused(.internalError)) {
                try await connection.run(RandomValueRequest(count: 8))
            }
        }
        #expect(try await connection.run(EchoRequest([1])).bytes == [1])
        await connection.close()
        await world.stop()
    }

    @Test
    func
        `Each record of a YB takes a place in the client's rate, all or none, and a batch is counted with its records`()
        async throws
    {
        let world = try await World.make()
        try await world.centre.limit(World.plainClient, to: RequestLimit(perSecond: 1, burst: 6), by: World.conf)
        let record = PurchaseRecord(
            amount: 1_250, type: 6, terminal: try #require(PurseTerminal([0, 1, 2, 3, 4, 5])), terminalSequence: 9,
            time: PurseTime(date: 0x2016_1216, time: 0))
        let check = TACCheck(card: DiversificationFactor(rawValue: 1), record: .purchase(record), tac: PurseMAC(1))
        let connection = try await world.connect()
        func ask(_ count: Int) async throws -> HostErrorCode? {
            // However long the machine takes, the directory is not stale.
            try await world.centre.directory.refreshNow()
            do throws(CryptoClientError) {
                let verdicts = try await connection.verifyTACs(
                    Array(repeating: check, count: count), key: CommandTests.label("canteen/purse/tac"))
                #expect(verdicts == Array(repeating: .invalid, count: count))
                return nil
            } catch {
                guard case .refused(let code) = error else { throw error }
                return code
            }
        }
        // The clock of rates stands still in a test: six places, of which a refused batch takes one, that of its request.
        #expect(try await ask(7) == .fraudDetection)
        #expect(try await ask(3) == nil)
        #expect(try await ask(3) == .fraudDetection)
        #expect(try await ask(1) == nil)
        #expect(try await ask(1) == .fraudDetection)
        await connection.close()
        await world.stop()
        let records = world.server.metrics.figures().sum.records[CommandSlots.shared.slot(.verifyTACBatch)]
        #expect(records?.sum == 4 && records?.count == 2)
    }

    @Test(.timeLimit(.minutes(15))) func `Requests, connections and bytes of a real client are counted`() async throws {
        let world = try await World.make()
        let connection = try await world.connect()
        for _ in 0..<5 { _ = try await connection.run(RandomValueRequest(count: 8)) }
        let key = try HostKeyReference.label("canteen/closed/mac")
        for _ in 0..<2 {
            await #expect(throws: CryptoClientError.refused(.functionNotPermitted)) {
                try await connection.run(CheckValueRequest(key: key))
            }
        }
        await connection.close()
        // A stop before the service has seen that would be the one who closes.
        while world.server.metrics.figures().closed(.tcp, .client) == 0 {
            try Task.checkCancellation()
            await Task.yield()
        }
        await world.stop()
        let figures = world.server.metrics.figures()
        #expect(figures.perCommand[.randomValue]?.succeeded == 5)
        #expect(figures.perCommand[.checkValue]?.failed == 2)
        #expect(figures.requests == 7 && figures.latency(.tcp, .service)?.count == 5)
        #expect(figures.sum.bytesIn > 7 * 8 && figures.sum.bytesOut > 7 * 8)
        #expect(figures.closed(.tcp, .client) == 1)
        let totals = world.centre.counts.totals.filter { $0.kind.client == World.plainClient }
        #expect(totals.reduce(0) { $0 + $1.succeeded } <= 7)
    }

    @Test func `A cancellation gives up what a stop would wait for`() async throws {
        let world = try await World.make()
        // A module that takes everything and answers nothing.
        let path = "\(world.folder)/silent"
        let silent = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .bind(unixDomainSocketPath: path).get()
        var settings = world.settings
        settings.moduleSocket = path
        settings.stopSeconds = 3_600
        settings.moduleSeconds = 3_600
        let metrics = ServiceMetrics()
        let server = CryptoServer(
            settings, centre: world.centre, slowModule: ModuleBridge(path: path), metrics: metrics,
            logger: Logger(label: "test"))
        let running = Task { try await server.run() }
        while metrics.openDoors.isEmpty { await Task.yield() }
        let address = metrics.figures().doors[.tcp]
        let port = try #require(address?.split(separator: ":").last.flatMap { Int($0) })
        let request = try Self.request("M6")
        let answer = try await RawClient.with(port: port) { client in
            try await client.send(request)
            while metrics.figures().sum.gauges.inFlight == 0 { await Task.yield() }
            running.cancel()
            return try? await client.frame()
        }
        #expect(answer == nil)
        _ = try? await running.value
        try await silent.close()
        await world.stop()
    }
}
