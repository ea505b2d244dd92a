import HSMBridge
import Testing

/// A point of sale with a user card and a PSAM in two readers; it knows no key, only the wire (facts of JR/T 0025.2: load and
/// purchase of the electronic purse, and of the PSAM papers: 80 70 and 80 72).
struct Terminal: Sendable {
    let bureau: Bureau
    let card: RackCard
    let psam: RackCard
    static let number = "310000000001"
    private let time = "20261123120000"

    /// What a purchase leaves behind.
    struct Receipt: Sendable {
        let balance: UInt32
        let terminalTransaction: UInt32
        /// amount4 | type1 | terminal6 | terminalTransaction4 | date4 | time3
        let signed: [UInt8]
        let tac: UInt32
        /// Last eight bytes of the application serial number.
        let factor: UInt64
    }

    /// Loads (圈存) `amount` fen: the card's MAC1 is checked, and MAC2 made, by the module.
    func load(_ amount: UInt32) async throws {
        let key = try bureau.key("PURSE/LOAD")
        try await Rack.readers.withCard(in: card.reader) { channel in
            let factor = try Self.selectPurse(channel)
            _ = try channel.good("00200000 \(Hex.encode(Bureau.pin.utf8))")
            let open = try channel.good("80500002 01 \(Self.hex(amount)) \(Self.number)", le: 16)
            let request = AuthorisePurseLoad(
                key: DerivedKey(key, factors: [factor]), random: UInt32(Self.big(open[8..<12])),
                onlineSequence: UInt16(Self.big(open[4..<6])), oldBalance: UInt32(Self.big(open[0..<4])),
                amount: amount,
                type: 2, terminal: try #require(TerminalNumber(0x3100_0000_0001)),
                mac1: UInt32(Self.big(open[12..<16])),
                time: TransactionTime(date: 0x2026_1123, time: 0x12_0000))
            let module = bureau.module
            guard case .authorised(let mac2) = try waiting({ try await module.execute(request) }) else {
                Issue.record("the card's MAC1 is not the module's")
                return
            }
            _ = try channel.good("80520000 \(time) \(Self.hex(mac2))", le: 4)
        }
    }

    /// Takes `amount` fen, offline between the two cards.
    func purchase(_ amount: UInt32) async throws -> Receipt {
        try await Rack.readers.withCard(in: psam.reader) { sam in
            try Rack.readers.withCard(in: card.reader) { purse in try self.purchase(amount, sam, purse) }
        }
    }

    private func purchase(_ amount: UInt32, _ sam: any CardChannel, _ purse: any CardChannel) throws -> Receipt {
        let terminal = Hex.encode(try sam.good("00B09600", le: 6))
        #expect(terminal == Self.number)
        _ = try sam.good("00A40000 DF01", le: 256)
        let factor = try Self.selectPurse(purse)
        let sum = Self.hex(amount)
        let open = try purse.good("80500102 01 \(sum) \(terminal)", le: 15)
        let (random, sequence, version) = (open[11..<15], open[4..<6], open[9..<11])
        let started = try sam.good(
            """
            80700000 \(Hex.encode(random)) \(Hex.encode(sequence)) \(sum) 06 \(time) \(Hex.encode(version)) \(Self.hex(factor))
            """, le: 8)
        let (transaction, mac1) = (started[0..<4], started[4..<8])
        let debited = try purse.good("80540100 \(Hex.encode(transaction)) \(time) \(Hex.encode(mac1))", le: 8)
        _ = try sam.good("80720000 \(Hex.encode(debited[4..<8]))")
        let signed = try #require(
            Hex.decode("\(sum)06\(terminal)\(Hex.encode(transaction))\(time)"))
        return Receipt(
            balance: UInt32(Self.big(try purse.good("805C0002", le: 4))),
            terminalTransaction: UInt32(Self.big(transaction)),
            signed: signed, tac: UInt32(Self.big(debited[0..<4])), factor: factor)
    }

    /// Selects the purse application; the card's diversification factor.
    private static func selectPurse(_ channel: any CardChannel) throws -> UInt64 {
        _ = try channel.good("00A40000 3F01", le: 256)
        return big(try channel.good("00B09500", le: 30)[12..<20])
    }

    private static func big(_ bytes: some Sequence<UInt8>) -> UInt64 { bytes.reduce(0) { $0 << 8 | UInt64($1) } }

    private static func hex<Number: FixedWidthInteger>(_ number: Number) -> String {
        Hex.encode((0..<Number.bitWidth / 8).reversed().map { UInt8(truncatingIfNeeded: number >> Number($0 * 8)) })
    }
}
