public import NIOCore

/// YN: check the card's MAC1 of an unload (圈提) and, if it is right, give MAC2.
///
/// Fields as in YL, with type 03. Session key and MACs as in a load, under the card's unload key (facts of the FMCOS 2.0 manual;
/// that they are as in a load is inferred). Wrong MAC1: 01, and no MAC2.
public struct AuthorizeUnloadRequest: HostCommand {
    public typealias Reply = PurseMACReply
    public static let code = HostCommandCode.authorizeUnload
    public static let type: UInt8 = 0x03

    public var fields: AuthorizeLoadRequest

    public init(_ fields: AuthorizeLoadRequest) {
        self.fields = fields
    }

    public init(from reader: inout FieldReader) throws(FieldError) {
        fields = try AuthorizeLoadRequest(from: &reader)
    }

    public func write(into buffer: inout ByteBuffer) {
        fields.write(into: &buffer)
    }
}

/// YG: check MAC3 of an unload, the card's word that it has given the money back. Answer YH: 00 or 01.
///
/// card key | random 4 | online sequence 2 | new balance 4 | amount 4 | type 1 | terminal 6 | date 4 | time 3 | MAC3 4, binary.
/// Session key as in YN; MAC3 over new balance | online sequence | amount | type | terminal | date | time.
public struct CheckUnloadMACRequest: HostCommand {
    public typealias Reply = EmptyReply
    public static let code = HostCommandCode.checkUnloadMAC

    public var key: CardKey
    public var random: UInt32
    public var onlineSequence: UInt16
    public var newBalance: UInt32
    public var amount: UInt32
    public var type: UInt8
    public var terminal: PurseTerminal
    public var time: PurseTime
    public var mac3: PurseMAC

    public init(
        key: CardKey, random: UInt32, onlineSequence: UInt16, newBalance: UInt32, amount: UInt32,
        type: UInt8 = AuthorizeUnloadRequest.type, terminal: PurseTerminal, time: PurseTime, mac3: PurseMAC
    ) {
        self.key = key
        self.random = random
        self.onlineSequence = onlineSequence
        self.newBalance = newBalance
        self.amount = amount
        self.type = type
        self.terminal = terminal
        self.time = time
        self.mac3 = mac3
    }

    public init(from reader: inout FieldReader) throws(FieldError) {
        key = try reader.cardKey()
        random = try reader.integer(.random)
        onlineSequence = try reader.integer(.sequence)
        newBalance = try reader.integer(.balance)
        amount = try reader.integer(.amount)
        type = try reader.integer(.transactionType)
        terminal = try reader.terminal()
        time = try reader.purseTime()
        mac3 = try reader.purseMAC()
    }

    public func write(into buffer: inout ByteBuffer) {
        buffer.writeCardKey(key)
        buffer.writeInteger(random)
        buffer.writeInteger(onlineSequence)
        buffer.writeInteger(newBalance)
        buffer.writeInteger(amount)
        buffer.writeInteger(type)
        buffer.writeTerminal(terminal)
        buffer.writePurseTime(time)
        buffer.writeInteger(mac3.value)
    }
}
