import Dispatch
import Glibc
import Synchronization

/// Keeps one mariadbd running: starts it, waits for its end, starts it again unless it was asked to stop.
///
/// The kernel's parent-death signal belongs to the thread that started the child, so one thread starts it and lives as long as
/// it does. A server that dies again and again is left dead: five times in a minute is no accident.
final class ServerKeeper: Sendable {
    private struct State {
        /// Set while the process is ours to signal: from its start until just before it is taken off the table.
        var process: pid_t?
        var isStopping = false
        var hasEnded = false
        var starts = 0
    }

    private let state = Mutex(State())
    private let ended = DispatchSemaphore(value: 0)
    private let startServer: @Sendable () throws(PrivateServerError) -> pid_t

    private static let restartLimit = 5
    private static let restartWindow = Duration.seconds(60)

    init(_ startServer: @escaping @Sendable () throws(PrivateServerError) -> pid_t) {
        self.startServer = startServer
    }

    /// Starts the thread; false if the system gives none.
    func run() -> Bool {
        // The thread holds the keeper, so that a dropped `PrivateServer` does not lose its child.
        guard let thread = WorkerThread(named: "mariadb-keeper", { self.keep() }) else { return false }
        thread.letGo()
        return true
    }

    var process: pid_t? { state.withLock { $0.process } }
    var hasEnded: Bool { state.withLock { $0.hasEnded } }
    /// How often the server has been started.
    var starts: Int { state.withLock { $0.starts } }

    /// Asks the server to end, and has it not started again.
    func requestStop() {
        state.withLock { state in
            state.isStopping = true
            if let process = state.process { _ = kill(process, SIGTERM) }
        }
    }

    /// Asks the server to end, waits `seconds` for it, then kills it. Blocks: call it from a thread of our own.
    func stop(within seconds: Int) {
        requestStop()
        if ended.wait(timeout: .now() + .seconds(seconds)) == .timedOut {
            state.withLock { state in
                if let process = state.process { _ = kill(process, SIGKILL) }
            }
            ended.wait()
        }
        ended.signal()
    }

    private func keep() {
        var recent: [ContinuousClock.Instant] = []
        while let process = startUnlessStopping() {
            ChildProcess.waitForEnd(of: process)
            state.withLock { $0.process = nil }
            ChildProcess.collect(process)
            let now = ContinuousClock.now
            recent = recent.filter { now - $0 < Self.restartWindow } + [now]
            guard recent.count < Self.restartLimit else { break }
            usleep(100_000)
        }
        state.withLock { $0.hasEnded = true }
        ended.signal()
    }

    private func startUnlessStopping() -> pid_t? {
        state.withLock { state in
            guard !state.isStopping, let process = try? startServer() else { return nil }
            state.process = process
            state.starts += 1
            return process
        }
    }
}
