import KMS
import NIOCore
import Testing

@testable import CryptoService

/// A second try, and what is not one.
struct IdempotencyTests {
    private static let generate = #"{"attributes":{"usage":"M3","algorithm":"3des2","mode":"C"}}"#

    @Test func `A second try gives the first one's key, and without an idempotency key another one`() async throws {
        let door = try await HTTPDoor.open.value
        func make(_ headers: [String], _ body: String = Self.generate) async throws -> HTTPAnswer {
            try await door.ask("/v1/keys/generate", body, headers: headers)
        }
        let first = try await make(["idempotency-key: second-try"])
        let second = try await make([#"idempotency-key: "second-try""#])
        let other = try await make(["idempotency-key: another"])
        let none = try await make([])
        #expect(first.status == 200 && first.body == second.body)
        #expect(Set([first, other, none].map { $0.text("block") }).count == 3)
        let mismatch = try await make(["idempotency-key: second-try"], Self.generate + " ")
        #expect(mismatch.status == 422)
        #expect(mismatch.text("type") == "urn:kmsd:problem:idempotency-key-reused")
        for wrong in ["", "a b", String(repeating: "a", count: 65)] {
            #expect(try await make(["idempotency-key: \(wrong)"]).status == 400)
        }
    }

    @Test func `What was refused was not made and may be tried again`() async throws {
        let door = try await HTTPDoor.open.value
        let wrong = try await door.ask(
            "/v1/keys/generate", #"{"attributes":{"usage":"S0","algorithm":"3des2","mode":"C"}}"#,
            headers: ["idempotency-key: refused-first"])
        #expect(wrong.status == 422)
        let right = try await door.ask(
            "/v1/keys/generate", Self.generate, headers: ["idempotency-key: refused-first"])
        #expect(right.status == 200)
    }

    @Test func `The store is bounded in number and age, and keeps clients apart`() throws {
        let clock = TestClock()
        let store = IdempotencyStore { clock.now }
        let body = ByteBuffer(string: "{}")
        func key(_ text: String, _ client: String = "a") throws -> IdempotencyKey {
            try #require(IdempotencyKey(text, client: client, path: "/v1/keys/generate"))
        }
        func isNew(_ key: IdempotencyKey) throws -> Bool {
            if case .new = try store.begin(key, body) { true } else { false }
        }
        #expect(try isNew(key("k")))
        #expect(throws: HTTPProblem.self) { try store.begin(key("k"), body) }
        store.finish(try key("k"), ByteBuffer(string: "done"))
        #expect(try !isNew(key("k")))
        #expect(try isNew(key("k", "b")))
        clock.advance(IdempotencyStore.lifetime)
        #expect(try isNew(key("k")))
        for number in 0..<3 * IdempotencyStore.limit {
            let key = try key("n\(number)")
            #expect(try isNew(key))
            if number % 2 == 0 { store.forget(key) } else { store.finish(key, body) }
        }
        #expect(store.count == IdempotencyStore.limit)
    }

    @Test func `A client that makes many keys pushes out its own answers only`() throws {
        let store = IdempotencyStore()
        let body = ByteBuffer(string: "{}")
        func key(_ text: String, _ client: String) throws -> IdempotencyKey {
            try #require(IdempotencyKey(text, client: client, path: "/v1/keys/generate"))
        }
        let quiet = try key("first", "quiet")
        _ = try store.begin(quiet, body)
        store.finish(quiet, ByteBuffer(string: "its answer"))
        for number in 0..<IdempotencyStore.limit + 100 {
            let key = try key("n\(number)", "busy")
            _ = try store.begin(key, body)
            store.finish(key, body)
        }
        #expect(store.count == IdempotencyStore.limit)
        guard case .answered(let answer) = try store.begin(quiet, body) else {
            Issue.record("pushed out by another client")
            return
        }
        #expect(String(buffer: answer) == "its answer")
    }

    @Test func `What is under way is not pushed out, and gets its own answer`() throws {
        let clock = TestClock()
        let store = IdempotencyStore { clock.now }
        let body = ByteBuffer(string: "{}")
        func key(_ text: String) throws -> IdempotencyKey {
            try #require(IdempotencyKey(text, client: "a", path: "/v1/rsa/generate"))
        }
        let slow = try key("slow")
        _ = try store.begin(slow, body)
        clock.advance(IdempotencyStore.lifetime)
        for number in 0...IdempotencyStore.limit {
            _ = try store.begin(key("n\(number)"), body)
            store.finish(try key("n\(number)"), body)
        }
        #expect(throws: HTTPProblem.self) { try store.begin(slow, body) }
        store.finish(slow, ByteBuffer(string: "done"))
        #expect(throws: HTTPProblem.self) { try store.begin(slow, ByteBuffer(string: "{ }")) }
        guard case .answered(let answer) = try store.begin(slow, body) else {
            Issue.record("begun a second time")
            return
        }
        #expect(String(buffer: answer) == "done" && store.count == IdempotencyStore.limit)
        // Who ends what was ended changes nothing.
        store.forget(slow)
        store.finish(slow, body)
        guard case .answered(answer) = try store.begin(slow, body) else {
            Issue.record("the answer was changed")
            return
        }
    }

    @Test func `The first answer is not given again to who may no longer create`() async throws {
        let door = try await HTTPDoor.make(without: [], presented: true)
        let headers = ["idempotency-key: revoked-later"]
        #expect(try await door.ask("/v1/keys/generate", Self.generate, headers: headers).status == 200)
        try await door.world.centre.revoke(.presentedBlocks, [.generateKey], from: "web", by: World.conf)
        try await door.world.centre.directory.refreshNow()
        let again = try await door.ask("/v1/keys/generate", Self.generate, headers: headers)
        #expect(again.status == 403 && again.text("code") == "29")
        await door.stop()
    }

    @Test func `A body with a key is short`() async throws {
        let door = try await HTTPDoor.open.value
        let spaces = String(repeating: " ", count: IdempotencyStore.bodyLimit - Self.generate.utf8.count)
        let headers = ["idempotency-key: long"]
        #expect(try await door.ask("/v1/keys/generate", Self.generate + spaces, headers: headers).status == 200)
        #expect(try await door.ask("/v1/keys/generate", Self.generate + spaces + " ", headers: headers).status == 413)
    }
}
