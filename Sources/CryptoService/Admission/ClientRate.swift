import KMS
import NIOCore
import Synchronization

/// How fast one client may ask: a token bucket, one for a client, shared by all its connections, event loops and doors.
///
/// Kept as the one moment at which the bucket would be full again (the generic cell rate algorithm), so that taking from it is
/// one compare-and-exchange and nothing has to fill it. A client without a limit costs one relaxed load and no look at the clock.
final class ClientRate: Sendable {
    /// For doors that count elsewhere, and for tests.
    static let unlimited = ClientRate(nil)

    /// Nanoseconds from one request to the next at the allowed speed; 0 for no limit.
    private let interval = Atomic<UInt64>(0)
    /// How far ahead of the present `full` may be and one more request still fits.
    private let tolerance = Atomic<UInt64>(0)
    private let full = Atomic<UInt64>(0)
    private let clock: @Sendable () -> UInt64

    init(_ limit: RequestLimit?, clock: @escaping @Sendable () -> UInt64 = { NIODeadline.now().uptimeNanoseconds }) {
        self.clock = clock
        set(limit)
    }

    /// Whether there is a limit at all.
    var isLimited: Bool { interval.load(ordering: .relaxed) > 0 }

    /// What was taken stays taken: changing a limit fills no bucket.
    func set(_ limit: RequestLimit?) {
        guard let limit else { return interval.store(0, ordering: .relaxed) }
        let step = UInt64(1_000_000_000 / limit.perSecond)
        tolerance.store(step * UInt64(limit.burst - 1), ordering: .relaxed)
        interval.store(step, ordering: .relaxed)
    }

    /// Takes one request; nil: go on. Else the nanoseconds after which it would be allowed.
    func take() -> UInt64? {
        let step = interval.load(ordering: .relaxed)
        guard step > 0 else { return nil }
        let now = clock()
        let ahead = tolerance.load(ordering: .relaxed)
        var known = full.load(ordering: .relaxed)
        while true {
            let from = max(known, now)
            if from - now > ahead { return from - now - ahead }
            let (isDone, found) = full.weakCompareExchange(
                expected: known, desired: from + step, ordering: .relaxed)
            if isDone { return nil }
            known = found
        }
    }

    /// Why a batch may not go on.
    enum Shortage: Hashable {
        /// It would fit as a whole after these nanoseconds.
        case wait(UInt64)
        /// It is more than the bucket ever holds.
        case never
    }

    /// Takes all `count` requests of a batch beside its first, which `take` took; nil: go on. Else nothing more is taken, and the
    /// time is that after which the batch with its first request would fit.
    func takeRest(_ count: Int) -> Shortage? {
        let step = interval.load(ordering: .relaxed)
        guard step > 0, count > 0 else { return nil }
        let ahead = tolerance.load(ordering: .relaxed)
        let whole = step * UInt64(count)
        guard whole <= ahead else { return .never }
        let now = clock()
        var known = full.load(ordering: .relaxed)
        while true {
            let from = max(known, now)
            if from - now + whole - step > ahead { return .wait(from - now + whole - ahead) }
            let (isDone, found) = full.weakCompareExchange(
                expected: known, desired: from + whole, ordering: .relaxed)
            if isDone { return nil }
            known = found
        }
    }

    /// Takes up to `count` requests of a run; how many of them may go on.
    func take(_ count: Int) -> Int {
        let step = interval.load(ordering: .relaxed)
        guard step > 0, count > 0 else { return count }
        let now = clock()
        let ahead = tolerance.load(ordering: .relaxed)
        var known = full.load(ordering: .relaxed)
        while true {
            let from = max(known, now)
            guard from - now <= ahead else { return 0 }
            let taken = min(UInt64(count), (ahead - (from - now)) / step + 1)
            let (isDone, found) = full.weakCompareExchange(
                expected: known, desired: from + taken * step, ordering: .relaxed)
            if isDone { return Int(taken) }
            known = found
        }
    }
}
