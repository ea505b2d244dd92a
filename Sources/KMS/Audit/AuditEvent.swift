public import HSMBridge

/// What happened, as the one who did it tells it; the trail adds number, times and chain.
public struct AuditEvent: Sendable, Hashable {
    public let operation: Operation
    /// The person who asked first, then the one who approved.
    public let actors: [String]
    public let origin: String
    /// Identity of what it was done to.
    public let object: String
    public let checkValue: KeyCheckValue?
    public let outcome: AuditOutcome
    /// Number of the `begun` record that this one closes.
    public let reference: UInt64?
    public let fields: [AuditField: String]

    public init(
        _ operation: Operation, actors: [String], origin: String, object: String = "", checkValue: KeyCheckValue? = nil,
        outcome: AuditOutcome, reference: UInt64? = nil, fields: [AuditField: String] = [:]
    ) {
        self.operation = operation
        self.actors = actors
        self.origin = origin
        self.object = object
        self.checkValue = checkValue
        self.outcome = outcome
        self.reference = reference
        self.fields = fields
    }
}

/// How far an operation has come.
public enum AuditOutcome: Sendable, Hashable {
    /// Allowed and about to be carried out; durable before anything happens.
    case begun
    case done
    /// Not allowed; nothing happened.
    case refused(code: String)
    /// Allowed and tried, and failed.
    case failed(code: String)
    /// Something that was found or came about by itself.
    case noted

    var name: String {
        switch self {
        case .begun: "begun"
        case .done: "done"
        case .refused: "refused"
        case .failed: "failed"
        case .noted: "noted"
        }
    }

    var code: String {
        switch self {
        case .refused(let code), .failed(let code): code
        case .begun, .done, .noted: ""
        }
    }
}

/// The only details that a record can have: a list of what is allowed, because a list of what is forbidden is never complete
/// (the lesson of CVE-2025-62705). No field is for a value of a key, PIN, component, password or token.
public enum AuditField: String, Sendable, Hashable, CaseIterable {
    case addresses, algorithm, approval, batch, cardKind, cardSerial, client, count, digest, exportability, finding,
        fromState, levels
    case fullName, intent, job, kind, lmkTerm, mode, operations, origin, profile, reader, reason, reconciled, role,
        sameValue
    case rate
    case scope, sequence, settings, slot, state, station, statusWord, step, stock, terminal, tokenPrefix, torn,
        transportKey, usage
    case validFrom, validUntil, version
}
