import Dispatch
import Synchronization

/// What the callers hand to the worker threads: first in, first out, with an upper limit.
final class JobQueue: Sendable {
    typealias Job = @Sendable (inout Session) -> Void

    private struct State {
        /// Jobs not yet taken, in order, from `head` on; what is before `head` has been taken.
        var jobs: [Job?] = []
        var head = 0
        var isClosed = false

        mutating func next() -> Job? {
            guard head < jobs.count else { return nil }
            let job = jobs[head]
            jobs[head] = nil
            head += 1
            if head == jobs.count {
                jobs.removeAll(keepingCapacity: true)
                head = 0
            } else if head > 1_024 {
                jobs.removeFirst(head)
                head = 0
            }
            return job
        }
    }

    private let limit: Int
    private let state = Mutex(State())
    private let ready = DispatchSemaphore(value: 0)

    init(limit: Int) {
        self.limit = max(1, limit)
    }

    /// Adds a job, or throws `.busy` or `.closed` at once.
    func add(_ job: @escaping Job) throws(DatabaseError) {
        try state.withLock { state throws(DatabaseError) in
            guard !state.isClosed else { throw .closed }
            guard state.jobs.count - state.head < limit else { throw .busy }
            state.jobs.append(job)
        }
        ready.signal()
    }

    /// The next job; waits for one. Nil when the queue is closed and empty.
    func take() -> Job? {
        while true {
            let (job, isClosed) = state.withLock { state in (state.next(), state.isClosed) }
            if let job { return job }
            if isClosed { return nil }
            ready.wait()
        }
    }

    var isClosed: Bool { state.withLock { $0.isClosed } }

    /// Jobs that wait for a worker.
    var count: Int { state.withLock { $0.jobs.count - $0.head } }

    /// Refuses new jobs and lets each of `workers` threads find out; jobs already taken in are still done.
    func close(workers: Int) {
        state.withLock { $0.isClosed = true }
        for _ in 0..<workers { ready.signal() }
    }
}
