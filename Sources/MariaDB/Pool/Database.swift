import Synchronization

/// A pool of connections: each worker thread makes and owns one, and jobs borrow it `inout`.
///
/// Jobs are synchronous closures, so no `await` (a card, the module, the network) can happen inside a transaction. The queue is
/// bounded: what does not fit is refused with `.busy` instead of waiting without end.
public final class Database: Sendable {
    private let queue: JobQueue
    private let threads: Mutex<[WorkerThread]>
    private let workers: Int
    public let settings: DatabaseSettings

    /// Starts `workers` threads; connections are made when first needed. `queueLimit` counts jobs that wait for a worker.
    public init(_ settings: DatabaseSettings, workers: Int = 4, queueLimit: Int = 1_024) {
        let queue = JobQueue(limit: queueLimit)
        var threads: [WorkerThread] = []
        for number in 1...max(1, workers) {
            let thread = WorkerThread(named: "mariadb-\(number)") {
                var session = Session(settings) { queue.isClosed }
                while let job = queue.take() { job(&session) }
            }
            if let thread { threads.append(thread) }
        }
        precondition(!threads.isEmpty, "the system gives no thread for the database")
        self.queue = queue
        self.workers = threads.count
        self.threads = Mutex(threads)
        self.settings = settings
    }

    deinit {
        // Without `close` the threads are let go: they do what is queued and end.
        queue.close(workers: workers)
        threads.withLock { threads in
            for thread in threads { thread.letGo() }
        }
    }

    /// Runs `body` in a read-only transaction, so all its queries see one snapshot and none can write.
    ///
    /// If the server is lost it waits for it, within `reconnectSeconds`, and runs `body` again.
    public func read<T: Sendable>(
        _ body: @escaping @Sendable (inout Connection) throws -> T
    ) async throws -> T {
        try await run { session in try session.read(body) }
    }

    /// Runs `body` in one transaction and commits it; `body` must be repeatable.
    ///
    /// `body` runs again, a bounded number of times, after a deadlock, a lock time-out, a snapshot conflict, and after the
    /// loss of the server before COMMIT. `.gone(.unknown)` means that COMMIT got no answer: look before doing it again.
    @discardableResult
    public func write<T: Sendable>(
        _ body: @escaping @Sendable (inout Connection) throws -> T
    ) async throws -> T {
        try await run { session in try session.write(body) }
    }

    /// Runs `body` outside transactions, once: migrations and start-up checks.
    @discardableResult
    func plain<T: Sendable>(
        _ body: @escaping @Sendable (inout Connection) throws -> T
    ) async throws -> T {
        try await run { session in try session.plain(body) }
    }

    /// Jobs that wait for a worker, for the metrics.
    public var waitingJobs: Int { queue.count }

    /// Refuses new jobs, finishes those taken in, closes the connections and joins the threads.
    public func close() async {
        let threads = threads.withLock { threads in
            defer { threads = [] }
            return threads
        }
        guard !threads.isEmpty else { return }
        queue.close(workers: workers)
        // Joining blocks, so it happens on a thread of its own as well.
        await withCheckedContinuation { continuation in
            let joiner = WorkerThread(named: "mariadb-close") {
                for thread in threads { thread.join() }
                continuation.resume()
            }
            guard let joiner else {
                for thread in threads { thread.letGo() }
                return continuation.resume()
            }
            joiner.letGo()
        }
    }

    private func run<T: Sendable>(
        _ body: @escaping @Sendable (inout Session) throws -> T
    ) async throws -> T {
        try await withCheckedThrowingContinuation { continuation in
            do {
                try queue.add { session in
                    continuation.resume(with: Result { try body(&session) })
                }
            } catch {
                continuation.resume(throwing: error)
            }
        }
    }
}
