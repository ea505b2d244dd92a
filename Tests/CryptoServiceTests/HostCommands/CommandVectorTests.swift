import HSMBridge
import Testing

/// Every command with keys and values of outsiders' making, through the port.
struct CommandVectorTests {
    /// Messages under way at once: what the window of a busy client is.
    private static let window = 64

    @Test func `the vectors are all there`() {
        #expect(CommandVectors.keys.count >= 10)
        #expect(CommandVectors.messages.count >= 330)
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
}
