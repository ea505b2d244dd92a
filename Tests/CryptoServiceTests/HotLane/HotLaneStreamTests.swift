import CryptoClient
import NIOCore
import Testing

@testable import CryptoService

/// The hot lane and the other way side by side on real connections: nobody can tell from the answers which way was taken.
struct HotLaneStreamTests {
    private struct Exchange {
        let request: [UInt8]
        let answer: [UInt8]
    }

    /// Requests of all kinds, usual and unusual, each with the answer that it has alone on a fresh connection.
    private static func script(_ world: World, headerLength: Int) async throws -> [Exchange] {
        let key = CommandTests.label("canteen/pos/mac")
        var exchanges: [Exchange] = []
        let connection = try await world.connect()
        for number in 0..<48 {
            let data = [UInt8](repeating: UInt8(number), count: number * 5)
            var fields = HostMACFields(
                size: number % 2 == 0 ? .fourBytes : .eightBytes, algorithm: .algorithm3, padding: .method2, key: key,
                message: HostMACMessage(data, format: number % 3 == 0 ? .hexadecimal : .binary))
            if number % 7 == 6 { fields.key = CommandTests.label("canteen/closed/mac") }
            var mac = number % 7 == 6 ? [0, 0, 0, 0] : try await connection.run(GenerateMACRequest(fields)).bytes
            if number % 4 == 3 { mac[0] ^= 1 }
            let end = number % 5 == 4 ? MessageEnd(trailer: ByteBuffer(bytes: [0x54, UInt8(number)])) : .none
            let verify = VerifyMACRequest(fields, mac: HostMAC(mac))
            exchanges.append(
                try await exchange(connection, .verifyMAC, verify.body(end: end), number, headerLength, end))
            exchanges.append(
                try await exchange(
                    connection, .generateMAC, GenerateMACRequest(fields).body(end: end), number, headerLength, end))
            exchanges.append(
                try await exchange(
                    connection, .echo, EchoRequest([UInt8](repeating: 7, count: number)).body(), number, headerLength,
                    .none))
        }
        await connection.close()
        return exchanges
    }

    private static func exchange(
        _ connection: CryptoConnection, _ command: HostCommandCode, _ body: ByteBuffer, _ number: Int,
        _ headerLength: Int, _ end: MessageEnd
    ) async throws -> Exchange {
        let reply = try await connection.send(command: command.description, body: Array(body.readableBytesView))
        let header = ByteBuffer(bytes: (0..<headerLength).map { UInt8(truncatingIfNeeded: number + $0) })
        var answer = ByteBuffer()
        answer.writeInteger(reply.error.bytes)
        answer.writeImmutableBuffer(reply.body)
        return Exchange(
            request: try written(HostFrame(header: header, command: command, body: body)),
            answer: try written(HostFrame(header: header, command: command.reply, body: answer)))
    }

    private static func written(_ frame: HostFrame) throws(FrameError) -> [UInt8] {
        var buffer = ByteBuffer()
        try frame.write(into: &buffer)
        return Array(buffer.readableBytesView)
    }

    @Test func `A client that takes megabytes of answers slowly gets each of them whole and in order`() async throws {
        let world = try await World.shared.value
        let port = world.port
        let frames = try (0..<400).map { number in
            let data = [UInt8](repeating: UInt8(truncatingIfNeeded: number), count: number * 7_919 % 32_000)
            let header = ByteBuffer(string: String(10_000 + number).suffix(4).description)
            return try Self.written(HostFrame(header: header, command: .echo, body: EchoRequest(data).body()))
        }
        let answers = try await RawClient.with(port: port) { session in
            let outbound = session.outbound
            async let sending: Void = {
                for frame in frames { try await outbound.write(ByteBuffer(bytes: frame)) }
            }()
            var answers: [[UInt8]] = []
            while answers.count < frames.count, let answer = try await session.frame() { answers.append(answer) }
            try await sending
            return answers
        }
        #expect(answers.count == frames.count)
        for (frame, answer) in zip(frames, answers) {
            // length 2 | header 4 | B3 | 00 | the data, whose length stood in four digits behind the command.
            let isRight = answer[2..<6] == frame[2..<6] && answer.dropFirst(10) == frame.dropFirst(12)
            #expect(isRight)
        }
    }

    @Test(arguments: [4, 0, 8, 12])
    func `However a stream is cut into reads, its answers are the same and in its order`(headerLength: Int) async throws
    {
        // The script comes from a service with the usual header; keys and module differ from world to world.
        let world = try await World.make {
            $0.loops = 2
            $0.inFlightLimit = 20
        }
        let exchanges = try await Self.script(world, headerLength: headerLength)
        var settings = world.settings
        settings.headerLength = headerLength
        let server = world.anotherServer(settings)
        let port = try await server.start()
        let stream = exchanges.flatMap(\.request)
        for pattern in [[stream.count], [1], [3, 1, 200, 2, 17], [97], [1_400]] {
            let answers = try await RawClient.with(port: port) { session in
                session.stream = HostFrameStream(HostFrameFormat(headerLength: headerLength))
                var sent = 0
                var number = 0
                // Single bytes for the beginning only: it is the borders that matter.
                let end = pattern == [1] ? min(2_000, stream.count) : stream.count
                while sent < end {
                    let next = min(sent + pattern[number % pattern.count], end)
                    try await session.send(Array(stream[sent..<next]))
                    sent = next
                    number += 1
                }
                if end < stream.count { try await session.send(Array(stream[end...])) }
                var answers: [[UInt8]] = []
                for _ in exchanges {
                    guard let answer = try await session.frame() else { break }
                    answers.append(answer)
                }
                return answers
            }
            #expect(answers == exchanges.map(\.answer), "\(pattern)")
        }
        await server.stop()
        await world.stop()
    }
}
