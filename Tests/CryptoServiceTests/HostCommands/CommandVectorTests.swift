import HSMBridge
import Testing

/// Every command with keys and values of outsiders' making, through the port.
struct CommandVectorTests {
    /// Messages under way at once: what the window of a busy client is.
    private static let window = 64

    @Test func `the vectors are all there`() {
        #expect(CommandVectors.keys.count >= 10)
        #expect(CommandVectors.messages.count >= 430)
        #expect(Set(CommandVectors.messages.map(\.id)).count == CommandVectors.messages.count)
    }

    @Test func `every message is answered as others calculate it`() async throws {
        let world = try await World.ofVectors.value
        let messages = CommandVectors.messages
        let answers = try await RawClient.with(port: world.port) { client in
            var answers: [[UInt8]] = []
            for start in stride(from: 0, to: messages.count, by: Self.window) {
                let part = messages[start..<min(start + Self.window, messages.count)]
                try await client.send(Array(part.map(\.request).joined()))
                for _ in part { if let frame = try await client.frame() { answers.append(frame) } }
            }
            return answers
        }
        #expect(answers.count == messages.count)
        for (message, answer) in zip(messages, answers) {
            #expect(Hex.encode(answer) == Hex.encode(message.answer), "\(message.id)")
        }
    }

    @Test func `a key that is made has the check value that others calculate, and does what they do with it`()
        async throws
    {
        #expect(CommandVectors.made.count == 14)
        let world = try await World.ofVectors.value
        try await RawClient.with(port: world.port) { client in
            for vector in CommandVectors.made {
                try await client.send(vector.request)
                var (block, check) = try Self.key(await client.frame(), vector.id)
                #expect(check == vector.checkValue, "\(vector.id)")
                if block.first == UInt8(ascii: "R") {
                    // What went out under the transport key comes in again under it.
                    try await client.send(Self.frame(Array("A6FFFL17canteen/kek/known".utf8) + block + Array("S".utf8)))
                    (block, check) = try Self.key(await client.frame(), vector.id)
                    #expect(check == vector.checkValue, "\(vector.id)")
                }
                #expect(block.first == UInt8(ascii: "S"), "\(vector.id)")
                try await client.send(Self.frame(vector.before + block + vector.after))
                let answer = try #require(try await client.frame())
                #expect(Hex.encode(Array(answer.dropFirst(6))) == Hex.encode(vector.answer), "\(vector.id)")
            }
        }
    }

    static func frame(_ message: [UInt8]) -> [UInt8] {
        let length = message.count + 4
        return [UInt8(length >> 8), UInt8(length & 255)] + Array("0000".utf8) + message
    }

    /// Block and check value of an answer: length 2 | header 4 | answer code 2 | error 2 | block | six digits.
    private static func key(_ frame: [UInt8]?, _ id: String) throws -> (block: [UInt8], checkValue: String) {
        let frame = try #require(frame)
        try #require(frame.count > 30 && Array(frame[8..<10]) == Array("00".utf8), "\(id) \(Hex.encode(frame))")
        return (Array(frame[10...].dropLast(6)), String(decoding: frame.suffix(6), as: UTF8.self))
    }
}
