import CryptoClient
import HSMBridge
import NIOCore
import Testing

@testable import CryptoService
@testable import KMS

/// The module goes, is sealed, comes back: clients hear of it at once and need not connect again.
struct ModuleAwayTests {
    private static let fields = HostMACFields(
        algorithm: .algorithm3, padding: .method2, key: CommandTests.label("canteen/pos/mac"),
        message: HostMACMessage(Array(repeating: 0x42, count: 64)))

    @Test func `Without the module requests are refused at once, and with it again carried out`() async throws {
        let world = try await World.make()
        let connection = try await world.connect()
        _ = try await connection.run(GenerateMACRequest(Self.fields))
        world.stopModule()
        await #expect(throws: CryptoClientError.refused(.internalError)) {
            // Until the socket's end is seen, a request may still be answered.
            while true { _ = try await connection.run(GenerateMACRequest(Self.fields)) }
        }
        #expect(try await connection.run(EchoRequest([1])).bytes == [1])
        try world.startModule()
        #expect(try await Self.comesBack(connection))
        await connection.close()
        await world.stop()
    }

    /// Asks until it is answered; gives up after a number of tries that takes much longer than the longest pause.
    private static func comesBack(_ connection: CryptoConnection) async throws -> Bool {
        for _ in 0..<1_000_000 {
            do throws(CryptoClientError) {
                _ = try await connection.run(GenerateMACRequest(fields))
                return true
            } catch {
                guard error == .refused(.internalError) else { throw error }
            }
        }
        return false
    }

    @Test func `A sealed module is told by its code`() async throws {
        let world = try await World.make()
        let connection = try await world.connect()
        _ = try await connection.run(GenerateMACRequest(Self.fields))
        _ = try await world.module.execute(SealModule())
        for request in 0..<3 {
            await #expect(throws: CryptoClientError.refused(.lmkIdentifier), "request \(request)") {
                try await connection.run(GenerateMACRequest(Self.fields))
            }
        }
        await #expect(throws: CryptoClientError.refused(.lmkIdentifier)) {
            try await connection.run(DiagnosticsRequest())
        }
        #expect(try await connection.run(EchoRequest([1])).bytes == [1])
        await connection.close()
        await world.stop()
    }

    @Test func `A handle that the module has forgotten is opened again, and the client notices nothing`() async throws {
        let world = try await World.make()
        let connection = try await world.connect()
        let mac = try await connection.run(GenerateMACRequest(Self.fields)).bytes
        let id = try #require(KeyIdentity("canteen/pos/mac/01"))
        let stored = try #require(world.centre.directory.snapshot.key(id))
        for _ in 0..<3 {
            let handle = try await world.module.execute(OpenKey(key: stored.reference)).handle
            _ = try await world.module.execute(CloseKey(handle: handle))
            let outcomes = await Outcomes.of(64) {
                try await connection.run(GenerateMACRequest(Self.fields)).bytes == mac
            }
            #expect(outcomes.right == 64)
        }
        await connection.close()
        await world.stop()
    }

    @Test func `Requests are counted by key and client, and each wrong MAC is recorded`() async throws {
        let world = try await World.make()
        let connection = try await world.connect()
        for _ in 0..<5 { _ = try await connection.run(GenerateMACRequest(Self.fields)) }
        for _ in 0..<3 {
            let isRight = try await connection.verifyMAC(VerifyMACRequest(Self.fields, mac: HostMAC([0, 0, 0, 0])))
            #expect(!isRight)
        }
        await connection.close()
        await world.stop()
        try await world.centre.counts.flush()
        try await world.centre.failedChecks.flush()
        let counts = try await world.centre.counts.recent(minutes: 5).filter { $0.key == "canteen/pos/mac/01" }
        #expect(counts.filter { $0.operation == "generateMAC" }.map(\.succeeded).reduce(0, +) == 5)
        #expect(counts.filter { $0.operation == "verifyMAC" }.map(\.failed).reduce(0, +) == 3)
        let failed = try await world.centre.failedChecks.recent(limit: 100)
        #expect(failed.filter { $0.code == "01" && $0.client == World.plainClient }.map(\.count).reduce(0, +) == 3)
    }

    @Test(arguments: [1, 3])
    func `Fifty connections under load while the module stops and starts: each request is answered once`(
        loops: Int
    ) async throws {
        let world = try await World.make { $0.loops = loops }
        let connections = try await Self.connections(50, world)
        async let outcomes = Outcomes.of(50 * 40) {
            let connection = connections[Int.random(in: 0..<50)]
            return try await connection.run(GenerateMACRequest(Self.fields)).bytes.count == 4
        }
        for _ in 0..<3 {
            world.stopModule()
            try world.startModule()
        }
        let result = await outcomes
        #expect(result.right + result.failed == 2_000)
        #expect(result.wrong == 0)
        #expect(result.codes.isSubset(of: [.internalError]))
        for connection in connections {
            #expect(try await Self.comesBack(connection))
            await connection.close()
        }
        await world.stop()
    }

    @Test(arguments: [1, 3])
    func `Fifty connections with all kinds of requests mixed are answered in their order`(loops: Int) async throws {
        let world = try await World.make { $0.loops = loops }
        let connections = try await Self.connections(50, world)
        let samples = try await Self.samples(connections[0])
        let outcomes = await Outcomes.of(50 * 32) {
            let connection = connections[Int.random(in: 0..<50)]
            switch Int.random(in: 0..<8) {
            case 0: return try await connection.run(EchoRequest([1, 2, 3])).bytes == [1, 2, 3]
            case 1: return try await connection.run(RandomValueRequest(count: 8)).bytes.count == 8
            case 2: return try await connection.run(CheckValueRequest(key: Self.fields.key)).checkValue == "8E6716"
            case 3: return try await connection.run(DiagnosticsRequest()).firmware == "0001-E000"
            case 4:
                let attributes = try HostKeyAttributes(usage: "M3", algorithm: "T2", modeOfUse: "C")
                return try await connection.run(GenerateKeyRequest(attributes: attributes)).key.form == .lmkBlock
            case 5: return try await Self.isMadeInParts(samples[Int.random(in: 0..<samples.count)], connection)
            default: return try await Self.isRight(samples[Int.random(in: 0..<samples.count)], connection)
            }
        }
        #expect(outcomes.right == 1_600, "\(outcomes)")
        for connection in connections { await connection.close() }
        await world.stop()
    }

    @Test func `Handles that become void under load are opened again, and every answer is that of its own request`()
        async throws
    {
        let world = try await World.make { $0.loops = 2 }
        let connections = try await Self.connections(10, world)
        let samples = try await Self.samples(connections[0])
        let id = try #require(KeyIdentity("canteen/pos/mac/01"))
        let stored = try #require(world.centre.directory.snapshot.key(id))
        async let outcomes = Outcomes.of(3_000) {
            try await Self.isRight(
                samples[Int.random(in: 0..<samples.count)], connections[Int.random(in: 0..<connections.count)])
        }
        for _ in 0..<200 {
            let handle = try await world.module.execute(OpenKey(key: stored.reference)).handle
            _ = try await world.module.execute(CloseKey(handle: handle))
        }
        let result = await outcomes
        #expect(result.right == 3_000, "\(result)")
        for connection in connections { await connection.close() }
        await world.stop()
    }

    /// A message with its MAC.
    private struct Sample: Sendable {
        let fields: HostMACFields
        let mac: [UInt8]
    }

    private static func samples(_ connection: CryptoConnection) async throws -> [Sample] {
        var samples: [Sample] = []
        for number in 0..<16 {
            var fields = fields
            fields.message = HostMACMessage((0..<64).map { UInt8($0 + number) })
            samples.append(Sample(fields: fields, mac: try await connection.run(GenerateMACRequest(fields)).bytes))
        }
        return samples
    }

    /// Made anew, checked, and with one bit changed found wrong.
    private static func isRight(_ sample: Sample, _ connection: CryptoConnection) async throws -> Bool {
        let fields = sample.fields
        switch Int.random(in: 0..<3) {
        case 0: return try await connection.run(GenerateMACRequest(fields)).bytes == sample.mac
        case 1: return try await connection.verifyMAC(VerifyMACRequest(fields, mac: HostMAC(sample.mac)))
        default:
            var wrong = sample.mac
            wrong[Int.random(in: 0..<4)] ^= 1 << UInt8.random(in: 0..<8)
            return try await !connection.verifyMAC(VerifyMACRequest(fields, mac: HostMAC(wrong)))
        }
    }

    /// The same MAC over the message in two parts, which is not the hot lane's.
    private static func isMadeInParts(_ sample: Sample, _ connection: CryptoConnection) async throws -> Bool {
        let bytes = Array(sample.fields.message.content.readableBytesView)
        var first = sample.fields
        first.mode = .first
        first.message = HostMACMessage(Array(bytes[..<24]))
        var last = sample.fields
        last.mode = .last
        last.chainingValue = try await connection.run(GenerateMACRequest(first)).bytes
        last.message = HostMACMessage(Array(bytes[24...]))
        return try await connection.run(GenerateMACRequest(last)).bytes == sample.mac
    }

    private static func connections(_ count: Int, _ world: World) async throws -> [CryptoConnection] {
        var connections: [CryptoConnection] = []
        for _ in 0..<count { connections.append(try await world.connect()) }
        return connections
    }
}
