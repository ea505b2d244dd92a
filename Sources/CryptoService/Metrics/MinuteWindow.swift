/// Totals of the last minute, one each second: rates without a second visit.
struct MinuteWindow: Sendable {
    struct Answers: Sendable, Hashable {
        var done: UInt64 = 0
        /// Answered `01`.
        var mismatched: UInt64 = 0
        var refused: UInt64 = 0
        var all: UInt64 { done &+ mismatched &+ refused }
    }

    private struct Sample: Sendable {
        let time: UInt64
        let answers: Answers
        /// Processor time of the process.
        let cpu: UInt64
    }

    static let seconds = 60

    /// The oldest first; at most one more than there are seconds.
    private var samples: [Sample] = []

    func isDue(_ now: UInt64) -> Bool {
        guard let last = samples.last else { return true }
        return now >= last.time &+ 1_000_000_000
    }

    mutating func add(_ answers: Answers, at now: UInt64, cpu: UInt64 = ProcessFigures.cpuNanoseconds()) {
        samples.append(Sample(time: now, answers: answers, cpu: cpu))
        if samples.count > Self.seconds + 1 { samples.removeFirst() }
    }

    /// Answers a second between the samples; the newest last.
    var rates: [Double] {
        zip(samples, samples.dropFirst()).map { before, after in
            Double(after.answers.all &- before.answers.all) / Self.seconds(before, after)
        }
    }

    /// Answers a second over the whole window; zero before its second sample.
    var mean: (done: Double, mismatched: Double, refused: Double) {
        guard let first = samples.first, let last = samples.last, last.time > first.time else { return (0, 0, 0) }
        let time = Self.seconds(first, last)
        return (
            Double(last.answers.done &- first.answers.done) / time,
            Double(last.answers.mismatched &- first.answers.mismatched) / time,
            Double(last.answers.refused &- first.answers.refused) / time
        )
    }

    /// Processor time over that of all processors, 0 to 100.
    var loadPercent: Int {
        guard let first = samples.first, let last = samples.last, last.time > first.time else { return 0 }
        let share = Double(last.cpu &- first.cpu) / Double(last.time &- first.time)
        return Int(min(100, max(0, 100 * share / Double(ProcessFigures.processors))).rounded())
    }

    private static func seconds(_ before: Sample, _ after: Sample) -> Double {
        Double(max(1, after.time &- before.time)) / 1_000_000_000
    }
}
