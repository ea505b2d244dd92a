import KMS
import Synchronization

/// A wall clock that a test sets forward.
final class DrivenTime: Sendable {
    private let time = Mutex(Clocks.system.wall())

    var now: Timestamp { time.withLock { $0 } }

    func advance(microseconds: Int64) {
        time.withLock { $0 = Timestamp(microseconds: $0.microseconds + microseconds) }
    }
}
