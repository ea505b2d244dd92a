/// Why a record is not simply posted. The first that applies, in this order, is the one that is told.
public enum RecordFault: String, CaseIterable, Sendable {
    /// The line is not a record; `detail` names the column.
    case malformed
    case unknownTerminal
    /// The terminal is bound to another PSAM: it may have been moved or stolen (TRM-6).
    case wrongPSAM
    /// The card did not sign this.
    case wrongTAC
    /// The same record, already in the books.
    case duplicate
    /// The terminal used the number before, for other content.
    case terminalNumberReused
    /// The card used the sequence number before, for other content: a copied card or an edited record.
    case cardSequenceReused
    /// The card's number before this one has never been seen: the money waits in suspense until it comes.
    case sequenceGap

    /// A record with this fault is not posted at all; the other kind goes to suspense.
    public var isRejection: Bool { self != .sequenceGap }
}

/// What is known about one record when it is judged.
struct RecordFacts: Sendable {
    let merchant: Merchant?
    /// The PSAM that the terminal is bound to.
    let boundPSAM: String?
    let isTACValid: Bool
    /// The posted purchase with the same terminal and terminal number, if any.
    let sameTerminalNumber: ConsumptionRecord?
    /// The posted purchase with the same card and card sequence, if any.
    let sameCardSequence: ConsumptionRecord?
    /// Whether the card's previous number has been seen on any record, or this is the first number ever seen of it.
    let followsOn: Bool
}

enum RecordJudgement: Sendable, Hashable {
    case post(Merchant)
    case suspend(Merchant)
    case reject(RecordFault)
}

/// The decision about one record: a function of the record and what is known, with no order of its own.
enum RecordJudge {
    static func judge(_ record: ConsumptionRecord, _ facts: RecordFacts) -> RecordJudgement {
        guard let merchant = facts.merchant else { return .reject(.unknownTerminal) }
        if let bound = facts.boundPSAM, bound != record.psam { return .reject(.wrongPSAM) }
        guard facts.isTACValid else { return .reject(.wrongTAC) }
        if let other = facts.sameTerminalNumber {
            return .reject(other.hasSameContent(as: record) ? .duplicate : .terminalNumberReused)
        }
        if facts.sameCardSequence != nil { return .reject(.cardSequenceReused) }
        return facts.followsOn ? .post(merchant) : .suspend(merchant)
    }
}

/// Card sequence analysis (卡交易序号分析): a number follows on when the one before it has been seen, or when it is the
/// lowest ever seen of its card.
///
/// "Seen" means on any line that can be read, also on one that is then refused: a record with a wrong TAC is listed for
/// itself and does not make its successor suspicious too. Only the record right behind a gap is held, not all later ones.
/// The rule depends on the set of numbers and not on the order in which they came; when the set grows, purchases move
/// between suspense and the merchant until the books are as if all had come at once. SQL repeats it in `PurchaseTable`.
enum SequenceRule {
    /// The numbers behind a gap.
    static func behindGap(_ seen: Set<UInt16>) -> Set<UInt16> {
        guard let first = seen.min() else { return [] }
        return seen.filter { $0 != first && !seen.contains($0 - 1) }
    }
}
