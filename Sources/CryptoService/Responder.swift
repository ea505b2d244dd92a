import CryptoClient
import NIOCore
import NIOPosix
import Synchronization

/// Answers typed requests, whichever door they came through: the same grants, counts, codes and messages to the module as for
/// the frames of the host-command port.
///
/// Requests that are asked at the same time by both doors travel to the module in one message.
public final class Responder: Sendable {
    private struct State {
        var loops: [NIOLoopBound<HostLoop>] = []
        var next = 0
    }

    private let state = Mutex(State())
    /// The threads of the host-command port. A door that runs on them asks its own loop and needs no hop:
    /// `loop(of:)`, then `HostLoop.answer`.
    let group: MultiThreadedEventLoopGroup

    init(loops: Int) { group = MultiThreadedEventLoopGroup(numberOfThreads: max(1, loops)) }

    /// What the connections of an event loop share; nil before the start and after the stop. To be asked on that loop.
    func loop(of eventLoop: any EventLoop) -> HostLoop? {
        let found = state.withLock { $0.loops.first { $0.eventLoop === eventLoop } }
        return found?.value
    }

    /// Answers one request of a client that the door has made sure of. `origin` is what failed checks are recorded with.
    ///
    /// Never throws: what is refused has its code, and before the start and after the stop of the service that is 41.
    func answer(
        _ request: HostRequest, client: String, origin: String, door: ServiceDoor = .tcp
    ) async -> HostAnswer {
        await withCheckedContinuation { continuation in
            let isTaken = begin { loop in
                loop.answer(request, HostConnection.Identity(client: client, origin: origin, door: door)) {
                    continuation.resume(returning: $0)
                }
            }
            if !isTaken { continuation.resume(returning: .refused(.internalError)) }
        }
    }

    /// Answers many, in their order: one way to the loop and back for all of them.
    func answer(_ requests: [HostRequest], client: String, origin: String) async -> [HostAnswer] {
        guard !requests.isEmpty else { return [] }
        return await withCheckedContinuation { continuation in
            let isTaken = begin { loop in
                let identity = HostConnection.Identity(client: client, origin: origin)
                let answers = Gathered(requests.count) { continuation.resume(returning: $0) }
                for (index, request) in requests.enumerated() {
                    loop.answer(request, identity) { answers.take($0, index) }
                }
            }
            if !isTaken { continuation.resume(returning: requests.map { _ in .refused(.internalError) }) }
        }
    }

    /// Runs `body` on the next loop, in turn; false where there is none.
    private func begin(_ body: @escaping @Sendable (HostLoop) -> Void) -> Bool {
        state.withLock { state in
            guard !state.loops.isEmpty else { return false }
            state.next = (state.next + 1) % state.loops.count
            let loop = state.loops[state.next]
            // Under the lock: what `close` finds has been handed over, and the loop takes it before it is told to stop.
            loop.eventLoop.execute { body(loop.value) }
            return true
        }
    }

    func open(_ loops: [NIOLoopBound<HostLoop>]) { state.withLock { $0.loops = loops } }

    /// Takes no more requests.
    func close() { state.withLock { $0.loops = [] } }

    /// The answers to several requests as they come in. Lives on one event loop.
    private final class Gathered {
        private var answers: [HostAnswer]
        private var missing: Int
        private let done: ([HostAnswer]) -> Void

        init(_ count: Int, _ done: @escaping ([HostAnswer]) -> Void) {
            answers = Array(repeating: .refused(.internalError), count: count)
            missing = count
            self.done = done
        }

        func take(_ answer: HostAnswer, _ index: Int) {
            answers[index] = answer
            missing -= 1
            if missing == 0 { done(answers) }
        }
    }
}
