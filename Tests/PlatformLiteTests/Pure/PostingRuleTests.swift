import Testing

@testable import PlatformLite

struct PostingRuleTests {
    private func record(_ fen: Int64) throws -> ConsumptionRecord {
        try RecordCSV.line(number: 1, Scenario.record(transaction: 7, card: 3, sequence: 9, fen: fen)).content.get()
    }

    private func merchant(_ basisPoints: Int64) throws -> Merchant {
        let rate = try #require(FeeRate(basisPoints: basisPoints))
        return try #require(Merchant(number: "M1", name: "食堂", rate: rate))
    }

    @Test func `A purchase owes the merchant the amount less the fee`() throws {
        let posting = PostingRules.purchase(try record(1_250), merchant: try merchant(60), isSuspended: false)
        #expect(
            posting.effects == [
                .purse(card: Scenario.cardNumber(3)): Amount(fen: 1_250),
                .merchant("M1"): Amount(fen: -1_242), .feeIncome: Amount(fen: -8),
            ])
        #expect(posting.key == "purchase:0000000000A1:7")
        #expect(posting.meal == .lunch)
    }

    @Test func `A fee of nothing makes no entry`() throws {
        #expect(PostingRules.purchase(try record(1), merchant: try merchant(60), isSuspended: false).entries.count == 1)
    }

    @Test func `A suspended purchase takes no fee and pays nobody`() throws {
        let posting = PostingRules.purchase(try record(1_250), merchant: try merchant(60), isSuspended: true)
        #expect(
            posting.effects == [
                .purse(card: Scenario.cardNumber(3)): Amount(fen: 1_250), .suspense: Amount(fen: -1_250),
            ])
    }

    @Test func `Suspended and released is the same as posted at once`() throws {
        let record = try record(4_999)
        let merchant = try merchant(38)
        let moved = PostedPurchase(
            terminal: record.terminal, terminalTransaction: record.terminalTransaction, merchant: merchant.number,
            amount: record.amount, fee: merchant.rate.fee(of: record.amount), date: record.date, meal: .lunch, moves: 0)
        let detour = [
            PostingRules.purchase(record, merchant: merchant, isSuspended: true),
            PostingRules.move(moved, toSuspense: false, move: 1),
            PostingRules.move(moved, toSuspense: true, move: 2),
            PostingRules.move(moved, toSuspense: false, move: 3),
        ]
        let direct = PostingRules.purchase(record, merchant: merchant, isSuspended: false)
        #expect(total(detour) == total([direct]))
        #expect(Set(detour.map(\.key)).count == 4)
    }

    @Test(arguments: 0..<200 as Range<UInt64>)
    func `Every posting that the rules can make is balanced and its reversal cancels it`(seed: UInt64) throws {
        var random = Seeded(seed)
        let record = try record(Int64.random(in: 1...Int64(UInt32.max), using: &random))
        let merchant = try merchant(Int64.random(in: 0...10_000, using: &random))
        let load = PostingRules.load(
            card: record.card, amount: record.amount, date: record.date, key: "k\(seed)", memo: "")
        let purchase = PostingRules.purchase(record, merchant: merchant, isSuspended: Bool.random(using: &random))
        for posting in [load, purchase] {
            #expect(posting.effects.values.sum == .zero)
            let back = PostingRules.reversal(of: posting, number: 1, memo: "")
            #expect(total([posting, back]).isEmpty)
        }
    }

    @Test func `An entry with nothing in it or one side stops the program`() async {
        await #expect(processExitsWith: .failure) { _ = Entry(.sale, debit: .bank, credit: .suspense, .zero) }
        await #expect(processExitsWith: .failure) { _ = Entry(.sale, debit: .bank, credit: .bank, Amount(fen: 1)) }
    }

    @Test(arguments: [AccountName.purse(card: "62"), .merchant("M-1"), .suspense, .feeIncome, .bank])
    func `An account's name leads back to it`(account: AccountName) {
        #expect(AccountName(text: account.text) == account)
    }

    private func total(_ postings: [Posting]) -> [AccountName: Amount] {
        var total: [AccountName: Amount] = [:]
        for posting in postings { total.merge(posting.effects, uniquingKeysWith: +) }
        return total.filter { $0.value != .zero }
    }
}
