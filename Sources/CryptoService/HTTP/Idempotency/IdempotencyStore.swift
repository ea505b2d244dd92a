import NIOCore
import Synchronization

/// The answers to requests that created something, so that a second try gives the first one's answer and makes no second key.
///
/// In memory of one process, bounded in number and age: after a restart, an hour, or four thousand others, a second try is a new
/// request. Where there is no room the client who has most loses its oldest, so that nobody pushes out the others' answers. Only
/// what was done is kept; what was refused created nothing and may be tried again. Requests are compared whole and not by a
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
        let since: ContinuousClock.Instant
        var answer: ByteBuffer?
    }

    /// What one client has here.
    private struct Share {
        var kept: [IdempotencyKey: Kept] = [:]
        /// In the order of their coming; those that were forgotten are passed over, and swept out when they are many.
        var order = CircularBuffer<(number: Int, key: IdempotencyKey)>()

        mutating func dropFirst() {
            guard let (number, key) = order.popFirst() else { return }
            if kept[key]?.number == number { kept[key] = nil }
        }

        mutating func dropOld(_ now: ContinuousClock.Instant) {
            while let (number, key) = order.first {
                if let kept = kept[key], kept.number == number, now - kept.since < lifetime { break }
                dropFirst()
            }
            guard order.count > 2 * kept.count + 64 else { return }
            order = CircularBuffer(order.filter { kept[$0.key]?.number == $0.number })
        }
    }

    private struct State {
        var shares: [String: Share] = [:]
        var last = 0

        var count: Int { shares.values.reduce(0) { $0 + $1.kept.count } }
    }

    private let state = Mutex(State())
    private let now: @Sendable () -> ContinuousClock.Instant

    init(now: @escaping @Sendable () -> ContinuousClock.Instant = { .now }) { self.now = now }

    var count: Int { state.withLock { $0.count } }

    /// Throws where the key belongs to another request, or where its first request is still under way.
    func begin(_ key: IdempotencyKey, _ body: ByteBuffer) throws(HTTPProblem) -> Entry {
        let now = now()
        let result: Result<Entry, HTTPProblem> = state.withLock { state in
            for client in state.shares.keys {
                state.shares[client]?.dropOld(now)
                if state.shares[client]?.order.isEmpty ?? false { state.shares[client] = nil }
            }
            if let kept = state.shares[key.client]?.kept[key] {
                guard kept.body == body else {
                    return .failure(
                        HTTPProblem(.idempotencyMismatch, "the first request with this key had another body"))
                }
                guard let answer = kept.answer else {
                    return .failure(HTTPProblem(.idempotencyConflict, "the first request with this key is under way"))
                }
                return .success(.answered(answer))
            }
            while state.count >= Self.limit,
                let most = state.shares.max(by: { $0.value.kept.count < $1.value.kept.count })
            {
                state.shares[most.key]?.dropFirst()
            }
            state.last += 1
            let kept = Kept(number: state.last, body: ByteBuffer(bytes: body.readableBytesView), since: now)
            state.shares[key.client, default: Share()].kept[key] = kept
            state.shares[key.client]?.order.append((state.last, key))
            return .success(.new)
        }
        return try result.get()
    }

    func finish(_ key: IdempotencyKey, _ answer: ByteBuffer) {
        state.withLock { $0.shares[key.client]?.kept[key]?.answer = ByteBuffer(bytes: answer.readableBytesView) }
    }

    /// The request was refused: nothing was made.
    func forget(_ key: IdempotencyKey) {
        state.withLock { state in
            if let kept = state.shares[key.client]?.kept[key], kept.answer == nil {
                state.shares[key.client]?.kept[key] = nil
            }
        }
    }
}
