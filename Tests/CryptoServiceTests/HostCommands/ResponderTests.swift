import CryptoClient
import NIOCore
import Testing

@testable import CryptoService

/// What does not come over the port is answered as what does.
struct ResponderTests {
    private static let fields = HostMACFields(
        algorithm: .algorithm3, padding: .method2, key: CommandTests.label("canteen/pos/mac"),
        message: HostMACMessage(Array(repeating: 0x42, count: 64)))

    private static func mac(_ answer: HostAnswer) -> [UInt8]? {
        guard case .mac(let mac) = answer else { return nil }
        return Array(mac.readableBytesView)
    }

    private static func code(_ answer: HostAnswer) -> HostErrorCode? {
        guard case .refused(let code) = answer else { return nil }
        return code
    }

    private static func ask(_ world: World, _ request: HostRequest, client: String = World.plainClient) async
        -> HostAnswer
    {
        await world.server.responder.answer(request, client: client, origin: "test")
    }

    @Test func `A request of another door has the answer of the port, quick commands and slow ones`() async throws {
        let world = try await World.shared.value
        let connection = try await world.connect()
        let expected = try await connection.run(GenerateMACRequest(Self.fields)).bytes
        #expect(Self.mac(await Self.ask(world, .generateMAC(GenerateMACRequest(Self.fields)))) == expected)
        let diagnostics = try await connection.run(DiagnosticsRequest())
        guard case .diagnostics(let reply) = await Self.ask(world, .diagnostics(DiagnosticsRequest())) else {
            Issue.record("no diagnostics")
            return
        }
        #expect(reply.lmkCheckValue == diagnostics.lmkCheckValue)
        await connection.close()
    }

    @Test func `Grants hold for other doors too`() async throws {
        let world = try await World.shared.value
        let request = HostRequest.generateMAC(GenerateMACRequest(Self.fields))
        #expect(Self.code(await Self.ask(world, request, client: "nobody")) == .commandDisabled)
        var closed = Self.fields
        closed.key = CommandTests.label("canteen/closed/mac")
        #expect(
            Self.code(await Self.ask(world, .generateMAC(GenerateMACRequest(closed)))) == .functionNotPermitted)
    }

    @Test func `Many requests are answered in their order, each by its own answer`() async throws {
        let world = try await World.make { $0.loops = 2 }
        let connection = try await world.connect()
        var expected: [[UInt8]?] = []
        var requests: [HostRequest] = []
        for number in 0..<300 {
            var fields = Self.fields
            fields.message = HostMACMessage([UInt8(number % 256), UInt8(number / 256)])
            let request = GenerateMACRequest(fields)
            expected.append(try await connection.run(request).bytes)
            requests.append(.generateMAC(request))
        }
        for _ in 0..<4 {
            let answers = await world.server.responder.answer(requests, client: World.plainClient, origin: "test")
            #expect(answers.map(Self.mac) == expected)
        }
        await connection.close()
        await world.stop()
    }

    @Test func `A module that is away is told by its code, and so is a service that has stopped`() async throws {
        let world = try await World.make()
        let request = HostRequest.generateMAC(GenerateMACRequest(Self.fields))
        #expect(Self.mac(await Self.ask(world, request)) != nil)
        world.stopModule()
        var answer = await Self.ask(world, request)
        // Until the socket's end is seen, a request may still be answered.
        while Self.code(answer) == nil { answer = await Self.ask(world, request) }
        #expect(Self.code(answer) == .internalError)
        await world.stop()
        #expect(Self.code(await Self.ask(world, request)) == .internalError)
    }
}
