internal import Dispatch
import Synchronization

/// Waits, on a card's own thread, for something asynchronous. Never call it from the cooperative pool: it blocks.
func waitOnCardThread<T: Sendable>(_ body: sending @escaping () async throws -> T) throws -> T {
    let done = DispatchSemaphore(value: 0)
    let outcome = Mutex<Result<T, any Error>?>(nil)
    Task.detached {
        let result: Result<T, any Error>
        do { result = .success(try await body()) } catch { result = .failure(error) }
        outcome.withLock { $0 = result }
        done.signal()
    }
    done.wait()
    guard let result = outcome.withLock({ $0 }) else { preconditionFailure("a finished task has a result") }
    return try result.get()
}
