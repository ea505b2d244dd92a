import NIOCore
import Synchronization

/// The answers to requests that created something, so that a second try gives the first one's answer and makes no second key.
///
/// In memory of one process, bounded in number and age: after a restart, an hour, or four thousand others, a second try is a new
/// request. Where there is no room the client who has most loses its oldest, so that nobody pushes out the others' answers. What is
/// under way is kept until it ends, however many come meanwhile: connections bound their number. Only what was done is kept; what
/// was refused created nothing and may be tried again. Requests are compared whole and not by a
/// digest, so that no two can be taken for each other.
final class IdempotencyStore: Sendable {
    /// Answers, of all clients together.
    static let limit = 4_096
    static let lifetime = Duration.seconds(3_600)
    /// Bodies that create something are short.
    static let bodyLimit = 8_192

    enum Entry {
        /// Nobody asked before: carry it out, then `finish` or `forget`.
        case new
        /// Asked before, with this answer.
        case answered(ByteBuffer)
    }

    private struct Kept {
        /// Which of the entries in its client's `order` it is.
        let number: Int
        let body: ByteBuffer
        let answer: ByteBuffer
        let since: ContinuousClock.Instant
    }

    /// What one client has here.
    private struct Share {
        var kept: [IdempotencyKey: Kept] = [:]
        /// In the order of their coming.
        var order = CircularBuffer<(number: Int, key: IdempotencyKey)>()

        mutating func dropFirst() {
            guard let (number, key) = order.popFirst() else { return }
            if kept[key]?.number == number { kept[key] = nil }
        }

        mutating func dropOld(_ now: ContinuousClock.Instant) {
            while let (number, key) = order.first {
                if let kept = kept[key], kept.number == number, now - kept.since < lifetime { return }
                dropFirst()
            }
        }
    }

    private struct State {
        /// The bodies of requests that are being carried out. Never given up, or a second try would make a second key.
        var underWay: [IdempotencyKey: ByteBuffer] = [:]
        var shares: [String: Share] = [:]
        var last = 0

        var count: Int { shares.values.reduce(0) { $0 + $1.kept.count } }

        mutating func dropOld(_ now: ContinuousClock.Instant) {
            for client in shares.keys {
                shares[client]?.dropOld(now)
                if shares[client]?.order.isEmpty ?? false { shares[client] = nil }
            }
        }

        /// Room for one more.
        mutating func makeRoom() {
            while count >= limit, let most = shares.max(by: { $0.value.kept.count < $1.value.kept.count }) {
                shares[most.key]?.dropFirst()
            }
        }
    }

    private let state = Mutex(State())
    private let now: @Sendable () -> ContinuousClock.Instant

    init(now: @escaping @Sendable () -> ContinuousClock.Instant = { .now }) { self.now = now }

    /// Answers.
    var count: Int { state.withLock { $0.count } }

    /// Throws where the key belongs to another request, or where its first request is still under way.
    func begin(_ key: IdempotencyKey, _ body: ByteBuffer) throws(HTTPProblem) -> Entry {
        let now = now()
        let result: Result<Entry, HTTPProblem> = state.withLock { state in
            state.dropOld(now)
            let known = state.shares[key.client]?.kept[key]
            if let first = state.underWay[key] ?? known?.body, first != body {
                return .failure(HTTPProblem(.idempotencyMismatch, "the first request with this key had another body"))
            }
            if state.underWay[key] != nil {
                return .failure(HTTPProblem(.idempotencyConflict, "the first request with this key is under way"))
            }
            if let known { return .success(.answered(known.answer)) }
            state.underWay[key] = ByteBuffer(bytes: body.readableBytesView)
            return .success(.new)
        }
        return try result.get()
    }

    /// The request is done, and this its answer from now on.
    func finish(_ key: IdempotencyKey, _ answer: ByteBuffer) {
        let now = now()
        state.withLock { state in
            guard let body = state.underWay.removeValue(forKey: key) else { return }
            state.makeRoom()
            state.last += 1
            let kept = Kept(
                number: state.last, body: body, answer: ByteBuffer(bytes: answer.readableBytesView), since: now)
            state.shares[key.client, default: Share()].kept[key] = kept
            state.shares[key.client]?.order.append((state.last, key))
        }
    }

    /// The request was refused: nothing was made.
    func forget(_ key: IdempotencyKey) { state.withLock { $0.underWay[key] = nil } }
}
