public import CryptoClient

/// The service's figures at one moment: a value that can be looked at without hurry.
public struct ServiceFigures: Sendable {
    let sum: LoopFigures
    let loops: Int
    let refusedConnections: [UInt64]
    /// By client, bounded.
    public let rateRefused: [String: UInt64]
    /// Doors that take requests, with their addresses.
    public let doors: [ServiceDoor: String]
    let window: MinuteWindow
    public let isStopping: Bool
    public let uptimeSeconds: Double
    /// How busy this process was in the last minute, 0 to 100: its processor time over that of all cores it may use.
    public let loadPercent: Int
    /// Whole seconds since the start in which the process was 0 to 9, 10 to 19, … 90 to 100 percent busy.
    public let loadPeriods: [UInt64]

    init(_ state: ServiceMetrics.State, startedAt: UInt64, now: UInt64) {
        sum = state.sum
        loops = state.loops.count
        refusedConnections = state.refusedConnections
        rateRefused = state.rateRefused
        doors = state.doors
        window = state.window
        isStopping = state.isStopping
        uptimeSeconds = Double(now &- startedAt) / 1_000_000_000
        loadPercent = state.window.loadPercent
        loadPeriods = state.window.loadPeriods
    }

    /// Answers since the start, good and bad.
    public var requests: UInt64 { sum.answers.all }

    /// Answers since the start by command; commands without a name of their own are under nil.
    public var perCommand: [HostCommandCode?: (succeeded: UInt64, failed: UInt64)] {
        var counts: [HostCommandCode?: (succeeded: UInt64, failed: UInt64)] = [:]
        for answer in answers {
            var count = counts[answer.command] ?? (0, 0)
            if answer.code == .noError { count.succeeded &+= answer.count } else { count.failed &+= answer.count }
            counts[answer.command] = count
        }
        return counts
    }

    struct Answers {
        let door: ServiceDoor
        let slot: Int
        let code: HostErrorCode
        let count: UInt64
        var command: HostCommandCode? { CommandSlots.shared.commands[slot] }
    }

    /// What was answered, in a fixed order; only what occurred.
    var answers: [Answers] {
        var list: [Answers] = []
        for door in ServiceDoor.allCases {
            for slot in 0..<CommandSlots.count {
                let place = Int(door.rawValue) * CommandSlots.count + slot
                if sum.done[place] > 0 {
                    list.append(Answers(door: door, slot: slot, code: .noError, count: sum.done[place]))
                }
                if sum.mismatched[place] > 0 {
                    list.append(
                        Answers(door: door, slot: slot, code: .verificationFailed, count: sum.mismatched[place]))
                }
                let refusals = sum.refused.filter { $0.key.door == door && Int($0.key.slot) == slot }
                for (refused, count) in refusals.sorted(by: { $0.key.code.rawValue < $1.key.code.rawValue }) {
                    list.append(Answers(door: door, slot: slot, code: refused.code, count: count))
                }
            }
        }
        return list
    }

    /// Answers a second in each of the last 60 seconds, the newest last; fewer after a start.
    public var rates: [Double] { window.rates }

    /// Answers a second over the last minute: done, answered `01`, refused.
    public var lastMinute: (done: Double, mismatched: Double, refused: Double) { window.mean }

    /// Connections that are open now, by door.
    public func connections(_ door: ServiceDoor) -> Int {
        let place = Int(door.rawValue) * ConnectionEnd.allCases.count
        let closed = sum.closed[place..<place + ConnectionEnd.allCases.count].reduce(0, &+)
        return Int(truncatingIfNeeded: sum.opened[Int(door.rawValue)] &- closed)
    }

    /// Connections that are open now, of all doors.
    public var connections: Int { ServiceDoor.allCases.reduce(0) { $0 + connections($1) } }

    /// Requests refused because their client asked faster than it may.
    public var refusedByRate: UInt64 { rateRefused.values.reduce(0, &+) }
}
