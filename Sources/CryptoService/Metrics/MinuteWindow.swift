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
    /// When the second that runs is over.
    private var due: UInt64 = 0
    /// Whole seconds since the first sample in which the process was 0 to 9, 10 to 19, … 90 to 100 percent busy.
    private(set) var loadPeriods = [UInt64](repeating: 0, count: 10)

    func isDue(_ now: UInt64) -> Bool { now >= due }

    mutating func add(_ answers: Answers, at now: UInt64, cpu: UInt64 = ProcessFigures.cpuNanoseconds()) {
        if let last = samples.last {
            let busy = Self.percent(cpu &- last.cpu, of: now &- last.time)
            let seconds = 1 + (now &- due) / Self.second
            loadPeriods[min(9, busy / 10)] &+= seconds
            due &+= seconds &* Self.second
        } else {
            due = now &+ Self.second
        }
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
        return Self.percent(last.cpu &- first.cpu, of: last.time &- first.time)
    }

    private static let second: UInt64 = 1_000_000_000

    private static func percent(_ cpu: UInt64, of time: UInt64) -> Int {
        let share = Double(cpu) / Double(max(1, time)) / Double(ProcessFigures.processors)
        return Int(min(100, max(0, 100 * share)).rounded())
    }

    private static func seconds(_ before: Sample, _ after: Sample) -> Double {
        Double(max(1, after.time &- before.time)) / 1_000_000_000
    }
}
