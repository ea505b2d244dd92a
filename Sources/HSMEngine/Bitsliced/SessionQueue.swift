import HSMBridge

/// The part of `CalculationQueue` that waits for session MACs of the e-purse.
///
/// Those of one purpose and as many levels go into passes together, whatever their keys. What checks and what makes a MAC mix; loads
/// and unloads, which do both in one, have passes of their own.
@safe struct SessionQueue {
    /// What waits in one shape: lanes, and what else belongs to them, by index.
    fileprivate struct Waiting {
        var lanes: [BitslicedSession.Lane] = []
        /// Keep the keys that the lanes point to.
        var schedules: [DESSchedule] = []
        var places: [ModuleReplyWriter.Pending] = []
    }

    private static let levels = DerivedKey.maximumLevels + 1
    /// By levels, those without an authorisation first. Empty until something waits: most messages hold none.
    private var queues: [Waiting] = []

    /// False, and nothing is written, where the calculation is not one for lanes.
    mutating func take(_ calculation: SessionCalculation, into writer: inout ModuleReplyWriter) -> Bool {
        let schedule = calculation.schedule
        // The keys that diversify; others are refused elsewhere, or serve only as themselves.
        guard schedule.algorithm == .tripleDES2 else { return false }
        if queues.isEmpty { queues = [Waiting](repeating: Waiting(), count: 2 * Self.levels) }
        let exchange = calculation.exchange
        let place =
            switch exchange.purpose {
            case .make: writer.appendPendingField(count: 4)
            case .check: writer.appendPendingVerdict()
            case .authorise: writer.appendPendingAuthorisation()
            }
        let lane = unsafe BitslicedSession.Lane(schedule, factors: calculation.factors, exchange)
        let shape = calculation.levels + (exchange.purpose == .authorise ? Self.levels : 0)
        queues[shape].append(lane, schedule, place)
        return true
    }

    /// Calculates what waits and writes the replies in their places.
    mutating func run(_ version: DESVersion, into writer: inout ModuleReplyWriter) {
        for shape in queues.indices where !queues[shape].lanes.isEmpty {
            var waiting = Waiting()
            swap(&waiting, &queues[shape])
            waiting.run(
                levels: shape % Self.levels, isAuthorisation: shape >= Self.levels, version, into: &writer)
        }
    }
}

extension SessionQueue.Waiting {
    @inline(__always)
    fileprivate mutating func append(
        _ lane: BitslicedSession.Lane, _ schedule: DESSchedule, _ place: ModuleReplyWriter.Pending
    ) {
        if lanes.isEmpty {
            lanes.reserveCapacity(64)
            schedules.reserveCapacity(64)
            places.reserveCapacity(64)
        }
        lanes.append(lane)
        schedules.append(schedule)
        places.append(place)
    }

    fileprivate func run(
        levels: Int, isAuthorisation: Bool, _ version: DESVersion, into writer: inout ModuleReplyWriter
    ) {
        var next = 0
        while lanes.count - next >= BreakEven.calculations(version) {
            let kernel = version.kernel(for: lanes.count - next)
            let first = next
            let count = min(kernel.lanes, lanes.count - first)
            let isDone = unsafe lanes.withUnsafeBufferPointer { lanes in
                let part = unsafe UnsafeBufferPointer(rebasing: lanes[first..<first + count])
                let pass = BitslicedSession(levels: levels, isAuthorisation: isAuthorisation, kernel: kernel)
                return unsafe pass.calculate(part) { lane, answer in complete(first + lane, answer, into: &writer) }
            }
            guard isDone else { break }
            next += count
        }
        for index in next..<lanes.count {
            let lane = lanes[index]
            let alone = unsafe SessionCalculation(
                schedule: schedules[index], levels: levels, factors: lane.factors, exchange: lane.exchange)
            // What came to nothing here stays the refusal that stands in its place.
            if let answer = alone.value() { complete(index, answer, into: &writer) }
        }
    }

    @inline(__always)
    private func complete(_ index: Int, _ answer: PurseAnswer, into writer: inout ModuleReplyWriter) {
        switch lanes[index].exchange.purpose {
        case .make: writer.complete(places[index], field: UInt64(answer.mac) << 32)
        case .check: writer.complete(places[index], verdict: answer.verdict)
        case .authorise: writer.complete(places[index], authorisation: answer.authorisation)
        }
    }
}
