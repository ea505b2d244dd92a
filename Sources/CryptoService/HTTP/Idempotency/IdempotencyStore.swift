import NIOCore
import Synchronization

/// The answers to requests that created something, so that a second try gives the first one's answer and makes no second key.
///
/// In memory of one process, bounded in number and age: after a restart, an hour, or four thousand others, a second try is a new
/// request. Only what was done is kept; what was refused created nothing and may be tried again. Requests are compared whole and
/// not by a digest, so that no two can be taken for each other.
final class IdempotencyStore: Sendable {
    static let limit = 4_096
    static let lifetime = Duration.seconds(3_600)
    /// Bodies that create something are short.
    static let bodyLimit = 65_536

    enum Entry {
        /// Nobody asked before: carry it out, then `finish` or `forget`.
        case new
        /// Asked before, with this answer.
        case answered(ByteBuffer)
    }

    private struct Kept {
        /// Which of the entries in `order` it is.
        let number: Int
        let body: ByteBuffer
        let since: ContinuousClock.Instant
        var answer: ByteBuffer?
    }

    private struct State {
        var kept: [IdempotencyKey: Kept] = [:]
        /// In the order of their coming; those that were forgotten are passed over, and swept out when they are many.
        var order: [(number: Int, key: IdempotencyKey)] = []
        var first = 0
        var last = 0
    }

    private let state = Mutex(State())
    private let now: @Sendable () -> ContinuousClock.Instant

    init(now: @escaping @Sendable () -> ContinuousClock.Instant = { .now }) { self.now = now }

    var count: Int { state.withLock { $0.kept.count } }

    /// Throws where the key belongs to another request, or where its first request is still under way.
    func begin(_ key: IdempotencyKey, _ body: ByteBuffer) throws(HTTPProblem) -> Entry {
        let now = now()
        let result: Result<Entry, HTTPProblem> = state.withLock { state in
            Self.dropOld(&state, now)
            if let kept = state.kept[key] {
                guard kept.body == body else {
                    return .failure(
                        HTTPProblem(.idempotencyMismatch, "the first request with this key had another body"))
                }
                guard let answer = kept.answer else {
                    return .failure(HTTPProblem(.idempotencyConflict, "the first request with this key is under way"))
                }
                return .success(.answered(answer))
            }
            while state.kept.count >= Self.limit { Self.dropFirst(&state) }
            state.last += 1
            state.kept[key] = Kept(number: state.last, body: ByteBuffer(bytes: body.readableBytesView), since: now)
            state.order.append((state.last, key))
            return .success(.new)
        }
        return try result.get()
    }

    func finish(_ key: IdempotencyKey, _ answer: ByteBuffer) {
        state.withLock { $0.kept[key]?.answer = ByteBuffer(bytes: answer.readableBytesView) }
    }

    /// The request was refused: nothing was made.
    func forget(_ key: IdempotencyKey) {
        state.withLock { state in
            if let kept = state.kept[key], kept.answer == nil { state.kept[key] = nil }
        }
    }

    private static func dropOld(_ state: inout State, _ now: ContinuousClock.Instant) {
        while state.first < state.order.count {
            let (number, key) = state.order[state.first]
            if let kept = state.kept[key], kept.number == number, now - kept.since < lifetime { break }
            dropFirst(&state)
        }
        guard state.order.count > 2 * limit else { return }
        let kept = state.kept
        state.order = state.order[state.first...].filter { kept[$0.key]?.number == $0.number }
        state.first = 0
    }

    private static func dropFirst(_ state: inout State) {
        guard state.first < state.order.count else { return }
        let (number, key) = state.order[state.first]
        if state.kept[key]?.number == number { state.kept[key] = nil }
        state.first += 1
    }
}
