internal import HSMBridge
internal import KMS

/// What an operator asks for: one card of a profile, in a reader.
public struct JobRequest: Sendable {
    public var profile: String
    /// Issuer's code; the profile's keys are looked up under it.
    public var issuer: String
    public var reader: String
    /// Nil = the oldest delivery that has blanks.
    public var batch: String?
    public var data: [String: String]

    public init(profile: String, issuer: String, reader: String, batch: String? = nil, data: [String: String]) {
        self.profile = profile
        self.issuer = issuer
        self.reader = reader
        self.batch = batch
        self.data = data
    }
}

public enum JobState: String, Sendable, Hashable, Codable, CaseIterable {
    case running
    /// Stopped with the card in a state that the journal knows: to be continued with the same card, or scrapped.
    case interrupted
    /// Refused by the card. If something had been written, the card waits to be scrapped.
    case failed
    case finished
    case scrapped
}

/// One card's making, as operators and reports see it.
public struct CardJob: Sendable, Hashable, Codable {
    public let id: Int64
    public let profile, issuer, reader, kind, batch: String
    public let state: JobState
    /// Chip serial number, hexadecimal.
    public let cardSerial: String?
    public let step, steps: Int
    public let stepName: String?
    public let message: String?
    /// Four hexadecimal digits.
    public let statusWord: String?
    /// The card can only be scrapped.
    public let needsScrap: Bool
    public let mayContinue: Bool
    public let `operator`: String
    public let startedAt: String
    public let endedAt: String?
    public let journal: [JobStep]
    /// Check values of the card's own keys, by name.
    public let checkValues: [String: String]
    /// One line an exchange: step | command | answer.
    public let transcript: [String]

    init(_ stored: CardJobTable.Stored, journal: [JobStep] = [], transcript: [String] = []) {
        id = stored.id
        (profile, issuer, reader) = (stored.profile, stored.issuer, stored.reader)
        (kind, batch, state) = (stored.kind, stored.batch, stored.state)
        cardSerial = stored.serial
        (step, steps, stepName) = (stored.step, stored.steps, stored.stepName)
        message = stored.message
        statusWord = stored.status.map { Hex.encode([$0.sw1, $0.sw2]) }
        needsScrap = stored.state == .failed && stored.isTouched
        mayContinue = stored.state == .interrupted
        `operator` = stored.person
        startedAt = JobTime.text(stored.startedAt)
        endedAt = stored.endedAt.map(JobTime.text)
        checkValues = stored.checkValues
        self.journal = journal
        self.transcript = transcript
    }
}

/// A line of a job's journal.
public struct JobStep: Sendable, Hashable, Codable {
    public let number: Int
    public let name: String
    public let outcome: StepOutcome
    public let statusWord: String?
    public let at: String
}

/// How far a running job has come.
public struct JobProgress: Sendable, Hashable, Codable {
    public let job: Int64
    public let step, steps: Int
    public let name: String
    public let state: JobState
}

enum JobTime {
    static func text(_ microseconds: Int64) -> String { Timestamp(microseconds: microseconds).text }
}
