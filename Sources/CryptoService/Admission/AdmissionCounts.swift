import Synchronization

/// How often a door let somebody in, or for which reason it did not.
public struct AdmissionFigure: Sendable, Hashable {
    public let door: ServiceDoor
    /// `admitted`, or the refusal's name.
    public let outcome: String
    public let count: UInt64
}

/// Counts of both, and how many lines of the log a second may be about refusals: whoever hammers at a door must not be able to
/// fill the disk.
final class AdmissionCounts: Sendable {
    static let linesPerSecond = 20

    private struct Kind: Hashable {
        let door: ServiceDoor
        let outcome: String
    }

    private struct State {
        var counts: [Kind: UInt64] = [:]
        var second: UInt64 = 0
        var lines = 0
        var unsaid: UInt64 = 0
    }

    private let state = Mutex(State())

    func count(_ door: ServiceDoor, _ outcome: String) {
        state.withLock { $0.counts[Kind(door: door, outcome: outcome), default: 0] &+= 1 }
    }

    /// Nil: this one is counted and not said. Else how many were not said since the last line.
    func mayLog(second: UInt64) -> UInt64? {
        state.withLock { state in
            if state.second != second {
                state.second = second
                state.lines = 0
            }
            guard state.lines < Self.linesPerSecond else {
                state.unsaid += 1
                return nil
            }
            state.lines += 1
            defer { state.unsaid = 0 }
            return state.unsaid
        }
    }

    var figures: [AdmissionFigure] {
        state.withLock { state in
            state.counts.map { AdmissionFigure(door: $0.key.door, outcome: $0.key.outcome, count: $0.value) }
        }.sorted { ($0.door.rawValue, $0.outcome) < ($1.door.rawValue, $1.outcome) }
    }
}
