/// What a batch benchmark measured: items per second of processor time on one thread, one value a round.
public struct BatchRates: Sendable {
    public var ours: [Double] = []
    public var reference: [Double] = []
    /// Verdicts or keys that were not the right ones; rates with any are no figures.
    public var wrongVerdicts = 0

    /// Measures both sides in turn, so that what disturbs the machine disturbs both. Each side does `batch` items a pass and
    /// answers how many of them came out wrong.
    mutating func measure(
        rounds: Int, seconds: Double, batch: Int, ours pass: () throws(PrimitiveError) -> Int,
        reference: () throws(PrimitiveError) -> Int
    ) throws(PrimitiveError) {
        for round in 0...rounds {
            let mine = try rate(seconds, batch, pass)
            let theirs = try rate(seconds, batch, reference)
            // The first round warms caches and clocks.
            if round == 0 { continue }
            ours.append(mine)
            self.reference.append(theirs)
        }
    }

    private mutating func rate(
        _ seconds: Double, _ batch: Int, _ pass: () throws(PrimitiveError) -> Int
    ) throws(PrimitiveError) -> Double {
        let began = CPUTime.seconds
        var passes = 0
        var spent = 0.0
        repeat {
            wrongVerdicts += try pass()
            passes += 1
            spent = CPUTime.seconds - began
        } while spent < seconds
        return Double(passes * batch) / spent
    }
}
