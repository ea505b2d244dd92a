import Logging
import ServiceLifecycle

/// Carries unfinished batches on in the background: after an upload, on request, after a failure, and after a restart.
struct BatchWorker: Service {
    private let office: BackOffice
    private let logger: Logger
    private let retrySeconds: Int
    private let calls: AsyncStream<Void>
    private let caller: AsyncStream<Void>.Continuation

    init(_ office: BackOffice, retrySeconds: Int, logger: Logger) {
        self.office = office
        self.logger = logger
        self.retrySeconds = retrySeconds
        // One call waits at most: it says "look again", not how often.
        (calls, caller) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    func wake() {
        caller.yield()
    }

    func run() async throws {
        wake()
        for await _ in calls.cancelOnGracefulShutdown() {
            if await carryOn() { continue }
            try? await cancelWhenGracefulShutdown { [retrySeconds] in try await Task.sleep(for: .seconds(retrySeconds))
            }
            wake()
        }
    }

    /// False when something is left to do.
    private func carryOn() async -> Bool {
        do {
            var isDone = true
            for batch in try await office.unfinishedBatches() {
                do {
                    try await office.process(batch)
                } catch {
                    isDone = false
                    logger.warning("a batch waits", metadata: ["batch": "\(batch)", "error": "\(error)"])
                }
            }
            return isDone
        } catch {
            logger.warning("batches cannot be read", metadata: ["error": "\(error)"])
            return false
        }
    }
}
