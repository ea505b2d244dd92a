import CryptoClient
import HSMBridge
import KMS
import NIOCore
import Testing

@testable import CryptoService

/// How connections over HTTP end: each way by its own reason, and none stays open because nobody ends it.
@Suite(.timeLimit(.minutes(15))) struct ConnectionEndTests {
    private static let random = #"{"count":8}"#

    private static func door(_ adjust: (inout CryptoSettings) -> Void) async throws -> HTTPDoor {
        try await HTTPDoor.make(without: [], presented: true, adjust)
    }

    /// Sends, and reads answers until the server closes.
    private static func ask(_ door: HTTPDoor, _ bytes: [UInt8], answers: Int) async throws -> [HTTPAnswer] {
        try await RawClient.with(port: door.port) { client in
            if !bytes.isEmpty { try await client.send(bytes) }
            var read: [HTTPAnswer] = []
            for _ in 0..<answers { read.append(try await client.httpAnswer()) }
            while try await client.reads.next(isolation: nil) != nil {}
            return read
        }
    }

    private static func closed(_ door: HTTPDoor, _ reason: ConnectionEnd) -> UInt64 {
        door.world.server.metrics.figures().closed(.http, reason)
    }

    @Test func `A connection that says nothing is closed after the time for its first byte`() async throws {
        let door = try await Self.door { $0.firstByteSeconds = 1 }
        _ = try await Self.ask(door, [], answers: 0)
        await door.stop()
        #expect(Self.closed(door, .firstByte) == 1)
    }

    @Test func `A connection between two requests is closed after the idle time`() async throws {
        let door = try await Self.door { $0.idleSeconds = 1 }
        let headers = ["content-type: application/json"]
        let requests = [
            door.request("POST", "/v1/random", Array(Self.random.utf8), headers: headers),
            door.request("GET", "/healthz", nil),
        ]
        for request in requests { #expect(try await Self.ask(door, request, answers: 1)[0].status == 200) }
        await door.stop()
        #expect(Self.closed(door, .idle) == 2)
    }

    @Test func `Silence in a body ends the connection`() async throws {
        let door = try await Self.door { $0.frameSeconds = 1 }
        let request = door.request(
            "POST", "/v1/random", Array(Self.random.utf8), headers: ["content-type: application/json"])
        _ = try await Self.ask(door, request.dropLast(), answers: 0)
        await door.stop()
        #expect(Self.closed(door, .frameTime) == 1)
    }

    @Test func `A body without an end is answered once and the connection closed, whatever still comes`() async throws {
        let door = try await Self.door {
            $0.bodyLimit = 1_000
            $0.frameSeconds = 1
        }
        let head = door.request(
            "POST", "/v1/random", nil, headers: ["content-type: application/json", "transfer-encoding: chunked"])
        let chunk = Array("3E8\r\n".utf8) + [UInt8](repeating: 0x20, count: 1_000) + Array("\r\n".utf8)
        let answer = try await RawClient.with(port: door.port) { client in
            try await client.send(head + chunk + chunk + chunk)
            let answer = try await client.httpAnswer()
            #expect(try await client.reads.next(isolation: nil) == nil)
            // Until the other half is closed too.
            do { while true { try await client.send(chunk) } } catch {}
            return answer
        }
        #expect(answer.status == 413 && answer.headers["connection"] == "close")
        await door.stop()
        #expect(Self.closed(door, .frameSize) == 1)
    }

    @Test(arguments: ["/v1/nothing", "/metrics"])
    func `What is refused before its body came does not hold the connection`(path: String) async throws {
        let door = try await Self.door { $0.frameSeconds = 1 }
        // So long that it is never whole: else what follows it would be the next request, and no good one.
        let request = door.request("POST", path, nil, headers: ["content-length: 1000000000000"]) + [0x20]
        let status = try await RawClient.with(port: door.port) { client in
            try await client.send(request)
            let status = try await client.httpAnswer().status
            // It stays and goes on with its body, as long as the server lets it.
            do { while true { try await client.send([0x20]) } } catch {}
            return status
        }
        #expect([404, 405].contains(status))
        await door.stop()
        #expect(Self.closed(door, .frameTime) == 1, "\(ConnectionEnd.allCases.map { Self.closed(door, $0) })")
    }

    @Test func `Garbage behind a request is refused after the request is answered`() async throws {
        let door = try await Self.door { $0.frameSeconds = 1 }
        let request = door.request(
            "POST", "/v1/keys/generate", Array(#"{"attributes":{"usage":"M3","algorithm":"3des2","mode":"C"}}"#.utf8),
            headers: ["content-type: application/json"])
        let garbage = Array("\u{1}\u{2} no HTTP\r\n\r\n".utf8)
        for requests in 0...2 {
            let bytes = Array(repeating: request, count: requests).flatMap { $0 } + garbage
            let answers = try await Self.ask(door, bytes, answers: requests + 1)
            #expect(answers.map(\.status) == Array(repeating: 200, count: requests) + [400])
            #expect(answers.last?.headers["connection"] == "close" && answers.last?.text("code") == "15")
        }
        let page = door.request("GET", "/v1/openapi.json", nil)
        #expect(try await Self.ask(door, page + garbage, answers: 2).map(\.status) == [200, 400])
        await door.stop()
        #expect(Self.closed(door, .fault) == 4)
    }

    @Test func `Each record of a batch takes a place in the client's rate, all or none`() async throws {
        let door = try await Self.door { _ in }
        try await door.world.centre.limit("web", to: RequestLimit(perSecond: 1, burst: 6), by: World.conf)
        func ask(_ count: Int) async throws -> HTTPAnswer {
            // However long the machine takes, the directory is not stale.
            try await door.world.centre.directory.refreshNow()
            let record =
                #"{"factors":["1122334455667788"],"data":"000004E2060011223344550000000920161216134600","tac":"A5BFC821"}"#
            let records = Array(repeating: record, count: count).joined(separator: ",")
            return try await door.ask("/v1/tac/batch", #"{"key":"canteen/purse/tac","records":[\#(records)]}"#)
        }
        // The clock of rates stands still in a test.
        let tooMany = try await ask(7)
        #expect(tooMany.status == 429 && tooMany.headers["retry-after"] == nil)
        #expect(tooMany.text("detail")?.contains("several requests") == true)
        #expect(try await ask(3).status == 200)
        let later = try await ask(3)
        #expect(later.status == 429 && later.headers["retry-after"] == "2" && later.text("code") == "39")
        #expect(try await ask(1).status == 200)
        #expect(try await ask(1).status == 429)
        await door.stop()
        let records = door.world.server.metrics.figures().sum.records[CommandSlots.shared.slot(.verifyTACBatch)]
        #expect(records?.sum == 4 && records?.count == 2)
    }

    @Test func `Thousands of requests that are refused behind one that is answered later are all answered`()
        async throws
    {
        let door = try await Self.door { _ in }
        let refused = Array("POST /v1/echo HTTP/1.1\r\n\r\n".utf8)
        let request = door.request("GET", "/v1/openapi.json", nil)
        // Behind a long body a read takes 64 KiB at once.
        let long = door.request("POST", "/v1/echo", [UInt8](repeating: 0x20, count: 200_000))
        let flood = Array(repeating: refused, count: 4_000).flatMap(\.self)
        let statuses = try await RawClient.with(port: door.port) { client in
            let outbound = client.outbound
            let sending = Task {
                for _ in 0..<3 { try await outbound.write(ByteBuffer(bytes: long + request + flood)) }
                outbound.finish()
            }
            let answers = try await client.httpAnswers()
            try await sending.value
            return answers.map(\.status)
        }
        #expect(
            statuses == Array(repeating: [415, 200] + Array(repeating: 401, count: 4_000), count: 3).flatMap(\.self))
        await door.stop()
    }

    @Test func `Who sends no more and still listens gets all his answers`() async throws {
        let door = try await Self.door { _ in }
        let json = ["content-type: application/json"]
        let create = door.request(
            "POST", "/v1/keys/generate", Array(#"{"attributes":{"usage":"M3","algorithm":"3des2","mode":"C"}}"#.utf8),
            headers: json)
        let random = door.request("POST", "/v1/random", Array(Self.random.utf8), headers: json)
        let status = door.request("GET", "/v1/status", nil)
        for requests in [
            [create], [random], [status], [create, random, status], [status, create], [random, status, random],
        ] {
            let answers = try await RawClient.with(port: door.port) { client in
                try await client.send(requests.flatMap(\.self))
                client.finish()
                return try await client.httpAnswers()
            }
            #expect(answers.map(\.status) == requests.map { _ in 200 })
        }
        // Nothing asked, and half a request.
        for (bytes, statuses) in [([], []), (Array(status.dropLast(3)), [400]), (Array(create.dropLast(3)), [400])] {
            let answers = try await RawClient.with(port: door.port) { client in
                if !bytes.isEmpty { try await client.send(bytes) }
                client.finish()
                return try await client.httpAnswers()
            }
            #expect(answers.map(\.status) == statuses)
        }
        await door.stop()
        #expect(Self.closed(door, .client) == 9)
    }

    @Test func `What stands behind a request that is its connection's last is not begun`() async throws {
        let door = try await Self.door { _ in }
        let create = door.request(
            "POST", "/v1/keys/generate", Array(#"{"attributes":{"usage":"M3","algorithm":"3des2","mode":"C"}}"#.utf8),
            headers: ["content-type: application/json"])
        for first in [
            door.request("GET", "/v1/status", nil, headers: ["connection: close"]),
            door.request(
                "POST", "/v1/random", Array(Self.random.utf8),
                headers: ["content-type: application/json", "connection: close"]),
        ] {
            let answers = try await RawClient.with(port: door.port) { client in
                try await client.send(first + create)
                return try await client.httpAnswers()
            }
            #expect(answers.map(\.status) == [200] && answers[0].headers["connection"] == "close")
        }
        await door.stop()
        #expect(door.world.server.metrics.figures().perCommand[.generateKey] == nil)
    }
}
