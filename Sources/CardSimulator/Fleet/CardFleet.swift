/// Many cards buying meals offline for a few days: consumption records as canteen terminals would upload them, some of
/// them bad in known ways, for trying out a back office. The same seed gives the same bytes.
public enum CardFleet {
    public struct Settings: Sendable {
        public var seed: UInt64
        /// Rows in the record file, the bad ones included.
        public var records = 10_000
        /// How many of them are bad.
        public var bad = 25
        public var cards = 1_500
        /// First day, as year, month, day.
        public var firstDay = (year: 2026, month: 3, day: 2)
        /// Version of the TAC master key, as the records name it.
        public var keyVersion: UInt8 = 1

        public init(seed: UInt64) { self.seed = seed }
    }

    /// A terminal the back office knows, with the merchant it belongs to.
    public struct Terminal: Sendable, Hashable {
        /// 6 bytes, as in EF 0016 of its PSAM.
        public let number: [UInt8]
        /// 10 bytes, as in EF 0015 of its PSAM.
        public let psam: [UInt8]
        public let merchant: String
    }

    /// A card before the first record: its application serial number (10 bytes of digits) and opening balance in fen.
    public struct Card: Sendable, Hashable {
        public let serialNumber: [UInt8]
        public let openingBalance: UInt32
        /// The offline sequence of its first purchase here.
        public let firstSequence: UInt16
    }

    /// One consumption record. Amounts in fen; `tac` is 4 bytes.
    public struct Record: Sendable, Hashable {
        public var id: Int
        public var terminal: [UInt8]
        public var psam: [UInt8]
        public var terminalTransaction: UInt32
        public var card: [UInt8]
        public var cardSequence: UInt16
        public var amount: UInt32
        public var balanceAfter: UInt32
        /// 06 = purse purchase.
        public var type: UInt8
        /// YYYYMMDD and HHMMSS as BCD, 4 and 3 bytes.
        public var date: [UInt8]
        public var time: [UInt8]
        public var keyVersion: UInt8
        public var tac: [UInt8]
    }

    /// Why a record is bad.
    public enum Defect: String, Sendable, CaseIterable {
        /// The TAC is of no key at all.
        case wrongTAC = "wrong_tac"
        /// The amount was changed after the card made the TAC.
        case changedAmount = "changed_amount"
        /// An earlier record once more, equal in everything but its id.
        case duplicate
        /// A right TAC, from a terminal that nobody knows.
        case unknownTerminal = "unknown_terminal"
        /// The record before this one of the same card is missing.
        case sequenceGap = "sequence_gap"
        /// The card's sequence number was used before for another purchase; the TAC is right (a cloned card).
        case sequenceRepeated = "sequence_repeated"
    }

    /// The ground truth about one bad record.
    public struct Finding: Sendable, Hashable {
        public let id: Int
        public let defect: Defect
        /// The other record concerned: the original of a duplicate or repetition, else 0.
        public let other: Int
    }

    public struct Simulation: Sendable {
        public let terminals: [Terminal]
        public let cards: [Card]
        public let records: [Record]
        public let findings: [Finding]
    }

    public enum Failure: Error, Equatable {
        /// The numbers in the settings cannot be met (too many bad records, no cards…).
        case impossible(String)
        /// The TAC master key must have 16 bytes.
        case badKey
        /// A file cannot be read or written.
        case file(String)
    }

    /// - Parameter tacMasterKey: 16 bytes of a demonstration key (MTK); a card's DTK is diversified from it.
    public static func simulate(_ settings: Settings, tacMasterKey: [UInt8]) throws(Failure) -> Simulation {
        guard tacMasterKey.count == 16 else { throw .badKey }
        guard settings.cards >= 10, settings.cards <= 1_000_000 else { throw .impossible("10 to 1,000,000 cards") }
        guard settings.records >= 20, settings.records <= 5_000_000 else {
            throw .impossible("20 to 5,000,000 records")
        }
        guard settings.bad >= 0, settings.bad * 8 <= min(settings.records, settings.cards * 4) else {
            throw .impossible("too many bad records for so few records and cards")
        }
        var story = FleetStory(settings)
        try story.plan()
        var records = try FleetRecords(settings, story, key: tacMasterKey)
        return records.finish()
    }
}
