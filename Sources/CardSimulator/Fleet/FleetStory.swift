/// Who eats what, where and when: purchases in the order of time, before anything has gone wrong.
struct FleetStory {
    struct Purchase {
        /// Seconds since midnight of the first day.
        var moment: Int
        var card: Int
        var terminal: Int
        var amount: UInt32
        var sequence: UInt16 = 0
        var balanceAfter: UInt32 = 0
        /// The terminal's own number for it.
        var terminalTransaction: UInt32 = 0
        var isLastOfCard = false
        /// Left out of the upload.
        var isMissing = false
        /// Position of the purchase whose sequence number this one repeats.
        var repeats: Int?
        var defect: CardFleet.Defect?
    }

    let settings: CardFleet.Settings
    var random: SplitMix64
    let terminals: [CardFleet.Terminal]
    private(set) var cards: [CardFleet.Card] = []
    private(set) var purchases: [Purchase] = []
    /// Positions of purchases that are uploaded twice.
    private(set) var duplicated: Set<Int> = []

    init(_ settings: CardFleet.Settings) {
        self.settings = settings
        random = SplitMix64(seed: settings.seed)
        terminals = FleetStory.terminals
    }

    /// Six merchants, twenty terminals.
    static let terminals: [CardFleet.Terminal] = {
        let merchants: [(String, Int)] = [
            ("第一食堂", 6), ("第二食堂", 5), ("清真餐厅", 2), ("教工餐厅", 3), ("面包房", 2), ("校园超市", 2),
        ]
        var list: [CardFleet.Terminal] = []
        for (place, merchant) in merchants.enumerated() {
            for desk in 1...merchant.1 {
                let number: [UInt8] = [0x00, 0x33, 0x01, 0x00, UInt8(place + 1), UInt8(desk)]
                let psam: [UInt8] = [0x33, 0x01, 0x03, 0x01, 0x00, 0x00, 0x00, 0x00, UInt8(place + 1), UInt8(desk)]
                list.append(CardFleet.Terminal(number: number, psam: psam, merchant: merchant.0))
            }
        }
        return list
    }()

    mutating func plan() throws(CardFleet.Failure) {
        let counts = defectCounts()
        let extra = (counts[.duplicate] ?? 0) + (counts[.sequenceRepeated] ?? 0)
        let missing = counts[.sequenceGap] ?? 0
        makePurchases(settings.records - extra + missing)
        settleBalances()
        try spoil(counts)
        numberTerminals()
    }

    /// The defects in turn, so that each kind has its share.
    private func defectCounts() -> [CardFleet.Defect: Int] {
        var counts: [CardFleet.Defect: Int] = [:]
        for index in 0..<settings.bad { counts[CardFleet.Defect.allCases[index % 6], default: 0] += 1 }
        return counts
    }

    // MARK: Meals

    /// Start, length in seconds, least and most fen, terminals to go to.
    private static let meals: [(start: Int, length: Int, least: UInt32, most: UInt32)] = [
        (6 * 3600 + 1800, 7200, 150, 900), (11 * 3600, 7800, 600, 2400), (17 * 3600, 7200, 500, 2200),
    ]

    /// A card eats at most once in a meal; enough days are taken that it need not.
    private mutating func makePurchases(_ count: Int) {
        let sittings = max(15, (count * 2 + settings.cards - 1) / settings.cards)
        var perSitting = [Int](repeating: count / sittings, count: sittings)
        for index in 0..<count % sittings { perSitting[index] += 1 }
        var order = Array(0..<settings.cards)
        for (sitting, guests) in perSitting.enumerated() {
            order.shuffle(using: &random)
            let meal = FleetStory.meals[sitting % 3]
            let dayStart = sitting / 3 * 86_400
            for guest in order.prefix(guests) {
                let amount = UInt32.random(in: meal.least / 50...meal.most / 50, using: &random) * 50
                purchases.append(
                    Purchase(
                        moment: dayStart + meal.start + Int.random(in: 0..<meal.length, using: &random), card: guest,
                        terminal: Int.random(in: 0..<terminals.count, using: &random), amount: amount))
            }
        }
        purchases.sort { ($0.moment, $0.card) < ($1.moment, $1.card) }
    }

    /// Opening balances that last for everything a card buys here, then sequence and balance of each purchase.
    private mutating func settleBalances() {
        var spent = [UInt32](repeating: 0, count: settings.cards)
        for purchase in purchases { spent[purchase.card] += purchase.amount }
        var sequence: [UInt16] = []
        var balance: [UInt32] = []
        for index in 0..<settings.cards {
            let opening = (spent[index] / 1000 + UInt32.random(in: 2...12, using: &random)) * 1000
            let first = UInt16.random(in: 0...400, using: &random)
            cards.append(
                CardFleet.Card(
                    serialNumber: FleetStory.serialNumber(index), openingBalance: opening, firstSequence: first))
            sequence.append(first)
            balance.append(opening)
        }
        var last = [Int](repeating: -1, count: settings.cards)
        for index in purchases.indices {
            let card = purchases[index].card
            balance[card] -= purchases[index].amount
            purchases[index].sequence = sequence[card]
            purchases[index].balanceAfter = balance[card]
            sequence[card] += 1
            last[card] = index
        }
        for index in last where index >= 0 { purchases[index].isLastOfCard = true }
    }

    /// Ten bytes of digits: 0001 3301 | 1000 | card number.
    private static func serialNumber(_ index: Int) -> [UInt8] {
        [0x00, 0x01, 0x33, 0x01, 0x10, 0x00] + decimal(index + 1, bytes: 4)
    }

    // MARK: What goes wrong

    /// Each defect falls on a card of its own. What a back office will refuse is the last purchase of its card, so that no
    /// later record looks bad because of it.
    private mutating func spoil(_ counts: [CardFleet.Defect: Int]) throws(CardFleet.Failure) {
        var used: Set<Int> = []
        var repetitions: [Purchase] = []
        for defect in CardFleet.Defect.allCases {
            for _ in 0..<(counts[defect] ?? 0) {
                let index = try pick(used, wantsSuccessor: defect == .sequenceGap)
                used.insert(purchases[index].card)
                switch defect {
                case .wrongTAC, .changedAmount, .unknownTerminal:
                    purchases[index].defect = defect
                case .duplicate:
                    duplicated.insert(index)
                case .sequenceGap:
                    purchases[index].isMissing = true
                    let card = purchases[index].card
                    let next = purchases[(index + 1)...].firstIndex { $0.card == card }
                    guard let next else { throw .impossible("no later purchase of the card") }
                    purchases[next].defect = .sequenceGap
                case .sequenceRepeated:
                    repetitions.append(repetition(of: index))
                }
            }
        }
        insert(repetitions)
    }

    private mutating func pick(_ used: Set<Int>, wantsSuccessor: Bool) throws(CardFleet.Failure) -> Int {
        for _ in 0..<100_000 {
            let index = Int.random(in: 0..<purchases.count, using: &random)
            if !used.contains(purchases[index].card), purchases[index].isLastOfCard != wantsSuccessor { return index }
        }
        throw .impossible("no purchase left that could go wrong")
    }

    /// The clone of a card: same sequence number, another amount, a minute or more later, elsewhere.
    private mutating func repetition(of index: Int) -> Purchase {
        var copy = purchases[index]
        let before = copy.balanceAfter + copy.amount
        copy.moment += Int.random(in: 60...900, using: &random)
        copy.terminal = (copy.terminal + Int.random(in: 1..<terminals.count, using: &random)) % terminals.count
        copy.amount = min(copy.amount + 50 * UInt32.random(in: 1...4, using: &random), before)
        copy.balanceAfter = before - copy.amount
        copy.repeats = index
        copy.defect = .sequenceRepeated
        return copy
    }

    /// Puts the repetitions in at their time; the positions remembered elsewhere move with the rows.
    private mutating func insert(_ repetitions: [Purchase]) {
        let rows = purchases.enumerated().map { ($0.offset, $0.element) } + repetitions.map { (-1, $0) }
        let sorted = rows.sorted { ($0.1.moment, $0.1.card, -$0.0) < ($1.1.moment, $1.1.card, -$1.0) }
        var moved = [Int](repeating: 0, count: purchases.count)
        for (position, row) in sorted.enumerated() where row.0 >= 0 { moved[row.0] = position }
        duplicated = Set(duplicated.map { moved[$0] })
        purchases = sorted.map { row in
            var purchase = row.1
            purchase.repeats = purchase.repeats.map { moved[$0] }
            return purchase
        }
    }

    private mutating func numberTerminals() {
        var next = terminals.map { _ in UInt32.random(in: 1...90_000, using: &random) }
        for index in purchases.indices {
            let terminal = purchases[index].terminal
            purchases[index].terminalTransaction = next[terminal]
            next[terminal] += 1
        }
    }
}

/// `bytes` bytes of binary-coded decimal.
func decimal(_ value: Int, bytes: Int) -> [UInt8] {
    var rest = value
    var result: [UInt8] = []
    for _ in 0..<bytes {
        result.append(UInt8((rest / 10 % 10) * 16 + rest % 10))
        rest /= 100
    }
    return result.reversed()
}
