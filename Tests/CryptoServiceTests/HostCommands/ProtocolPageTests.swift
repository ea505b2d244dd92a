import HSMBridge
import Testing

/// The messages of the page, played to the port as they stand there.
struct ProtocolPageTests {
    @Test(arguments: [
        ("B2 request", "B2 answer"), ("B2 request with trailer", "B2 answer with trailer"), ("BU request", "BU answer"),
        ("M6 request", "M6 answer"), ("M6 request, first part", "M6 answer, first part"),
        ("M8 request, last part", "M8 answer"), ("YL request", "YL answer"), ("YP request", "YP answer"),
        ("YR request", "YR answer"), ("YT request", "YT answer"), ("YB request", "YB answer"),
        ("GM request", "GM answer"), ("NO request", "NO answer"),
    ])
    func `A message of the protocol page is answered as the page says`(request: String, answer: String) async throws {
        let world = try await World.shared.value
        let page = try #require(ProtocolPage.shared)
        let sent = try #require(page.messages[request])
        let expected = try #require(page.messages[answer])
        let answered = try await RawClient.with(port: world.port) { client in
            try await client.send(sent)
            return try await client.frame()
        }
        #expect(answered.map(Hex.encode) == Hex.encode(expected))
    }

    @Test func `All messages of the page in one write are answered in their order`() async throws {
        let world = try await World.shared.value
        let page = try #require(ProtocolPage.shared)
        let titles = ["YB", "B2", "M6", "NC", "YL", "BU", "YP", "N0", "YT", "YR"]
        let sent = try titles.map { try #require(page.messages["\($0) request"]) }
        let headers = sent.map { Array($0[2..<6]) }
        let answers = try await RawClient.with(port: world.port) { client in
            var answers: [[UInt8]] = []
            try await client.send(Array(sent.joined()))
            for _ in titles { if let frame = try await client.frame() { answers.append(frame) } }
            return answers
        }
        #expect(answers.map { Array($0[2..<6]) } == headers)
        #expect(answers.allSatisfy { Array($0[8..<10]) == Array("00".utf8) })
    }
}
