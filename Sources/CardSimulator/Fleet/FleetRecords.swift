/// Turns the story into uploaded records: dates, TACs, and what goes wrong on the way.
struct FleetRecords {
    private let settings: CardFleet.Settings
    private let story: FleetStory
    private var random: SplitMix64
    private let tacCiphers: [CardCipher]

    init(_ settings: CardFleet.Settings, _ story: FleetStory, key: [UInt8]) throws(CardFleet.Failure) {
        self.settings = settings
        self.story = story
        random = story.random
        var ciphers: [CardCipher] = []
        for card in story.cards {
            // Card DTK: master key diversified by the last eight bytes of the serial number (domain.md §3.1).
            guard let dtk = PBOCKeys.diversify(key, by: Array(card.serialNumber.suffix(8))),
                let cipher = PBOCKeys.tac(dtk)
            else { throw .badKey }
            ciphers.append(cipher)
        }
        tacCiphers = ciphers
    }

    mutating func finish() -> CardFleet.Simulation {
        var records: [CardFleet.Record] = []
        var findings: [CardFleet.Finding] = []
        var ids = [Int](repeating: 0, count: story.purchases.count)
        /// Duplicates waiting to be uploaded again: the record, and the count of records after which it comes.
        var waiting: [(after: Int, record: CardFleet.Record)] = []
        func append(_ record: CardFleet.Record) -> Int {
            records.append(record)
            records[records.count - 1].id = records.count
            return records.count
        }
        for (position, purchase) in story.purchases.enumerated() {
            if purchase.isMissing { continue }
            var record = self.record(purchase)
            spoil(&record, purchase.defect)
            ids[position] = append(record)
            if let defect = purchase.defect {
                let other = purchase.repeats.map { ids[$0] } ?? 0
                findings.append(CardFleet.Finding(id: ids[position], defect: defect, other: other))
            }
            if story.duplicated.contains(position) {
                record.id = ids[position]
                waiting.append((records.count + Int.random(in: 1...200, using: &random), record))
            }
            while let due = waiting.firstIndex(where: { $0.after <= records.count }) {
                let original = waiting.remove(at: due).record
                let id = append(original)
                findings.append(CardFleet.Finding(id: id, defect: .duplicate, other: original.id))
            }
        }
        for (_, original) in waiting {
            let id = append(original)
            findings.append(CardFleet.Finding(id: id, defect: .duplicate, other: original.id))
        }
        return CardFleet.Simulation(
            terminals: story.terminals, cards: story.cards, records: records, findings: findings)
    }

    private func record(_ purchase: FleetStory.Purchase) -> CardFleet.Record {
        let terminal = story.terminals[purchase.terminal]
        let (date, time) = moment(purchase.moment)
        var record = CardFleet.Record(
            id: 0, terminal: terminal.number, psam: terminal.psam, terminalTransaction: purchase.terminalTransaction,
            card: story.cards[purchase.card].serialNumber, cardSequence: purchase.sequence, amount: purchase.amount,
            balanceAfter: purchase.balanceAfter, type: 0x06, date: date, time: time,
            keyVersion: settings.keyVersion, tac: [])
        if purchase.defect == .unknownTerminal {
            record.terminal = [0x00, 0x99, 0x99, 0x00, 0x00, UInt8(1 + purchase.terminal % 9)]
            record.psam = [0x99, 0x99] + record.psam.dropFirst(2)
        }
        record.tac = tacCiphers[purchase.card].mac(FleetRecords.covered(record))
        return record
    }

    /// What the TAC of a purchase covers: `amount4 | type | terminal6 | terminalTxn4 | date4 | time3` (domain.md §1.4).
    static func covered(_ record: CardFleet.Record) -> [UInt8] {
        record.amount.bytes + [record.type] + record.terminal + record.terminalTransaction.bytes + record.date
            + record.time
    }

    private mutating func spoil(_ record: inout CardFleet.Record, _ defect: CardFleet.Defect?) {
        switch defect {
        case .wrongTAC:
            // Another value for certain: a number from 1 up is added to it.
            let tac = UInt32(truncatingIfNeeded: record.tac.number) &+ UInt32.random(in: 1 ... .max, using: &random)
            record.tac = tac.bytes
        case .changedAmount:
            record.amount += 100 * UInt32.random(in: 1...20, using: &random)
        case .unknownTerminal, .sequenceGap, .sequenceRepeated, .duplicate, nil:
            break
        }
    }

    /// Date and time as BCD. The calendar is counted by hand: days of the civil calendar after the first day.
    private func moment(_ seconds: Int) -> (date: [UInt8], time: [UInt8]) {
        var (year, month, day) = settings.firstDay
        for _ in 0..<seconds / 86_400 {
            let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
            let lengths = [31, leap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
            day += 1
            if day > lengths[month - 1] {
                (day, month) = (1, month + 1)
                if month > 12 { (month, year) = (1, year + 1) }
            }
        }
        let rest = seconds % 86_400
        return (
            decimal(year, bytes: 2) + decimal(month, bytes: 1) + decimal(day, bytes: 1),
            decimal(rest / 3600, bytes: 1) + decimal(rest / 60 % 60, bytes: 1) + decimal(rest % 60, bytes: 1)
        )
    }
}
