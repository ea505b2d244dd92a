/// The journal in the plain-text format of hledger, so that other people's tool can add it up.
enum HledgerJournal {
    static let head = "; PlatformLite journal, amounts in CNY\ncommodity 1000.00 CNY\ndecimal-mark .\n\n"

    static func text(of stored: JournalTable.Stored) -> String {
        let posting = stored.posting
        let description = String(posting.memo.map { $0 == ";" || $0 == "|" || $0.isNewline ? " " : $0 })
        var text = "\(posting.date) (\(stored.number)) \(posting.kind.rawValue): \(description)\n"
        for entry in posting.entries {
            text += "    \(entry.debit.hledger)  \(entry.amount) CNY\n"
            text += "    \(entry.credit.hledger)  \(-entry.amount) CNY\n"
        }
        return text + "\n"
    }
}
