/// One row of the benchmark: our figure beside its reference, both medians of rounds that took turns.
struct BenchRow: Sendable {
    let id: String
    let title: String
    let unit: String
    /// The ratio to be reached.
    let target: Double
    /// One value a round.
    var ours: [Double] = []
    var reference: [Double] = []
    /// What grows is bad: the ratio is reference / ours.
    var lessIsBetter = false
    /// Why the row is not a figure; nil when it is one.
    var trouble: String?

    var oursMedian: Double? { trouble == nil ? Self.median(ours) : nil }
    var referenceMedian: Double? { trouble == nil ? Self.median(reference) : nil }
    /// More is better.
    var ratio: Double? {
        guard let ours = oursMedian, let reference = referenceMedian, ours > 0, reference > 0 else { return nil }
        return lessIsBetter ? reference / ours : ours / reference
    }
    var isMet: Bool { ratio.map { $0 >= target } ?? false }

    /// The lowest and the highest ratio of a round: how far the median can be trusted.
    var range: (low: Double, high: Double)? {
        guard trouble == nil else { return nil }
        let ratios = zip(ours, reference).map { lessIsBetter ? $1 / $0 : $0 / $1 }
        guard let low = ratios.min(), let high = ratios.max() else { return nil }
        return (low, high)
    }

    private static func median(_ values: [Double]) -> Double? {
        guard !values.isEmpty else { return nil }
        let sorted = values.sorted()
        let middle = sorted.count / 2
        return sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
    }
}

// MARK: - Encodable

extension BenchRow: Encodable {
    private enum Key: String, CodingKey { case id, ours, reference, unit, ratio, target, met }

    /// The form of `var/bench.json`; null where the row is not a figure.
    func encode(to encoder: any Encoder) throws {
        var row = encoder.container(keyedBy: Key.self)
        try row.encode(id, forKey: .id)
        try row.encode(oursMedian.map { $0.rounded() }, forKey: .ours)
        try row.encode(referenceMedian.map { $0.rounded() }, forKey: .reference)
        try row.encode(unit, forKey: .unit)
        try row.encode(ratio.map { ($0 * 1_000).rounded() / 1_000 }, forKey: .ratio)
        try row.encode(target, forKey: .target)
        try row.encode(isMet, forKey: .met)
    }
}
