/// A terminal number: six bytes, the low 48 bits.
public struct TerminalNumber: WireValue, Hashable {
    public let value: UInt64
    public init?(_ value: UInt64) {
        guard value < 1 << 48 else { return nil }
        self.value = value
    }
    public func write(to writer: inout WireWriter) { writer.u64(value) }
    public init(from reader: inout WireReader) throws(WireError) {
        guard let value = TerminalNumber(try reader.u64()) else { throw .valueInvalid }
        self = value
    }
}

/// When a transaction was made, as cards and terminals write it: BCD `YYYYMMDD` and `HHMMSS`.
public struct TransactionTime: WireValue, Hashable {
    /// Four bytes BCD.
    public var date: UInt32
    /// Three bytes BCD, the low 24 bits.
    public var time: UInt32

    public init(date: UInt32, time: UInt32) {
        self.date = date
        self.time = time
    }

    public func write(to writer: inout WireWriter) {
        writer.u32(date)
        writer.u32(time)
    }

    public init(from reader: inout WireReader) throws(WireError) {
        date = try reader.u32()
        time = try reader.u32()
        guard time < 1 << 24 else { throw .valueInvalid }
    }
}

/// Authorises a load (圈存): checks the card's MAC1 and, only if it is right, makes MAC2.
///
/// Session key = 3DES(DLK, random4 | onlineSequence2 | 8000); MAC1 over oldBalance4 | amount4 | type1 | terminal6; MAC2 over
/// amount4 | type1 | terminal6 | date4 | time3. Source: JR/T 0025.2, facts/domain.md 1.3.
public struct AuthorisePurseLoad: ModuleCommand {
    public typealias Reply = LoadAuthorisation
    public static let code = CommandCode.authorisePurseLoad
    /// Usage load.
    public var key: DerivedKey
    public var random: UInt32
    public var onlineSequence: UInt16
    public var oldBalance: UInt32
    /// Fen.
    public var amount: UInt32
    /// 01 load of the passbook (ED), 02 of the purse (EP).
    public var type: UInt8
    public var terminal: TerminalNumber
    /// Four bytes, big-endian.
    public var mac1: UInt32
    public var time: TransactionTime

    public init(
        key: DerivedKey, random: UInt32, onlineSequence: UInt16, oldBalance: UInt32, amount: UInt32, type: UInt8,
        terminal: TerminalNumber, mac1: UInt32, time: TransactionTime
    ) {
        self.key = key
        self.random = random
        self.onlineSequence = onlineSequence
        self.oldBalance = oldBalance
        self.amount = amount
        self.type = type
        self.terminal = terminal
        self.mac1 = mac1
        self.time = time
    }

    public func write(to writer: inout WireWriter) {
        key.write(to: &writer)
        writer.u32(random)
        writer.u16(onlineSequence)
        writer.u32(oldBalance)
        writer.u32(amount)
        writer.u8(type)
        terminal.write(to: &writer)
        writer.u32(mac1)
        time.write(to: &writer)
    }

    public init(from reader: inout WireReader) throws(WireError) {
        key = try DerivedKey(from: &reader)
        random = try reader.u32()
        onlineSequence = try reader.u16()
        oldBalance = try reader.u32()
        amount = try reader.u32()
        type = try reader.u8()
        terminal = try TerminalNumber(from: &reader)
        mac1 = try reader.u32()
        time = try TransactionTime(from: &reader)
    }
}

/// MAC2 where MAC1 was right.
///
/// On the bridge five bytes either way, zeros after a wrong MAC1, so that the module can keep a place for the answer before it
/// knows which it is.
public enum LoadAuthorisation: WireValue {
    case mac1Mismatch
    /// Four bytes, big-endian.
    case authorised(mac2: UInt32)

    public func write(to writer: inout WireWriter) {
        switch self {
        case .mac1Mismatch:
            writer.u8(0)
            writer.u32(0)
        case .authorised(let mac2):
            writer.u8(1)
            writer.u32(mac2)
        }
    }

    public init(from reader: inout WireReader) throws(WireError) {
        let isRight = try reader.bool()
        let mac2 = try reader.u32()
        guard isRight || mac2 == 0 else { throw .valueInvalid }
        self = isRight ? .authorised(mac2: mac2) : .mac1Mismatch
    }
}

/// What binds the messages of one purchase (消费) together.
public struct PurchaseSession: WireValue, Hashable {
    /// From the card's answer to INITIALIZE FOR PURCHASE.
    public var random: UInt32
    public var offlineSequence: UInt16
    public var terminalTransaction: UInt32

    public init(random: UInt32, offlineSequence: UInt16, terminalTransaction: UInt32) {
        self.random = random
        self.offlineSequence = offlineSequence
        self.terminalTransaction = terminalTransaction
    }

    public func write(to writer: inout WireWriter) {
        writer.u32(random)
        writer.u16(offlineSequence)
        writer.u32(terminalTransaction)
    }

    public init(from reader: inout WireReader) throws(WireError) {
        random = try reader.u32()
        offlineSequence = try reader.u16()
        terminalTransaction = try reader.u32()
    }
}

/// MAC1 of a purchase, as a PSAM makes it, for terminals whose PSAM is this service.
///
/// Session key = 3DES(DPK, random4 | offlineSequence2 | right 2 bytes of the terminal transaction number); MAC1 over
/// amount4 | type1 | terminal6 | date4 | time3. Source: facts/domain.md 1.4.
public struct PurchaseMAC1: ModuleCommand {
    public typealias Reply = MACValue
    public static let code = CommandCode.purchaseMAC1
    /// Usage purchase.
    public var key: DerivedKey
    public var session: PurchaseSession
    public var amount: UInt32
    public var type: UInt8
    public var terminal: TerminalNumber
    public var time: TransactionTime

    public init(
        key: DerivedKey, session: PurchaseSession, amount: UInt32, type: UInt8, terminal: TerminalNumber,
        time: TransactionTime
    ) {
        self.key = key
        self.session = session
        self.amount = amount
        self.type = type
        self.terminal = terminal
        self.time = time
    }

    public func write(to writer: inout WireWriter) {
        key.write(to: &writer)
        session.write(to: &writer)
        writer.u32(amount)
        writer.u8(type)
        terminal.write(to: &writer)
        time.write(to: &writer)
    }

    public init(from reader: inout WireReader) throws(WireError) {
        key = try DerivedKey(from: &reader)
        session = try PurchaseSession(from: &reader)
        amount = try reader.u32()
        type = try reader.u8()
        terminal = try TerminalNumber(from: &reader)
        time = try TransactionTime(from: &reader)
    }
}

/// Checks MAC2 of a purchase: the card's proof that it debited `amount`.
public struct VerifyPurchaseMAC2: ModuleCommand {
    public typealias Reply = Verdict
    public static let code = CommandCode.verifyPurchaseMAC2
    public var key: DerivedKey
    public var session: PurchaseSession
    public var amount: UInt32
    /// Four bytes, big-endian.
    public var mac2: UInt32

    public init(key: DerivedKey, session: PurchaseSession, amount: UInt32, mac2: UInt32) {
        self.key = key
        self.session = session
        self.amount = amount
        self.mac2 = mac2
    }

    public func write(to writer: inout WireWriter) {
        key.write(to: &writer)
        session.write(to: &writer)
        writer.u32(amount)
        writer.u32(mac2)
    }

    public init(from reader: inout WireReader) throws(WireError) {
        key = try DerivedKey(from: &reader)
        session = try PurchaseSession(from: &reader)
        amount = try reader.u32()
        mac2 = try reader.u32()
    }
}

/// Checks one TAC (交易验证码): CBC-MAC under left xor right of the card's DTK, padding method 2, four bytes.
///
/// `data` is what the card signed: for a purchase amount4 | type1 | terminal6 | terminalTransaction4 | date4 | time3, for a
/// load newBalance4 | onlineSequence2 | amount4 | type1 | terminal6 | date4 | time3. Source: facts/domain.md 1.2-1.4.
public struct VerifyTAC: ModuleCommand {
    public typealias Reply = Verdict
    public static let code = CommandCode.verifyTAC
    /// Usage TAC.
    public var key: DerivedKey
    /// At most 64 bytes.
    public var data: [UInt8]
    /// Four bytes, big-endian.
    public var tac: UInt32

    public init(key: DerivedKey, data: [UInt8], tac: UInt32) {
        self.key = key
        self.data = data
        self.tac = tac
    }

    public func write(to writer: inout WireWriter) {
        key.write(to: &writer)
        writer.bytes(data)
        writer.u32(tac)
    }

    public init(from reader: inout WireReader) throws(WireError) {
        key = try DerivedKey(from: &reader)
        data = try reader.bytes()
        tac = try reader.u32()
    }
}

/// Checks many purchase TACs under one master.
///
/// `records` is contiguous: for each record `levels` factors of 8 bytes, the data, and the TAC of 4 bytes; all records have
/// the same data length. At most 10,000 records.
public struct VerifyTACBatch: ModuleCommand {
    public typealias Reply = VerdictMap
    public static let code = CommandCode.verifyTACBatch
    public static let maximumRecords = 10_000
    public var key: KeyReference
    /// Factors of each record, 0 to 4.
    public var levels: UInt8
    /// Bytes of data of each record, 1 to 64.
    public var dataLength: UInt8
    public var records: [UInt8]

    public init(key: KeyReference, levels: UInt8, dataLength: UInt8, records: [UInt8]) {
        self.key = key
        self.levels = levels
        self.dataLength = dataLength
        self.records = records
    }

    public var recordLength: Int { 8 * Int(levels) + Int(dataLength) + 4 }

    public func write(to writer: inout WireWriter) {
        key.write(to: &writer)
        writer.u8(levels)
        writer.u8(dataLength)
        writer.bytes(records)
    }

    public init(from reader: inout WireReader) throws(WireError) {
        key = try KeyReference(from: &reader)
        levels = try reader.u8()
        dataLength = try reader.u8()
        records = try reader.bytes()
    }
}

/// One bit a record, first record in the highest bit of the first byte; 1 = match.
public struct VerdictMap: WireValue, Hashable {
    public var count: Int
    public var bits: [UInt8]

    public init(count: Int, bits: [UInt8]) {
        self.count = count
        self.bits = bits
    }

    public subscript(index: Int) -> Verdict { bits[index / 8] >> (7 - index % 8) & 1 == 1 ? .match : .mismatch }

    public func write(to writer: inout WireWriter) {
        writer.u32(UInt32(count))
        writer.bytes(bits)
    }

    public init(from reader: inout WireReader) throws(WireError) {
        count = Int(try reader.u32())
        bits = try reader.bytes()
        guard bits.count == (count + 7) / 8 else { throw .valueInvalid }
    }
}
