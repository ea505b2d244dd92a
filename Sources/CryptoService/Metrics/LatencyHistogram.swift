/// How long answers took: counts in log-linear buckets, four to each doubling, so that a bound is at most a quarter above the
/// one before it.
///
/// The bounds are the same in every histogram of the service and never change, so that histograms of several loops, nodes and
/// versions can be added: 4, 5, 6, 7, 8, 10, 12, 14, 16, 20 … microseconds up to 33.5 seconds, then everything above.
public struct LatencyHistogram: Sendable, Hashable {
    /// Upper bounds in nanoseconds, each inclusive; a last bucket without bound follows.
    public static let bounds: [UInt64] = (0..<boundCount).map { index in
        let octave = UInt64(index / 4)
        return (4 + UInt64(index % 4)) * 1_000 << octave
    }

    static let boundCount = 93
    static let bucketCount = boundCount + 1

    /// Counts by bucket, the last one without bound.
    public private(set) var counts = [UInt64](repeating: 0, count: bucketCount)
    /// Nanoseconds of all together.
    public private(set) var sum: UInt64 = 0

    public init() {}

    /// `counts` has `bucketCount` elements.
    init(counts: [UInt64], sum: UInt64) {
        self.counts = counts
        self.sum = sum
    }

    public var count: UInt64 { counts.reduce(0, &+) }

    /// The bucket of a time: arithmetic on the leading bits, no search.
    @inline(__always)
    static func bucket(_ nanoseconds: UInt64) -> Int {
        // A bound belongs to its own bucket, so what is asked is where the value less one lies.
        guard nanoseconds > 4_000 else { return 0 }
        let units = (nanoseconds &- 1) / 1_000
        let octave = 61 - units.leadingZeroBitCount
        let index = octave * 4 + Int(truncatingIfNeeded: units >> UInt64(octave)) - 4 + 1
        return min(index, boundCount)
    }

    @inline(__always)
    mutating func add(_ nanoseconds: UInt64, count: UInt64 = 1) {
        counts[Self.bucket(nanoseconds)] &+= count
        sum &+= nanoseconds &* count
    }

    mutating func add(_ other: LatencyHistogram) {
        for index in counts.indices { counts[index] &+= other.counts[index] }
        sum &+= other.sum
    }

    /// What came since `earlier`, a former state of this histogram.
    func since(_ earlier: LatencyHistogram) -> LatencyHistogram {
        var difference = self
        for index in counts.indices { difference.counts[index] &-= earlier.counts[index] }
        difference.sum &-= earlier.sum
        return difference
    }

    /// The time in nanoseconds below which the part `quantile` (0 to 1) of the answers lies, interpolated inside its bucket;
    /// nil where there is no answer.
    public func quantile(_ quantile: Double) -> Double? {
        LatencyQuantile.of(quantile, counts: counts, bounds: Self.bounds.map { Double($0) })
    }
}

/// Quantiles of bucketed counts, the same for those who count and those who read a scrape.
public enum LatencyQuantile {
    /// `counts` has one element more than `bounds`: what lies above the last bound, of which only that is known.
    public static func of(_ quantile: Double, counts: [UInt64], bounds: [Double]) -> Double? {
        let total = counts.reduce(0, &+)
        guard total > 0, counts.count == bounds.count + 1 else { return nil }
        let rank = min(max(quantile, 0), 1) * Double(total)
        var below = 0.0
        for (index, count) in counts.enumerated() where count > 0 {
            let upTo = below + Double(count)
            if upTo >= rank {
                guard index < bounds.count else { return bounds.last }
                let low = index == 0 ? 0 : bounds[index - 1]
                return low + (bounds[index] - low) * (rank - below) / Double(count)
            }
            below = upTo
        }
        return bounds.last
    }
}
