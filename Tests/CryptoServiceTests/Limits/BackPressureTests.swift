import CryptoClient
import HSMBridge
import NIOCore
import Synchronization
import Testing

@testable import CryptoService

/// A client that asks and asks and takes none of its answers.
struct BackPressureTests {
    /// Requests of one write, and the bytes of one answer.
    private struct Load: Sendable {
        let port: Int
        let chunk: [UInt8]
        let requests: Int
        let answer: Int
        /// Much more than the system keeps between the two, both ways: 32 MiB for who is sent to, 4 MiB for who sends.
        static let total = 72 << 20
        var chunks: Int { Self.total / chunk.count }
    }

    private final class Count: Sendable {
        let value = Atomic<Int>(0)
    }

    private static func echoes(_ world: World) -> Load {
        let data = [UInt8](repeating: 0x41, count: 4_000)
        let body = Array("0001B20FA0".utf8) + data
        let frame = [UInt8(body.count >> 8), UInt8(body.count & 255)] + body
        return Load(
            port: world.port, chunk: Array(repeating: frame, count: 16).flatMap(\.self), requests: 16,
            answer: 2 + 4 + 2 + 2 + data.count)
    }

    private static func echoes(_ door: HTTPDoor) async throws -> Load {
        let body = #"{"data":"\#(String(repeating: "41", count: 4_000))"}"#
        let request = door.request("POST", "/v1/echo", Array(body.utf8), headers: ["content-type: application/json"])
        // As long as it is alone: head and body are the same each time.
        let length = try await RawClient.with(port: door.port) { client in
            try await client.send(request)
            #expect(try await client.httpAnswer().status == 200)
            return client.pending.readerIndex
        }
        return Load(
            port: door.port, chunk: Array(repeating: request, count: 8).flatMap(\.self), requests: 8, answer: length)
    }

    @Test(.timeLimit(.minutes(5)), arguments: [false, true])
    func `Who takes no answers is not read from any more, others are served, and in the end each answer is there`(
        overHTTP: Bool
    ) async throws {
        let door = try await HTTPDoor.make(without: [], presented: true)
        let load = overHTTP ? try await Self.echoes(door) : Self.echoes(door.world)
        let sent = Count()
        let other = try await door.world.connect()
        try await RawClient.with(port: load.port) { greedy in
            let outbound = greedy.outbound
            async let sending: Void = {
                for _ in 0..<load.chunks {
                    try await outbound.write(ByteBuffer(bytes: load.chunk))
                    sent.value.wrappingAdd(1, ordering: .relaxed)
                }
            }()
            // Until no more is taken from it while others were answered thousands of times, or until all of it was.
            var (before, rounds) = (-1, 0)
            while rounds < 5, sent.value.load(ordering: .relaxed) < load.chunks {
                try Task.checkCancellation()
                for number in 0..<400 {
                    #expect(try await other.run(EchoRequest([UInt8(number & 255)])).bytes.count == 1)
                }
                let now = sent.value.load(ordering: .relaxed)
                rounds = now == before ? rounds + 1 : 0
                before = now
            }
            // What the server holds for this client is less than what it has read from it.
            #expect(before > 0 && before < load.chunks * 3 / 4, "\(before) of \(load.chunks) writes were taken")
            var bytes = 0
            while bytes < load.chunks * load.requests * load.answer,
                let read = try await greedy.reads.next(isolation: nil)
            {
                bytes += read.readableBytes
            }
            try await sending
            #expect(bytes == load.chunks * load.requests * load.answer)
        }
        await other.close()
        await door.stop()
    }
}
