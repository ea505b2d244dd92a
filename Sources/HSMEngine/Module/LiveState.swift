import HSMBridge

/// Everything of the module that changes, behind one lock that is held for moments only: values are taken out, worked on, and
/// put back if the world is still the same.
struct LiveState: Sendable {
    /// The open ceremony. Its number tells a card's work that began in it from one that began in an earlier one.
    struct OpenCeremony: Sendable {
        let number: UInt64
        let deadline: Int64
        var ceremony: Ceremony
        /// A card is being worked on.
        var isAway = false
    }

    private(set) var state: ModuleState
    /// Why the module failed, empty if it did not.
    private(set) var failure = ""
    var record: StateRecord
    private(set) var keyring: Keyring?
    var ceremony: OpenCeremony?
    /// The last ceremony ended by its time limit, and none was begun since.
    var ceremonyExpired = false
    private var ceremonies: UInt64 = 0

    init(record: StateRecord, failure: String? = nil) {
        self.record = record
        state = record.masterKey == nil ? .uninitialised : .sealed
        if let failure { fail(failure) }
    }

    /// Applies an event of the state table; false where it cannot happen now.
    private mutating func apply(_ event: ModuleEvent) -> Bool {
        guard let next = StateMachine.next(state, event) else { return false }
        state = next
        if next != .operational {
            keyring?.makeVoid()
            keyring = nil
        }
        if next != .ceremony { ceremony = nil }
        return true
    }

    mutating func fail(_ reason: String) {
        if failure.isEmpty { failure = reason }
        _ = apply(.failed)
    }

    mutating func begin(_ new: Ceremony, deadline: Int64) -> Bool {
        guard apply(new.kind == .generate ? .generationBegun : .loadBegun) else { return false }
        ceremonies += 1
        ceremony = OpenCeremony(number: ceremonies, deadline: deadline, ceremony: new)
        ceremonyExpired = false
        return true
    }

    /// Ends the open ceremony with nothing done; its components are wiped with it.
    mutating func endCeremony(expired: Bool = false) {
        guard let open = ceremony else { return }
        ceremonyExpired = expired
        _ = apply(open.ceremony.kind == .generate ? .generationEnded : .loadEnded)
    }

    mutating func endExpiredCeremony(now: Int64) {
        if let open = ceremony, open.deadline <= now { endCeremony(expired: true) }
    }

    mutating func finishGeneration(_ new: StateRecord) {
        record = new
        _ = apply(.generationFinished)
    }

    mutating func finishLoad(_ new: StateRecord, keyring opened: Keyring) -> Bool {
        record = new
        guard apply(.loadFinished) else { return false }
        keyring = opened
        return true
    }

    /// Seals; an open ceremony ends first.
    mutating func seal() -> Bool {
        if ceremony != nil {
            endCeremony()
            return true
        }
        return apply(.sealed)
    }
}
