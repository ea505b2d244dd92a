/// One debit and the equal credit of another account: the only form in which money moves.
///
/// Because a row names both sides, a one-sided entry cannot be written down, in Swift or in SQL.
public struct Entry: Hashable, Sendable {
    public let purpose: Purpose
    public let debit: AccountName
    public let credit: AccountName
    /// Always positive.
    public let amount: Amount

    /// What an entry is for; a statement sums `sale` and `fee` entries of the merchant's account.
    public enum Purpose: String, Sendable {
        case sale, fee, hold, load
    }

    init(_ purpose: Purpose, debit: AccountName, credit: AccountName, _ amount: Amount) {
        precondition(amount > .zero, "an entry moves a positive amount")
        precondition(debit != credit, "an entry has two sides")
        self.purpose = purpose
        self.debit = debit
        self.credit = credit
        self.amount = amount
    }

    var mirrored: Entry { Entry(purpose, debit: credit, credit: debit, amount) }
}

/// A business event in the books (记账凭证): entries that are posted together or not at all, and never changed.
public struct Posting: Hashable, Sendable {
    public enum Kind: String, Sendable {
        /// A purchase whose money goes to the merchant.
        case purchase
        /// A purchase whose money waits in suspense.
        case suspended
        /// From suspense to the merchant, once the missing record is there.
        case release
        /// From the merchant back to suspense: an earlier upload turned out to be behind a gap.
        case hold
        /// Money put on a card.
        case load
        /// The exact opposite of an earlier posting (冲正).
        case reversal
    }

    /// Made by the client or from the client's numbers; unique in the database, so a repeat cannot post twice.
    public let key: String
    public let kind: Kind
    /// The day it counts for in reports (the terminal's date); the day it was booked is stored beside it.
    public let date: BusinessDate
    public let merchant: String?
    public let terminal: String?
    public let meal: Meal?
    public let memo: String
    public let entries: [Entry]
    /// The number of the posting that this one takes back.
    public let reverses: Int64?

    init(
        key: String, kind: Kind, date: BusinessDate, merchant: String? = nil, terminal: String? = nil,
        meal: Meal? = nil,
        memo: String, entries: [Entry], reverses: Int64? = nil
    ) {
        precondition(!entries.isEmpty && entries.count <= 16, "a posting has one to sixteen entries")
        self.key = key
        self.kind = kind
        self.date = date
        self.merchant = merchant
        self.terminal = terminal
        self.meal = meal
        self.memo = memo
        self.entries = entries
        self.reverses = reverses
    }

    /// What the posting does to each account, debit positive; the sum over all accounts is zero.
    public var effects: [AccountName: Amount] {
        var effects: [AccountName: Amount] = [:]
        for entry in entries {
            effects[entry.debit, default: .zero] += entry.amount
            effects[entry.credit, default: .zero] += -entry.amount
        }
        return effects
    }
}
