import HSMBridge
import Synchronization

/// Asks the module how it is, for those who watch: however many ask, one question is under way, and a module that does not
/// answer in time counts as away.
final class ModuleWatch: Sendable {
    private typealias Waiter = CheckedContinuation<ModuleStatus?, Never>

    private struct State {
        var number: UInt64 = 0
        var isAsking = false
        var waiters: [Waiter] = []
    }

    private let module: any SecurityModule
    private let limit: Duration
    private let state = Mutex(State())

    init(module: any SecurityModule, limit: Duration = .seconds(2)) {
        self.module = module
        self.limit = limit
    }

    /// Nil where the module is away, broken or silent.
    func status() async -> ModuleStatus? {
        await withCheckedContinuation { waiter in
            let number = state.withLock { state -> UInt64? in
                state.waiters.append(waiter)
                guard !state.isAsking else { return nil }
                state.isAsking = true
                state.number &+= 1
                return state.number
            }
            if let number { ask(number) }
        }
    }

    private func ask(_ number: UInt64) {
        let silence = Task {
            try? await Task.sleep(for: limit)
            if !Task.isCancelled { answer(number, nil) }
        }
        Task {
            let status = try? await module.execute(GetStatus())
            silence.cancel()
            answer(number, status)
        }
    }

    /// Answers all who wait for this question; the second of its two answers finds nobody.
    private func answer(_ number: UInt64, _ status: ModuleStatus?) {
        let waiters = state.withLock { state -> [Waiter] in
            guard state.isAsking, state.number == number else { return [] }
            state.isAsking = false
            let waiters = state.waiters
            state.waiters = []
            return waiters
        }
        for waiter in waiters { waiter.resume(returning: status) }
    }
}
