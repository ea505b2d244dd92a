import CryptoClient

/// What one event loop has counted since it began, and how it stands now. A value: a copy of it is what others see.
struct LoopFigures: Sendable {
    /// A refusal that is neither `00` nor `01`.
    struct Refused: Hashable, Sendable {
        let door: ServiceDoor
        let slot: UInt8
        let code: HostErrorCode
    }

    /// The ways of a loop to the module: single commands, batches, RSA.
    enum ModuleWay: Int, CaseIterable {
        case hot, bulk, signing

        /// The value of the label `way`.
        var name: String {
            switch self {
            case .hot: "single"
            case .bulk: "bulk"
            case .signing: "signing"
            }
        }
    }

    static let doors = ServiceDoor.allCases.count

    /// By door and command slot.
    var done = [UInt64](repeating: 0, count: doors * CommandSlots.count)
    /// Answered `01`.
    var mismatched = [UInt64](repeating: 0, count: doors * CommandSlots.count)
    /// Bounded by doors x slots x the closed set of codes.
    var refused: [Refused: UInt64] = [:]
    /// Latency: by door, class and bucket in one array, so that counting an answer is one addition.
    private var latencyCounts = [UInt64](repeating: 0, count: groups * LatencyHistogram.bucketCount)
    /// Nanoseconds by door and class.
    private var latencySums = [UInt64](repeating: 0, count: groups)

    private static let groups = doors * CommandClass.allCases.count

    var batches = [BatchHistogram](repeating: BatchHistogram(), count: ModuleWay.allCases.count)
    /// Records of each batch that was taken up, by command slot; bounded by the slots.
    var records: [Int: BatchHistogram] = [:]
    /// From a message's sending to its answer, by messages.
    var moduleTime = LatencyHistogram()
    var moduleConnections: UInt64 = 0
    var moduleLosses: UInt64 = 0
    /// Answered `41` because the connection to the module ended under them.
    var moduleLost: UInt64 = 0

    var keyHits: UInt64 = 0
    var keyMisses: UInt64 = 0
    var keysOpened: UInt64 = 0
    var handlesVoided: UInt64 = 0

    var opened = [UInt64](repeating: 0, count: doors)
    /// By door and reason.
    var closed = [UInt64](repeating: 0, count: doors * ConnectionEnd.allCases.count)

    var bytesIn: UInt64 = 0
    var bytesOut: UInt64 = 0

    /// How it stands now.
    struct Gauges: Sendable {
        /// Requests that were accepted and not answered.
        var inFlight = 0
        /// Items gathered for the module or sent to it, and not answered.
        var moduleQueue = 0
        var moduleConnected = false
        /// Keys known by their words and rights.
        var cachedKeys = 0
    }
    var gauges = Gauges()

    mutating func add(_ other: LoopFigures) {
        Self.add(&done, other.done)
        Self.add(&mismatched, other.mismatched)
        refused.merge(other.refused, uniquingKeysWith: &+)
        Self.add(&latencyCounts, other.latencyCounts)
        Self.add(&latencySums, other.latencySums)
        for index in batches.indices { batches[index].add(other.batches[index]) }
        for (slot, records) in other.records { self.records[slot, default: BatchHistogram()].add(records) }
        moduleTime.add(other.moduleTime)
        moduleConnections &+= other.moduleConnections
        moduleLosses &+= other.moduleLosses
        moduleLost &+= other.moduleLost
        keyHits &+= other.keyHits
        keyMisses &+= other.keyMisses
        keysOpened &+= other.keysOpened
        handlesVoided &+= other.handlesVoided
        Self.add(&opened, other.opened)
        Self.add(&closed, other.closed)
        bytesIn &+= other.bytesIn
        bytesOut &+= other.bytesOut
        gauges.inFlight += other.gauges.inFlight
        gauges.moduleQueue += other.gauges.moduleQueue
        gauges.cachedKeys += other.gauges.cachedKeys
    }

    private static func add(_ sums: inout [UInt64], _ others: [UInt64]) {
        for index in sums.indices { sums[index] &+= others[index] }
    }

    /// Counts `count` answers alike.
    mutating func answered(
        _ door: ServiceDoor, slot: Int, _ code: HostErrorCode, nanoseconds: UInt64, count: UInt64 = 1
    ) {
        let place = Int(door.rawValue) * CommandSlots.count + slot
        switch code {
        case .noError: done[place] &+= count
        case .verificationFailed: mismatched[place] &+= count
        default: refused[Refused(door: door, slot: UInt8(slot), code: code), default: 0] &+= count
        }
        let group = Self.group(door, CommandSlots.shared.classes[slot])
        latencyCounts[group * LatencyHistogram.bucketCount + LatencyHistogram.bucket(nanoseconds)] &+= count
        latencySums[group] &+= nanoseconds &* count
    }

    /// Nil where nothing was answered.
    func latency(_ door: ServiceDoor, _ commands: CommandClass) -> LatencyHistogram? {
        let group = Self.group(door, commands)
        let start = group * LatencyHistogram.bucketCount
        let counts = latencyCounts[start..<start + LatencyHistogram.bucketCount]
        guard counts.contains(where: { $0 > 0 }) else { return nil }
        return LatencyHistogram(counts: Array(counts), sum: latencySums[group])
    }

    private static func group(_ door: ServiceDoor, _ commands: CommandClass) -> Int {
        Int(door.rawValue) * CommandClass.allCases.count + Int(commands.rawValue)
    }
}

/// Items in one message to the module, or records in one batch: powers of two up to 16,384.
struct BatchHistogram: Sendable {
    static let bounds: [Int] = (0...14).map { 1 << $0 }

    private(set) var counts = [UInt64](repeating: 0, count: 16)
    private(set) var sum: UInt64 = 0
    var count: UInt64 { counts.reduce(0, &+) }

    @inline(__always)
    mutating func add(_ items: Int) {
        let bucket = items <= 1 ? 0 : Int.bitWidth - (items &- 1).leadingZeroBitCount
        counts[Swift.min(bucket, 15)] &+= 1
        sum &+= UInt64(items)
    }

    mutating func add(_ other: BatchHistogram) {
        for index in counts.indices { counts[index] &+= other.counts[index] }
        sum &+= other.sum
    }
}
