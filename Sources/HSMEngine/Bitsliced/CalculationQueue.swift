import HSMBridge

/// The calculations of one message that wait to be done side by side, each with its place in the answer.
///
/// Of one shape (scheme, levels) they go into passes together, whatever their keys and lengths. Too few of a shape are done one
/// after another; the reply is the same.
@safe struct CalculationQueue {
    /// What waits in one shape: lanes, and what else belongs to them, by index.
    fileprivate struct Waiting {
        var lanes: [BitslicedMAC.Lane] = []
        /// Keep the keys that the lanes point to.
        var calculations: [Calculation] = []
        var places: [ModuleReplyWriter.Pending] = []
        /// Lanes of more than one length.
        var isRagged = false
    }

    private static let shapes: [BitslicedMAC.Scheme] =
        [.single, .whole, .retail, .unionPay] + (0...DerivedKey.maximumLevels).map { .tac(levels: $0) }

    private let version: DESVersion
    private let isOpen: Bool
    private var queues = InlineArray<9, Waiting>(repeating: Waiting())
    private var sessions = SessionQueue()
    private var count = 0

    /// Takes nothing where the message is too short for a pass to pay.
    init(messageItems: Int, version: DESVersion = .best) {
        self.version = version
        isOpen = messageItems >= BreakEven.calculations(version)
    }

    /// False, and nothing is written, where the calculation is not one for lanes.
    @inline(__always)
    mutating func take(_ calculation: Calculation, into writer: inout ModuleReplyWriter) -> Bool {
        guard isOpen, case .narrow(let schedule) = calculation.schedule,
            let (shape, padding) = Self.shape(calculation, schedule)
        else { return false }
        let data = unsafe calculation.data
        let message = unsafe PaddedMessage(data, padding)
        let place =
            unsafe calculation.claimed == nil
            ? writer.appendPendingField(count: calculation.length) : writer.appendPendingVerdict()
        let lane = unsafe BitslicedMAC.Lane(schedule, message, factors: calculation.factors)
        queues[shape].append(lane, calculation, place)
        count += 1
        return true
    }

    /// The same for a session MAC of the e-purse.
    mutating func take(_ calculation: SessionCalculation, into writer: inout ModuleReplyWriter) -> Bool {
        guard isOpen, sessions.take(calculation, into: &writer) else { return false }
        count += 1
        return true
    }

    /// The queue of a calculation that would succeed by itself; nil for all others.
    @inline(__always)
    private static func shape(_ calculation: Calculation, _ schedule: DESSchedule) -> (Int, MACPadding)? {
        switch calculation.scheme {
        case .mac(let algorithm, let padding):
            guard calculation.length == 4 || calculation.length == 8 else { return nil }
            let length = unsafe calculation.data.count
            guard padding != .none || length > 0 && length % 8 == 0 else { return nil }
            switch algorithm {
            case .iso1: return (0, padding)
            case .iso1TripleDES: return (schedule.keys.isSingle ? 0 : 1, padding)
            case .iso3: return (schedule.keys.isSingle ? 0 : 2, padding)
            case .cmac: return nil
            }
        case .unionPay:
            guard unsafe !calculation.data.isEmpty else { return nil }
            return (3, .method1)
        case .tac(let levels):
            guard !schedule.isThreeKey, levels == 0 || !schedule.keys.isSingle else { return nil }
            return (4 + levels, .method2)
        }
    }

    /// Calculates what waits and writes the replies in their places.
    mutating func run(into writer: inout ModuleReplyWriter) {
        guard count > 0 else { return }
        count = 0
        for shape in queues.indices where !queues[shape].isEmpty {
            var waiting = Waiting()
            swap(&waiting, &queues[shape])
            let scheme = Self.shapes[shape]
            if scheme.isChain { waiting.sort() }
            waiting.run(scheme, version, into: &writer)
        }
        sessions.run(version, into: &writer)
    }
}

extension CalculationQueue.Waiting {
    fileprivate var isEmpty: Bool { lanes.isEmpty }

    @inline(__always)
    fileprivate mutating func append(
        _ lane: BitslicedMAC.Lane, _ calculation: Calculation, _ place: ModuleReplyWriter.Pending
    ) {
        if lanes.isEmpty {
            lanes.reserveCapacity(64)
            calculations.reserveCapacity(64)
            places.reserveCapacity(64)
        } else if lane.message.blocks != lanes[0].message.blocks {
            isRagged = true
        }
        lanes.append(lane)
        calculations.append(calculation)
        places.append(place)
    }

    /// By falling block counts, as lanes need it.
    fileprivate mutating func sort() {
        guard isRagged else { return }
        let order = lanes.indices.sorted { lanes[$0].message.blocks > lanes[$1].message.blocks }
        lanes = order.map { lanes[$0] }
        calculations = order.map { calculations[$0] }
        places = order.map { places[$0] }
    }

    fileprivate func run(
        _ scheme: BitslicedMAC.Scheme, _ version: DESVersion, into writer: inout ModuleReplyWriter
    ) {
        let least = BreakEven.calculations(version)
        var next = 0
        if lanes.count >= least {
            // A few that are much longer than the rest would keep whole passes going for themselves.
            let limit = scheme.isChain ? 2 * lanes[least - 1].message.blocks : .max
            while lanes[next].message.blocks > limit {
                runAlone(next, into: &writer)
                next += 1
            }
            while lanes.count - next >= least {
                let kernel = version.kernel(for: lanes.count - next)
                let count = min(kernel.lanes, lanes.count - next)
                let first = next
                let isDone = unsafe lanes.withUnsafeBufferPointer { lanes in
                    let part = unsafe UnsafeBufferPointer(rebasing: lanes[first..<first + count])
                    return unsafe BitslicedMAC(scheme: scheme, kernel: kernel).calculate(part) { lane, mac in
                        complete(first + lane, mac, into: &writer)
                    }
                }
                guard isDone else { break }
                next += count
            }
        }
        while next < lanes.count {
            runAlone(next, into: &writer)
            next += 1
        }
    }

    @inline(__always)
    private func complete(_ index: Int, _ mac: Block8, into writer: inout ModuleReplyWriter) {
        guard let claimed = unsafe calculations[index].claimed else {
            writer.complete(places[index], field: mac.number)
            return
        }
        // Whole words, so that the time does not tell where they differ.
        let expected = claimed.count == 8 ? mac : mac & 0xFFFF_FFFF
        let isMatch = Block8(leading: unsafe Span(_unsafeElements: claimed)) == expected
        writer.complete(places[index], verdict: isMatch ? .match : .mismatch)
    }

    private func runAlone(_ index: Int, into writer: inout ModuleReplyWriter) {
        // What came to nothing here stays the refusal that stands in its place.
        guard let mac = calculations[index].value() else { return }
        complete(index, Block8(number: mac.leading.0), into: &writer)
    }
}
