import CryptoClient
import HSMBridge
import Testing

@testable import CryptoService

/// What comes over the wire from clients that are broken, slow or hostile.
struct StreamTests {
    @Test func `A frame of length zero and one that is too short are answered, and the next one is read`() async throws
    {
        let world = try await World.shared.value
        let page = try #require(ProtocolPage.shared)
        let echo = try #require(page.messages["B2 request"])
        let answers = try await RawClient.with(port: world.port) { client in
            try await client.send([0, 0] + [0, 3, 1, 2, 3] + echo)
            return [try await client.frame(), try await client.frame(), try await client.frame()]
        }
        let unreadable = Hex.encode(page.messages["answer to what is not a frame"] ?? [])
        #expect(answers.prefix(2).allSatisfy { $0.map(Hex.encode) == unreadable })
        #expect(answers[2] == page.messages["B2 answer"])
    }

    @Test func `Half a frame and a closed half is answered with 80 and closed`() async throws {
        let world = try await World.shared.value
        let answers = try await RawClient.with(port: world.port) { client in
            try await client.send([0, 9, 0x30, 0x30])
            client.finish()
            return [try await client.frame(), try await client.frame()]
        }
        #expect(answers[0].map { Array($0.suffix(4)) } == Array("??80".utf8))
        #expect(answers[1] == nil)
    }

    @Test func `Half a frame and silence is answered with 80 and closed`() async throws {
        let world = try await World.make { $0.frameSeconds = 0 }
        let answers = try await RawClient.with(port: world.port) { client in
            try await client.send([0, 9, 0x30, 0x30])
            return [try await client.frame(), try await client.frame()]
        }
        #expect(answers[0].map { Array($0.suffix(4)) } == Array("??80".utf8))
        #expect(answers[1] == nil)
        await world.stop()
    }

    @Test func `A frame beyond the limit is answered with 80 and ends the connection`() async throws {
        let world = try await World.make { $0.frameLimit = 64 }
        let answers = try await RawClient.with(port: world.port) { client in
            try await client.send([0, 65])
            return [try await client.frame(), try await client.frame()]
        }
        #expect(answers[0].map { Array($0.suffix(4)) } == Array("??80".utf8))
        #expect(answers[1] == nil)
        await world.stop()
    }

    @Test func `More connections than the limit are closed, and the others go on`() async throws {
        let world = try await World.make { $0.connectionLimit = 2 }
        let first = try await world.connect()
        let second = try await world.connect()
        #expect(try await first.run(EchoRequest([1])).bytes == [1])
        #expect(try await second.run(EchoRequest([1])).bytes == [1])
        let answer = try await RawClient.with(port: world.port) { client in try await client.frame() }
        #expect(answer == nil)
        #expect(try await first.run(EchoRequest([2])).bytes == [2])
        await first.close()
        await second.close()
        await world.stop()
    }

    @Test func `Ten thousand frames of garbage are each answered, and none is fatal`() async throws {
        let world = try await World.shared.value
        var random = SplitMix(state: 0x5EED)
        // Sorted, so that the same frames are sent in every run.
        let commands = KnownCommands.all.sorted() + ["??"]
        #expect(commands.count > 40)
        for _ in 0..<20 {
            var sent: [UInt8] = []
            for number in 0..<500 {
                let count = Int(random.next() % 90)
                var body = Array(commands[Int(random.next() % UInt64(commands.count))].utf8)
                // Half of them begin as a request would.
                if random.next() % 2 == 0 { body += Array("00031FFFL15canteen/pos/mac".utf8.prefix(count)) }
                body += (0..<count).map { _ in UInt8(truncatingIfNeeded: random.next()) }
                let header = [UInt8(number >> 8), UInt8(number & 255), 0x2B, 0x2B]
                let length = body.count + 4
                sent += [UInt8(length >> 8), UInt8(length & 255)] + header + body
            }
            let batch = sent
            let numbers = try await RawClient.with(port: world.port) { client in
                try await client.send(batch)
                var numbers: [Int] = []
                while numbers.count < 500, let frame = try await client.frame() {
                    numbers.append(Int(frame[2]) << 8 | Int(frame[3]))
                }
                return numbers
            }
            #expect(numbers == Array(0..<500))
        }
        let connection = try await world.connect()
        #expect(try await connection.run(EchoRequest([7])).bytes == [7])
        await connection.close()
    }

    @Test func `A stop answers what was accepted`() async throws {
        let world = try await World.make()
        let answers = try await RawClient.with(port: world.port) { client in
            // In one segment: when the first is answered, all have been accepted. Random values take the way over the module.
            var bytes: [UInt8] = Array("\u{0}\u{E}0001B20004PING".utf8)
            for number in 1...50 {
                bytes += [0, 9]
                bytes += Array("00\(10 + number)N0008".utf8)
            }
            try await client.send(bytes)
            var answers = [try await client.frame()]
            async let stopped: Void = world.server.stop()
            while let answer = try await client.frame() { answers.append(answer) }
            await stopped
            return answers.compactMap { $0.map { String(decoding: $0.dropFirst(2).prefix(8), as: UTF8.self) } }
        }
        #expect(answers == ["0001B300"] + (1...50).map { "00\(10 + $0)N100" })
        world.stopModule()
    }
}

/// Random numbers that are the same in every run.
struct SplitMix {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
        return mixed ^ mixed >> 31
    }
}

/// How many of a number of concurrent requests ended how.
struct Outcomes {
    var right = 0
    var wrong = 0
    var failed = 0
    var codes: Set<HostErrorCode> = []

    static func of(_ count: Int, _ request: @escaping @Sendable () async throws -> Bool) async -> Outcomes {
        await withTaskGroup(of: Result<Bool, any Error>.self) { group in
            for _ in 0..<count {
                group.addTask { do { return .success(try await request()) } catch { return .failure(error) } }
            }
            var outcomes = Outcomes()
            for await result in group {
                switch result {
                case .success(true): outcomes.right += 1
                case .success(false): outcomes.wrong += 1
                case .failure(CryptoClientError.refused(let code)):
                    outcomes.failed += 1
                    outcomes.codes.insert(code)
                case .failure: outcomes.failed += 1
                }
            }
            return outcomes
        }
    }
}
