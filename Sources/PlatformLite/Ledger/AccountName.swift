/// An account of the ledger (会计科目 with its sub-account); `text` is its name in the database.
public enum AccountName: Hashable, Sendable {
    /// What we owe the holder of a card: the purse float, one sub-account a card (电子钱包).
    case purse(card: String)
    /// What we owe a merchant: takings less fees, until it is paid.
    case merchant(String)
    /// Money of valid records that wait for an explanation (待查): it is not the holder's any more and not yet the merchant's.
    case suspense
    /// Commission earned.
    case feeIncome
    /// Money at the bank: loads come in here.
    case bank

    /// Nil for a name that no case makes.
    public init?(text: String) {
        if text.hasPrefix("purse:") {
            self = .purse(card: String(text.dropFirst(6)))
        } else if text.hasPrefix("merchant:") {
            self = .merchant(String(text.dropFirst(9)))
        } else {
            switch text {
            case "suspense": self = .suspense
            case "fee-income": self = .feeIncome
            case "bank": self = .bank
            default: return nil
            }
        }
    }

    public var text: String {
        switch self {
        case .purse(let card): "purse:\(card)"
        case .merchant(let number): "merchant:\(number)"
        case .suspense: "suspense"
        case .feeIncome: "fee-income"
        case .bank: "bank"
        }
    }

    /// The control account that the sub-account belongs to; repeated as a CHECK in the schema.
    public var kind: String {
        switch self {
        case .purse: "purse"
        case .merchant: "merchant"
        case .suspense: "suspense"
        case .feeIncome: "fee-income"
        case .bank: "bank"
        }
    }

    /// The name in hledger's hierarchy: `liabilities:purse:…`.
    var hledger: String {
        switch self {
        case .purse, .merchant, .suspense: "liabilities:\(text)"
        case .feeIncome: "income:fees"
        case .bank: "assets:bank"
        }
    }
}
