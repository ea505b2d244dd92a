public import NIOCore

/// YL: check the card's MAC1 of a load (圈存) and, if it is right, give MAC2.
///
/// card key | random 4 | online sequence 2 | old balance 4 | amount 4 | type 1 | terminal 6 | MAC1 4 | date 4 | time 3, binary.
/// Session key: random | sequence | 80 00 under the card's load key. MAC1 over old balance | amount | type | terminal; MAC2
/// over amount | type | terminal | date | time (FMCOS 2.0 manual 8.7). Wrong MAC1: 01, and no MAC2.
public struct AuthorizeLoadRequest: HostCommand {
    public typealias Reply = PurseMACReply
    public static let code = HostCommandCode.authorizeLoad

    public var key: CardKey
    public var random: UInt32
    public var onlineSequence: UInt16
    public var oldBalance: UInt32
    public var amount: UInt32
    public var type: UInt8
    public var terminal: PurseTerminal
    public var mac1: PurseMAC
    public var time: PurseTime

    public init(
        key: CardKey, random: UInt32, onlineSequence: UInt16, oldBalance: UInt32, amount: UInt32, type: UInt8,
        terminal: PurseTerminal, mac1: PurseMAC, time: PurseTime
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

    public init(from reader: inout FieldReader) throws(FieldError) {
        key = try reader.cardKey()
        random = try reader.integer(.random)
        onlineSequence = try reader.integer(.sequence)
        oldBalance = try reader.integer(.balance)
        amount = try reader.integer(.amount)
        type = try reader.integer(.transactionType)
        terminal = try reader.terminal()
        mac1 = try reader.purseMAC()
        time = try reader.purseTime()
    }

    public func write(into buffer: inout ByteBuffer) {
        buffer.writeCardKey(key)
        buffer.writeInteger(random)
        buffer.writeInteger(onlineSequence)
        buffer.writeInteger(oldBalance)
        buffer.writeInteger(amount)
        buffer.writeInteger(type)
        buffer.writeTerminal(terminal)
        buffer.writeInteger(mac1.value)
        buffer.writePurseTime(time)
    }
}

/// YP: make MAC1 of a purchase (消费), as a PSAM would.
///
/// card key | random 4 | offline sequence 2 | purchase record 22, binary. Session key: random | sequence | right two bytes of the
/// terminal transaction number under the card's purchase key; MAC1 over amount | type | terminal | date | time.
public struct MakePurchaseMACRequest: HostCommand {
    public typealias Reply = PurseMACReply
    public static let code = HostCommandCode.makePurchaseMAC

    public var key: CardKey
    public var random: UInt32
    public var offlineSequence: UInt16
    public var record: PurchaseRecord

    public init(key: CardKey, random: UInt32, offlineSequence: UInt16, record: PurchaseRecord) {
        self.key = key
        self.random = random
        self.offlineSequence = offlineSequence
        self.record = record
    }

    public init(from reader: inout FieldReader) throws(FieldError) {
        key = try reader.cardKey()
        random = try reader.integer(.random)
        offlineSequence = try reader.integer(.sequence)
        record = try PurchaseRecord(&reader)
    }

    public func write(into buffer: inout ByteBuffer) {
        buffer.writeCardKey(key)
        buffer.writeInteger(random)
        buffer.writeInteger(offlineSequence)
        record.write(into: &buffer)
    }
}

/// YR: check MAC2 of a purchase, the card's word that it has paid. Answer: 00 or 01.
///
/// card key | random 4 | offline sequence 2 | terminal transaction number 4 | amount 4 | MAC2 4, binary. Session key as in YP;
/// MAC2 over the amount alone.
public struct CheckPurchaseMACRequest: HostCommand {
    public typealias Reply = EmptyReply
    public static let code = HostCommandCode.checkPurchaseMAC

    public var key: CardKey
    public var random: UInt32
    public var offlineSequence: UInt16
    public var terminalSequence: UInt32
    public var amount: UInt32
    public var mac2: PurseMAC

    public init(
        key: CardKey, random: UInt32, offlineSequence: UInt16, terminalSequence: UInt32, amount: UInt32, mac2: PurseMAC
    ) {
        self.key = key
        self.random = random
        self.offlineSequence = offlineSequence
        self.terminalSequence = terminalSequence
        self.amount = amount
        self.mac2 = mac2
    }

    public init(from reader: inout FieldReader) throws(FieldError) {
        key = try reader.cardKey()
        random = try reader.integer(.random)
        offlineSequence = try reader.integer(.sequence)
        terminalSequence = try reader.integer(.terminalSequence)
        amount = try reader.integer(.amount)
        mac2 = try reader.purseMAC()
    }

    public func write(into buffer: inout ByteBuffer) {
        buffer.writeCardKey(key)
        buffer.writeInteger(random)
        buffer.writeInteger(offlineSequence)
        buffer.writeInteger(terminalSequence)
        buffer.writeInteger(amount)
        buffer.writeInteger(mac2.value)
    }
}

/// YM and YQ: four bytes of MAC.
public struct PurseMACReply: HostReplyFields {
    public let mac: PurseMAC

    public init(_ mac: PurseMAC) {
        self.mac = mac
    }

    public init(from reader: inout FieldReader) throws(FieldError) {
        mac = try reader.purseMAC()
    }

    public func write(into buffer: inout ByteBuffer) {
        buffer.writeInteger(mac.value)
    }
}
