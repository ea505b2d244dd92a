import KMS
import Synchronization

/// How many pieces of slow work are going on: bounded, so that they cannot use up what everybody shares.
final class SlowWork: Sendable {
    private let running = Mutex(0)
    private let limit: Int

    init(limit: Int) { self.limit = limit }

    /// - Throws: `KMSError.busy` where the limit is reached.
    @discardableResult
    func whileHolding<R>(_ body: () async throws -> R) async throws -> R {
        try running.withLock { running throws(KMSError) in
            guard running < limit else { throw .busy }
            running += 1
        }
        defer { running.withLock { $0 -= 1 } }
        return try await body()
    }
}
