internal import HSMBridge

/// Runs straight down a card's image (个人化): each step one APDU, its status word checked, its name in the journal before and after.
///
/// One session with one card, on the card's own thread. It ends in one of the ways of `SessionEnd` and never throws.
struct Personaliser {
    let image: CardImage
    let data: JobData
    let module: any SecurityModule
    /// Makes a record durable, or throws: then nothing more is sent to the card.
    let journal: @Sendable (StepRecord) async throws -> Void
    /// Told of each step as it begins.
    let progress: @Sendable (_ step: Int, _ name: String) -> Void

    func run(_ channel: any CardChannel, from start: StartPoint) -> SessionEnd {
        var session = CardSession(personaliser: self, line: RecordedChannel(channel))
        do throws(SessionStop) {
            try session.identify(start)
            try session.carryOut(from: start)
            return .finished
        } catch {
            return session.close(after: error)
        }
    }
}

/// Why a session stops before its end.
enum SessionStop: Error {
    /// The line to the card broke; whether the last command was carried out is unknown.
    case line(CardError)
    case status(StatusWord)
    /// The answer is 9000 and wrong.
    case answer(String)
    case module(ModuleError)
    case journal
    case otherCard
    case cardInUse(IssuingError)
    /// The state of the card cannot be known any more.
    case lost(String)
}

/// The state of one session.
struct CardSession {
    let personaliser: Personaliser
    let line: RecordedChannel
    /// Number of the step that has begun, from 1; 0 before the first.
    var step = 0
    var stepName = "identify"
    /// What the next record will say.
    var pending = StepRecord()
    /// Nothing was done to this card before this session.
    var isFresh = true

    var image: CardImage { personaliser.image }

    // MARK: The card itself

    mutating func identify(_ start: StartPoint) throws(SessionStop) {
        personaliser.progress(0, stepName)
        line.step = "identify"
        let answer = try line.send(image.serial, accepting: [.success])
        guard answer.data.count == image.serial.expectedLength else {
            throw .answer("the chip's serial number has a wrong length")
        }
        if case .resume(_, _, let serial?) = start, serial != answer.data { throw .otherCard }
        pending.serial = answer.data
    }

    mutating func carryOut(from start: StartPoint) throws(SessionStop) {
        var index = 0
        if case .resume(let first, let isUncertain, _) = start {
            isFresh = false
            index = first
            guard first < image.steps.count else { return try finish() }
            try begin(first)
            for step in image.entry(before: first) {
                line.step = "again: \(step.name)"
                _ = try perform(step, accepting: [.success])
            }
            line.step = stepName
            try isUncertain ? recover(image.steps[first]) : perform(image.steps[first])
            try end(first)
            index = first + 1
        }
        while index < image.steps.count {
            try begin(index)
            try perform(image.steps[index])
            try end(index)
            index += 1
        }
        try finish()
    }

    /// Writes how the last step ended and that this one begins, before anything of it goes out.
    private mutating func begin(_ index: Int) throws(SessionStop) {
        let step = image.steps[index]
        pending.begins = StepRecord.Beginning(number: index + 1, name: step.name, claimsCard: step.changesCard)
        try record()
        self.step = index + 1
        stepName = step.name
        line.step = step.name
        personaliser.progress(index + 1, step.name)
    }

    private mutating func end(_ index: Int) throws(SessionStop) {
        pending.ended = StepRecord.End(
            number: index + 1, name: image.steps[index].name, outcome: .done, status: .success)
    }

    private mutating func finish() throws(SessionStop) { try record() }

    private mutating func record() throws(SessionStop) {
        pending.exchanges = line.take()
        let record = pending
        let journal = personaliser.journal
        do { try waitOnCardThread { try await journal(record) } } catch {
            if let error = error as? IssuingError, case .cardInUse = error { throw .cardInUse(error) }
            throw .journal
        }
        pending = StepRecord()
    }

    // MARK: The end

    /// Tells the journal how the step ended that the session stopped in, as far as the journal can still be told.
    mutating func close(after stop: SessionStop) -> SessionEnd {
        let end = outcome(of: stop)
        var outcome = StepOutcome.failed
        var status: StatusWord?
        switch end {
        case .interrupted: outcome = .uncertain
        case .failed(_, _, let word, _): status = word
        case .finished, .otherCard: break
        }
        // After a journal that failed, `pending` still has the end of the step before; that step is then uncertain for the
        // journal, which is what its recovery is for.
        switch stop {
        case .journal, .otherCard: return end
        case .cardInUse: pending.begins = nil
        default:
            guard step > 0 else { break }
            pending.ended = StepRecord.End(number: step, name: stepName, outcome: outcome, status: status)
            pending.releasesCard = isFirstChange && Self.saysUnchanged(status)
        }
        try? record()
        return end
    }

    /// The step that was refused was to be the first that changes a fresh card.
    private var isFirstChange: Bool { isFresh && image.steps.prefix(step - 1).allSatisfy { !$0.changesCard } }

    /// A refusal; 62xx, 63xx and 65xx are warnings and faults after which something may have changed.
    private static func saysUnchanged(_ status: StatusWord?) -> Bool {
        guard let status else { return false }
        return ![0x90, 0x62, 0x63, 0x65].contains(status.sw1)
    }

    private func outcome(of stop: SessionStop) -> SessionEnd {
        switch stop {
        case .line(let error): .interrupted(step: step, name: stepName, reason: "\(error)")
        case .journal: .interrupted(step: step, name: stepName, reason: "the database cannot be reached")
        // A sealed or restarting module leaves the card as it is: the step's APDU was not sent.
        case .module(let error):
            .interrupted(step: step, name: stepName, reason: "the security module refused: \(error)")
        case .status(let status):
            .failed(step: step, name: stepName, status: status, reason: "the card answered \(status)")
        case .answer(let text), .lost(let text): .failed(step: step, name: stepName, status: nil, reason: text)
        case .cardInUse(let error): .failed(step: 0, name: "identify", status: nil, reason: error.message)
        case .otherCard: .otherCard
        }
    }
}
