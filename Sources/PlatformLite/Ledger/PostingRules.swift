/// Which entries a business event makes: functions from values to values, the whole accounting policy in one place.
public enum PostingRules {
    /// A purchase: the holder's float shrinks, the merchant is owed the amount, the fee is taken from the merchant.
    ///
    /// With `isSuspended` the money waits in suspense and no fee is taken yet.
    public static func purchase(_ record: ConsumptionRecord, merchant: Merchant, isSuspended: Bool) -> Posting {
        let purse = AccountName.purse(card: record.card)
        var entries: [Entry]
        if isSuspended {
            entries = [Entry(.hold, debit: purse, credit: .suspense, record.amount)]
        } else {
            entries = [Entry(.sale, debit: purse, credit: .merchant(merchant.number), record.amount)]
            entries += fee(merchant.rate.fee(of: record.amount), of: merchant.number)
        }
        return Posting(
            key: "purchase:\(record.terminal):\(record.terminalTransaction)",
            kind: isSuspended ? .suspended : .purchase,
            date: record.date, merchant: merchant.number, terminal: record.terminal, meal: Meal(at: record.time),
            memo: "record \(record.recordID)", entries: entries
        )
    }

    /// A purchase that leaves suspense (`toSuspense` false) or goes back there. `move` counts the moves of this purchase from 1.
    static func move(_ purchase: PostedPurchase, toSuspense: Bool, move: Int) -> Posting {
        let merchant = AccountName.merchant(purchase.merchant)
        let sale = Entry(.sale, debit: .suspense, credit: merchant, purchase.amount)
        let entries = [sale] + fee(purchase.fee, of: purchase.merchant)
        return Posting(
            key: "move:\(purchase.terminal):\(purchase.terminalTransaction):\(move)",
            kind: toSuspense ? .hold : .release,
            date: purchase.date, merchant: purchase.merchant, terminal: purchase.terminal, meal: purchase.meal,
            memo: toSuspense ? "a card number before this one is missing" : "the missing card number has come",
            entries: toSuspense ? entries.map(\.mirrored) : entries
        )
    }

    /// Money put on a card; `key` is the client's.
    static func load(card: String, amount: Amount, date: BusinessDate, key: String, memo: String) -> Posting {
        Posting(
            key: "load:\(key)", kind: .load, date: date, memo: memo,
            entries: [Entry(.load, debit: .bank, credit: .purse(card: card), amount)]
        )
    }

    /// The exact opposite of a posting, counting for the same day, merchant, terminal and meal.
    ///
    /// Its key is made of the original's number, and `reverses` is unique in the database: one original, one reversal.
    static func reversal(of original: Posting, number: Int64, memo: String) -> Posting {
        Posting(
            key: "reversal:\(number)", kind: .reversal, date: original.date, merchant: original.merchant,
            terminal: original.terminal, meal: original.meal, memo: memo,
            entries: original.entries.map(\.mirrored), reverses: number
        )
    }

    private static func fee(_ fee: Amount, of merchant: String) -> [Entry] {
        fee == .zero ? [] : [Entry(.fee, debit: .merchant(merchant), credit: .feeIncome, fee)]
    }
}

/// A purchase as it stands in the books.
struct PostedPurchase: Sendable, Hashable {
    let terminal: String
    let terminalTransaction: UInt32
    let merchant: String
    let amount: Amount
    let fee: Amount
    let date: BusinessDate
    let meal: Meal
    let moves: Int
}
