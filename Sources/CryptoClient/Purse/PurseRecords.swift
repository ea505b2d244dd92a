import NIOCore

/// A purchase (消费) as MAC1 and TAC cover it, 22 bytes:
/// amount 4 | type 1 | terminal 6 | terminal transaction number 4 | date 4 | time 3.
///
/// The TAC is made over these bytes as they stand; MAC1 leaves the transaction number out (JR/T 0025.2; FMCOS 2.0 manual
/// 8.8; vectors pboc_edep.json).
public struct PurchaseRecord: Sendable, Hashable {
    static let length = 22

    /// In fen.
    public var amount: UInt32
    /// 05 passbook, 06 purse, 09 compound.
    public var type: UInt8
    public var terminal: PurseTerminal
    /// The PSAM's transaction number.
    public var terminalSequence: UInt32
    public var time: PurseTime

    public init(amount: UInt32, type: UInt8, terminal: PurseTerminal, terminalSequence: UInt32, time: PurseTime) {
        self.amount = amount
        self.type = type
        self.terminal = terminal
        self.terminalSequence = terminalSequence
        self.time = time
    }

    init(_ reader: inout FieldReader) throws(FieldError) {
        amount = try reader.integer(.amount)
        type = try reader.integer(.transactionType)
        terminal = try reader.terminal()
        terminalSequence = try reader.integer(.terminalSequence)
        time = try reader.purseTime()
    }

    func write(into buffer: inout ByteBuffer) {
        buffer.writeInteger(amount)
        buffer.writeInteger(type)
        buffer.writeTerminal(terminal)
        buffer.writeInteger(terminalSequence)
        buffer.writePurseTime(time)
    }
}

/// A load (圈存) as its TAC covers it, 24 bytes:
/// new balance 4 | online sequence before the load 2 | amount 4 | type 1 | terminal 6 | date 4 | time 3.
public struct LoadRecord: Sendable, Hashable {
    static let length = 24

    /// In fen.
    public var newBalance: UInt32
    public var onlineSequence: UInt16
    /// In fen.
    public var amount: UInt32
    /// 01 passbook, 02 purse.
    public var type: UInt8
    public var terminal: PurseTerminal
    public var time: PurseTime

    public init(
        newBalance: UInt32, onlineSequence: UInt16, amount: UInt32, type: UInt8, terminal: PurseTerminal,
        time: PurseTime
    ) {
        self.newBalance = newBalance
        self.onlineSequence = onlineSequence
        self.amount = amount
        self.type = type
        self.terminal = terminal
        self.time = time
    }

    init(_ reader: inout FieldReader) throws(FieldError) {
        newBalance = try reader.integer(.balance)
        onlineSequence = try reader.integer(.sequence)
        amount = try reader.integer(.amount)
        type = try reader.integer(.transactionType)
        terminal = try reader.terminal()
        time = try reader.purseTime()
    }

    func write(into buffer: inout ByteBuffer) {
        buffer.writeInteger(newBalance)
        buffer.writeInteger(onlineSequence)
        buffer.writeInteger(amount)
        buffer.writeInteger(type)
        buffer.writeTerminal(terminal)
        buffer.writePurseTime(time)
    }
}

/// What a TAC (交易验证码) was made over.
public enum TACRecord: Sendable, Hashable {
    case purchase(PurchaseRecord)
    case load(LoadRecord)

    /// The letter that says which.
    public enum Kind: UInt8, Sendable, Hashable, CaseIterable {
        case purchase = 0x50  // P
        case load = 0x4C  // L

        /// Bytes the TAC covers.
        public var dataLength: Int { self == .purchase ? PurchaseRecord.length : LoadRecord.length }
    }

    public var kind: Kind {
        switch self {
        case .purchase: .purchase
        case .load: .load
        }
    }

    /// The bytes the TAC covers, as they stand on the wire.
    public var data: [UInt8] {
        var buffer = ByteBuffer()
        write(into: &buffer)
        return Array(buffer.readableBytesView)
    }

    init(_ reader: inout FieldReader, kind: Kind) throws(FieldError) {
        switch kind {
        case .purchase: self = .purchase(try PurchaseRecord(&reader))
        case .load: self = .load(try LoadRecord(&reader))
        }
    }

    func write(into buffer: inout ByteBuffer) {
        switch self {
        case .purchase(let record): record.write(into: &buffer)
        case .load(let record): record.write(into: &buffer)
        }
    }
}
