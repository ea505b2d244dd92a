internal import HSMBridge

/// How a step came out.
public enum StepOutcome: String, Sendable, Hashable, Codable, CaseIterable {
    /// Written before its first APDU goes out.
    case begun
    case done
    /// The card refused, or what it answered is wrong.
    case failed
    /// Nobody knows whether the card carried it out.
    case uncertain
}

/// What goes into the job's journal between two steps, in one transaction: how one step ended and that the next begins. The
/// next step's APDU goes out only when this is durable.
struct StepRecord: Sendable, Hashable {
    struct End: Sendable, Hashable {
        let number: Int
        let name: String
        let outcome: StepOutcome
        let status: StatusWord?
    }

    struct Beginning: Sendable, Hashable {
        let number: Int
        let name: String
        /// The first step that changes the card claims it for the job.
        let claimsCard: Bool
    }

    var ended: End?
    var begins: Beginning?
    /// The card refused the first thing that would have changed it: it is a blank still.
    var releasesCard = false
    /// Lines for the transcript since the last record.
    var exchanges: [String] = []
    var serial: [UInt8]?
    /// Check values of keys that were loaded, by name.
    var checkValues: [String: KeyCheckValue] = [:]
}

/// How a session with a card ended.
enum SessionEnd: Sendable, Hashable {
    case finished
    /// Card gone, reader or database lost: step number (from 1; 0 = before the first) and what happened.
    case interrupted(step: Int, name: String, reason: String)
    /// The card said no, or is not what it should be. `isSpoilt`: something is on it already.
    case failed(step: Int, name: String, status: StatusWord?, reason: String)
    /// Not the card that the job began with; nothing was sent to it but a question for its number.
    case otherCard
}

/// Where a session begins.
enum StartPoint: Sendable, Hashable {
    case fresh
    /// Index of the first step that is not known to be done; `isUncertain` = it was begun. `serial` = the card's.
    case resume(index: Int, isUncertain: Bool, serial: [UInt8]?)
}
