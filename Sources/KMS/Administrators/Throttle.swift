import Synchronization

/// How long a name must wait after wrong passwords, on the monotonic clock.
///
/// From the fifth wrong try on the wait doubles with each, from `seconds` up to an hour; the count itself is durable in the
/// `administrator` row. Unknown names are throttled alike, so that a lock tells nobody which names exist.
final class Throttle: Sendable {
    static let freeTries = 4
    static let longestSeconds = 3_600
    /// Names remembered; beyond it the oldest waits are dropped.
    static let limit = 4_096

    private struct Wait {
        var tries: Int
        var until: UInt64
    }

    private let seconds: Int
    private let waits = Mutex<[String: Wait]>([:])

    init(seconds: Int) { self.seconds = seconds }

    /// Whole seconds left to wait, 0 = may try.
    func secondsLeft(_ name: String, monotonic now: UInt64) -> Int {
        waits.withLock { waits in
            guard let until = waits[name]?.until, until > now else { return 0 }
            return Int((until - now + 999_999_999) / 1_000_000_000)
        }
    }

    /// Wrong tries of this name that this process has seen; unknown names have no other memory.
    func tries(_ name: String) -> Int { waits.withLock { $0[name]?.tries ?? 0 } }

    /// `tries` wrong ones in a row have been made. Gives the seconds to wait from now.
    @discardableResult
    func failed(_ name: String, tries: Int, monotonic now: UInt64) -> Int {
        let wait = Self.waitSeconds(afterTries: tries, seconds)
        waits.withLock { waits in
            if waits.count >= Self.limit, let oldest = waits.min(by: { $0.value.until < $1.value.until })?.key {
                waits[oldest] = nil
            }
            waits[name] = Wait(tries: tries, until: now + UInt64(wait) * 1_000_000_000)
        }
        return wait
    }

    /// A lock that another node, or this one before its restart, wrote down. It is never longer than the wait for that many
    /// tries, so that a wall clock that was set back does not prolong it; once known, the monotonic clock decides.
    func adopt(_ name: String, tries: Int, secondsLeft: Int, monotonic now: UInt64) {
        waits.withLock { waits in
            guard (waits[name]?.tries ?? 0) < tries else { return }
            let wait = max(0, min(secondsLeft, Self.waitSeconds(afterTries: tries, seconds)))
            waits[name] = Wait(tries: tries, until: now + UInt64(wait) * 1_000_000_000)
        }
    }

    func clear(_ name: String) { waits.withLock { $0[name] = nil } }

    static func waitSeconds(afterTries tries: Int, _ seconds: Int) -> Int {
        guard tries > freeTries else { return 0 }
        return min(longestSeconds, seconds << min(12, tries - freeTries - 1))
    }
}
