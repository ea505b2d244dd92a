import HSMBridge

/// Why a POS gave up, in its own words.
enum POSFailure: Error, CustomStringConvertible {
    /// A card answered with a status word that is not 9000 at this step.
    case card(step: String, StatusWord)
    case answerLength(step: String)
    case loadRefused
    case macSetup

    var description: String {
        switch self {
        case .card(let step, let status): "\(step): the card answered \(status)."
        case .answerLength(let step): "\(step): the card's answer has the wrong length."
        case .loadRefused: "The crypto service refused the load: the card's MAC1 is wrong. Nothing was loaded."
        case .macSetup: "The record's MAC could not be formed."
        }
    }
}

/// Exchanges one command and insists on 9000.
func exchange(
    _ card: any CardChannel, _ step: String, _ bytes: [UInt8], le: Int? = nil, answer length: Int? = nil
) throws -> [UInt8] {
    let command = CommandAPDU(
        cla: bytes[0], ins: bytes[1], p1: bytes[2], p2: bytes[3], data: Array(bytes.dropFirst(4)), expectedLength: le)
    let response = try card.transmit(command)
    guard response.isSuccess else { throw POSFailure.card(step: step, response.status) }
    if let length, response.data.count != length { throw POSFailure.answerLength(step: step) }
    return response.data
}

extension FixedWidthInteger {
    /// Big-endian bytes.
    var octets: [UInt8] {
        (0..<Self.bitWidth / 8).map { UInt8(truncatingIfNeeded: self >> Self(Self.bitWidth - 8 - 8 * $0)) }
    }

    /// From big-endian bytes.
    init(octets: some Sequence<UInt8>) {
        self = octets.reduce(0) { $0 << 8 | Self($1) }
    }
}

/// What a POS knows of the cards that it serves: where the purse application lies. Must agree with the profiles in
/// `conf/cards`.
struct PurseLayout: Sendable {
    /// Application file of the user card.
    var cardApplication: UInt16 = 0x3F01
    /// Application file of the PSAM.
    var samApplication: UInt16 = 0xDF01
    /// Key index of purchase and load keys on the user card.
    var purchaseKeyIndex: UInt8 = 0x01
    var loadKeyIndex: UInt8 = 0x01
}

/// The user card as a POS sees it (facts/domain.md 1.3, 1.4, 2.7).
struct PurseCard {
    let channel: any CardChannel
    /// Ten bytes, from file 0015.
    let applicationSerial: [UInt8]

    /// The diversification factor: the last eight bytes of the application serial number.
    var factor: UInt64 { UInt64(octets: applicationSerial.suffix(8)) }

    init(opening channel: any CardChannel, layout: PurseLayout) throws {
        self.channel = channel
        _ = try exchange(channel, "select purse", [0x00, 0xA4, 0x00, 0x00] + layout.cardApplication.octets, le: 256)
        let info = try exchange(channel, "read card information", [0x00, 0xB0, 0x95, 0x00], le: 30, answer: 30)
        applicationSerial = Array(info[10..<20])
    }

    /// Fen.
    func balance() throws -> UInt32 {
        UInt32(octets: try exchange(channel, "read balance", [0x80, 0x5C, 0x00, 0x02], le: 4, answer: 4))
    }

    struct LoadStart {
        let oldBalance: UInt32
        let onlineSequence: UInt16
        let keyVersion: UInt8
        let algorithm: UInt8
        let random: UInt32
        let mac1: UInt32
    }

    func initialiseLoad(keyIndex: UInt8, amount: UInt32, terminal: UInt64) throws -> LoadStart {
        let answer = try exchange(
            channel, "initialise load", [0x80, 0x50, 0x00, 0x02, keyIndex] + amount.octets + terminal.octets.suffix(6),
            le: 16, answer: 16)
        return LoadStart(
            oldBalance: UInt32(octets: answer[0..<4]), onlineSequence: UInt16(octets: answer[4..<6]),
            keyVersion: answer[6], algorithm: answer[7], random: UInt32(octets: answer[8..<12]),
            mac1: UInt32(octets: answer[12..<16]))
    }

    /// The card checks MAC2, credits, and answers the TAC.
    func credit(time: [UInt8], mac2: UInt32) throws -> UInt32 {
        UInt32(
            octets: try exchange(
                channel, "credit", [0x80, 0x52, 0x00, 0x00] + time + mac2.octets, le: 4, answer: 4))
    }

    struct PurchaseStart {
        let balance: UInt32
        let offlineSequence: UInt16
        let keyVersion: UInt8
        let algorithm: UInt8
        let random: UInt32
    }

    func initialisePurchase(keyIndex: UInt8, amount: UInt32, terminal: UInt64) throws -> PurchaseStart {
        let answer = try exchange(
            channel, "initialise purchase",
            [0x80, 0x50, 0x01, 0x02, keyIndex] + amount.octets + terminal.octets.suffix(6), le: 15, answer: 15)
        return PurchaseStart(
            balance: UInt32(octets: answer[0..<4]), offlineSequence: UInt16(octets: answer[4..<6]),
            keyVersion: answer[9], algorithm: answer[10], random: UInt32(octets: answer[11..<15]))
    }

    struct Debited {
        let tac: UInt32
        let mac2: UInt32
    }

    func debit(terminalTransaction: UInt32, time: [UInt8], mac1: UInt32) throws -> Debited {
        let answer = try exchange(
            channel, "debit", [0x80, 0x54, 0x01, 0x00] + terminalTransaction.octets + time + mac1.octets, le: 8,
            answer: 8)
        return Debited(tac: UInt32(octets: answer[0..<4]), mac2: UInt32(octets: answer[4..<8]))
    }
}

/// The PSAM as a POS sees it (facts/domain.md 2.2).
struct PurchaseSAM {
    let channel: any CardChannel
    /// Six bytes, from file 0016.
    let terminal: UInt64
    /// Ten bytes, from file 0015.
    let serial: [UInt8]

    init(opening channel: any CardChannel, layout: PurseLayout) throws {
        self.channel = channel
        serial = Array(
            try exchange(channel, "read PSAM number", [0x00, 0xB0, 0x95, 0x00], le: 14, answer: 14).prefix(10))
        terminal = UInt64(
            octets: try exchange(channel, "read terminal number", [0x00, 0xB0, 0x96, 0x00], le: 6, answer: 6))
        _ = try exchange(
            channel, "select PSAM application", [0x00, 0xA4, 0x00, 0x00] + layout.samApplication.octets, le: 256)
    }

    struct Started {
        let terminalTransaction: UInt32
        let mac1: UInt32
    }

    /// INIT_SAM_FOR_PURCHASE with one level of diversification.
    func initialise(
        _ start: PurseCard.PurchaseStart, amount: UInt32, type: UInt8, time: [UInt8], factor: UInt64
    ) throws -> Started {
        let data =
            start.random.octets + start.offlineSequence.octets + amount.octets + [type] + time
            + [start.keyVersion, start.algorithm] + factor.octets
        let answer = try exchange(channel, "PSAM makes MAC1", [0x80, 0x70, 0x00, 0x00] + data, le: 8, answer: 8)
        return Started(terminalTransaction: UInt32(octets: answer[0..<4]), mac1: UInt32(octets: answer[4..<8]))
    }

    /// CREDIT_SAM_FOR_PURCHASE: the PSAM checks that the card debited.
    func credit(mac2: UInt32) throws {
        _ = try exchange(channel, "PSAM checks MAC2", [0x80, 0x72, 0x00, 0x00] + mac2.octets)
    }
}
