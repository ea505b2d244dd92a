import Synchronization

/// Which readers work (制卡工位): one job at a time in each, many at once, never more than the limit.
final class Stations: Sendable {
    private struct State {
        var busy: Set<String> = []
        var progress: [Int64: JobProgress] = [:]
        var listeners: [Int64: [AsyncStream<JobProgress>.Continuation]] = [:]
        /// PINs of jobs that were interrupted and may go on; forgotten when the job ends, and with the process.
        var data: [Int64: JobData] = [:]
        /// Ends that the database could not be told yet.
        var unsettled: [Int64: JobEnd] = [:]
    }

    private let limit: Int
    private let state = Mutex(State())

    init(limit: Int) { self.limit = limit }

    func take(_ reader: String) throws(IssuingError) {
        try state.withLock { (state) throws(IssuingError) in
            guard !state.busy.contains(reader) else { throw .readerBusy(reader) }
            guard state.busy.count < limit else { throw .tooManyJobs(limit) }
            state.busy.insert(reader)
        }
    }

    func release(_ reader: String) { _ = state.withLock { $0.busy.remove(reader) } }

    // MARK: What a job remembers between two sessions

    func keep(_ data: JobData, of job: Int64) { state.withLock { $0.data[job] = data } }
    func data(of job: Int64) -> JobData? { state.withLock { $0.data[job] } }
    func forget(_ job: Int64) { state.withLock { _ = $0.data.removeValue(forKey: job) } }

    func owe(_ end: JobEnd) { state.withLock { $0.unsettled[end.job] = end } }
    func settled(_ job: Int64) { state.withLock { _ = $0.unsettled.removeValue(forKey: job) } }
    var owed: [JobEnd] { state.withLock { Array($0.unsettled.values) } }

    // MARK: Progress

    func note(_ progress: JobProgress) {
        let listeners = state.withLock { state in
            state.progress[progress.job] = progress
            return state.listeners[progress.job] ?? []
        }
        for listener in listeners { listener.yield(progress) }
        if progress.state != .running { close(progress.job) }
    }

    private func close(_ job: Int64) {
        let listeners = state.withLock { state in
            state.progress[job] = nil
            return state.listeners.removeValue(forKey: job) ?? []
        }
        for listener in listeners { listener.finish() }
    }

    /// The last progress first, then what follows; a slow reader misses steps, never the end.
    func events(of job: Int64) -> AsyncStream<JobProgress> {
        let (stream, continuation) = AsyncStream.makeStream(of: JobProgress.self, bufferingPolicy: .bufferingNewest(16))
        let known = state.withLock { state in
            guard let known = state.progress[job], state.listeners[job, default: []].count < 16 else {
                return JobProgress?.none
            }
            state.listeners[job, default: []].append(continuation)
            return known
        }
        if let known { continuation.yield(known) } else { continuation.finish() }
        return stream
    }
}

/// How a job's session ended, ready for the database.
struct JobEnd: Sendable, Hashable {
    let job: Int64
    let state: JobState
    let message: String?
    let status: UInt16?
    /// Nothing was written to the card: it goes back to the blanks.
    let person: String
}

/// A value that one task makes and others wait for.
final class Promise<Value: Sendable>: Sendable {
    private struct State {
        var result: Result<Value, IssuingError>?
        var waiting: [CheckedContinuation<Result<Value, IssuingError>, Never>] = []
    }

    private let state = Mutex(State())

    /// The first result counts.
    func resolve(_ result: Result<Value, IssuingError>) {
        let waiting = state.withLock { state in
            guard state.result == nil else { return [CheckedContinuation<Result<Value, IssuingError>, Never>]() }
            state.result = result
            defer { state.waiting = [] }
            return state.waiting
        }
        for continuation in waiting { continuation.resume(returning: result) }
    }

    func value() async throws(IssuingError) -> Value {
        let result = await withCheckedContinuation { continuation in
            let known = state.withLock { state in
                if state.result == nil { state.waiting.append(continuation) }
                return state.result
            }
            if let known { continuation.resume(returning: known) }
        }
        return try result.get()
    }
}
