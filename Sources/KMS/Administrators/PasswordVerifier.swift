import Dispatch
import Synchronization

/// Where passwords are hashed: two threads at most, and a bounded number of waiting people, so that a flood of sign-ins
/// cannot eat memory (19 MiB each) or the cooperative threads.
final class PasswordVerifier: Sendable {
    static let concurrency = 2
    static let waitingLimit = 32

    private let queues = (0..<PasswordVerifier.concurrency).map { DispatchQueue(label: "kmsd.password.\($0)") }
    private let waiting = Mutex<[Int]>([Int](repeating: 0, count: PasswordVerifier.concurrency))

    func hash(_ password: consuming Password) async throws(KMSError) -> PasswordHash {
        let parcel = PasswordParcel(password)
        let result: Result<PasswordHash, KMSError> = try await run { () -> Result<PasswordHash, KMSError> in
            guard let password = parcel.take() else { return .failure(.internalFault("password parcel")) }
            do throws(KMSError) { return .success(try PasswordHash(of: password)) } catch { return .failure(error) }
        }
        return try result.get()
    }

    func matches(_ password: consuming Password, _ hash: PasswordHash) async throws(KMSError) -> Bool {
        let parcel = PasswordParcel(password)
        return try await run {
            guard let password = parcel.take() else { return false }
            return hash.matches(password)
        }
    }

    private func run<R: Sendable>(_ work: @escaping @Sendable () -> R) async throws(KMSError) -> R {
        let lane: Int? = waiting.withLock { waiting in
            guard waiting.reduce(0, +) < Self.waitingLimit else { return nil }
            let lane = waiting[0] <= waiting[1] ? 0 : 1
            waiting[lane] += 1
            return lane
        }
        guard let lane else { throw .busy }
        return await withCheckedContinuation { continuation in
            queues[lane].async {
                let result = work()
                self.waiting.withLock { $0[lane] -= 1 }
                continuation.resume(returning: result)
            }
        }
    }
}
