/// Who knows whether a card has signed a record; this room never sees a key.
public protocol TACVerifier: Sendable {
    /// One verdict for each record, in their order: true when the TAC is the card's.
    func verify(_ records: [ConsumptionRecord]) async throws(VerificationFailure) -> [Bool]
}

/// Why no verdicts could be had. Nothing is known about the records then; they wait.
public enum VerificationFailure: Error, Hashable, Sendable {
    /// The crypto service does not answer.
    case away
    /// The security module behind it is sealed.
    case sealed
    /// The crypto service does not know the TAC key by this label.
    case keyUnknown(String)
    /// The crypto service answered with this two-digit code.
    case refused(String)
    /// An answer that does not fit the question.
    case nonsense
}

extension VerificationFailure: CustomStringConvertible {
    public var description: String {
        switch self {
        case .away: "the crypto service does not answer"
        case .sealed: "the security module is sealed"
        case .keyUnknown(let label): "the crypto service does not know the key \(label)"
        case .refused(let code): "the crypto service refused with error \(code)"
        case .nonsense: "the crypto service gave an answer that does not fit"
        }
    }
}
