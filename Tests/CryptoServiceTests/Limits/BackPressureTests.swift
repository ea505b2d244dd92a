import CryptoClient
import HSMBridge
import NIOCore
import Synchronization
import Testing

@testable import CryptoService

/// A client that asks and asks and takes none of its answers.
struct BackPressureTests {
    /// What it sends, a write at a time.
    private struct Load: Sendable {
        let port: Int
        let write: [UInt8]
        /// Much more than the system keeps between the two: 4 MiB for who sends and up to 32 MiB for the server; for the client, little.
        static let total = 72 << 20
        var writes: Int { Self.total / write.count }

        init(_ port: Int, _ request: [UInt8]) {
            self.port = port
            write = Array(repeating: request, count: max(1, 65_536 / request.count)).flatMap(\.self)
        }
    }

    private final class Count: Sendable {
        private let value = Atomic<Int>(0)
        var now: Int { value.load(ordering: .relaxed) }
        func increment() { value.wrappingAdd(1, ordering: .relaxed) }
    }

    private static func load(_ door: HTTPDoor, overHTTP: Bool) -> Load {
        guard overHTTP else {
            let body = Array("0001B20FA0".utf8) + [UInt8](repeating: 0x41, count: 4_000)
            return Load(door.world.port, [UInt8(body.count >> 8), UInt8(body.count & 255)] + body)
        }
        let body = #"{"data":"\#(String(repeating: "41", count: 4_000))"}"#
        return Load(
            door.port,
            door.request("POST", "/v1/echo", Array(body.utf8), headers: ["content-type: application/json"]))
    }

    @Test(.timeLimit(.minutes(15)), arguments: [false, true])
    func `Who takes no answers is not read from any more, others are served, and when he takes some he is read on`(
        overHTTP: Bool
    ) async throws {
        let door = try await HTTPDoor.make(without: [], presented: true)
        let load = Self.load(door, overHTTP: overHTTP)
        let taken = Count()
        let other = try await door.world.connect()
        let sending = try await RawClient.with(port: load.port, receiveBuffer: 65_536) { greedy in
            let wire = greedy.wire
            let sending = Task {
                for _ in 0..<load.writes {
                    try await wire.handOver(load.write)
                    taken.increment()
                }
            }
            // Until no more is taken from it while others were answered a thousand times, or until all of it was.
            var (before, rounds) = (-1, 0)
            while rounds < 5, taken.now < load.writes {
                try Task.checkCancellation()
                for number in 0..<200 {
                    #expect(try await other.run(EchoRequest([UInt8(number)])).bytes == [UInt8(number)])
                }
                let now = taken.now
                rounds = now == before && now > 0 ? rounds + 1 : 0
                before = now
            }
            // What the server holds for this client is less than what it has read from it.
            try #require(
                before > 0 && before < load.writes * 3 / 4, "\(before) of \(load.writes) writes were taken")
            while taken.now == before, try await greedy.reads.next(isolation: nil) != nil {}
            #expect(taken.now > before)
            // The rest is not sent: the connection is closed, and with it what waits to be taken.
            return sending
        }
        await #expect(throws: (any Error).self) { try await sending.value }
        await other.close()
        await door.stop()
    }

    @Test(.timeLimit(.minutes(15)))
    func `Who takes no answers is closed after the idle time, also where half a request of his was read`() async throws
    {
        let door = try await HTTPDoor.make(without: [], presented: true) { $0.idleSeconds = 1 }
        // Most of it is head, more than one read takes: the last that was read ends within a head.
        let body = #"{"data":"\#(String(repeating: "41", count: 15_000))"}"#
        let request = door.request(
            "POST", "/v1/echo", Array(body.utf8),
            headers: ["content-type: application/json", "x-ballast: " + String(repeating: "b", count: 75_000)])
        let load = Load(door.port, request)
        await #expect(throws: (any Error).self) {
            try await RawClient.with(port: load.port, receiveBuffer: 65_536) { greedy in
                // Ends when the service closes.
                for _ in 0..<4 * load.writes { try await greedy.send(load.write) }
            }
        }
        await door.stop()
        #expect(door.world.server.metrics.figures().closed(.http, .idle) == 1)
    }
}
