/// Authorises an unload (圈提): checks the card's MAC1 and, only if it is right, makes MAC2.
///
/// Session key = 3DES(DULK, random4 | onlineSequence2 | 8000); MAC1 over oldBalance4 | amount4 | type1 | terminal6; MAC2 over amount4 |
/// type1 | terminal6 | date4 | time3. Source: facts/domain.md 1.5; session key and MAC1, MAC2 as in a load (inferred).
public struct AuthorisePurseUnload: ModuleCommand {
    public typealias Reply = LoadAuthorisation
    public static let code = CommandCode.authorisePurseUnload
    /// Usage unload; the other fields as in a load, `type` 03.
    public var load: AuthorisePurseLoad

    public init(_ load: AuthorisePurseLoad) { self.load = load }
    public func write(to writer: inout WireWriter) { load.write(to: &writer) }
    public init(from reader: inout WireReader) throws(WireError) { load = try AuthorisePurseLoad(from: &reader) }
}

/// Checks MAC3 of an unload: the card's proof that it gave the money back.
///
/// MAC3 over newBalance4 | onlineSequence2 | amount4 | type1 | terminal6 | date4 | time3 (facts/domain.md 1.5), under the session
/// key of the unload (inferred).
public struct VerifyUnloadMAC3: ModuleCommand {
    public typealias Reply = Verdict
    public static let code = CommandCode.verifyUnloadMAC3
    public var key: DerivedKey
    public var random: UInt32
    /// As in INITIALIZE FOR UNLOAD: before the card counts on.
    public var onlineSequence: UInt16
    public var newBalance: UInt32
    /// Fen.
    public var amount: UInt32
    public var type: UInt8
    public var terminal: TerminalNumber
    public var time: TransactionTime
    /// Four bytes, big-endian.
    public var mac3: UInt32

    public init(
        key: DerivedKey, random: UInt32, onlineSequence: UInt16, newBalance: UInt32, amount: UInt32, type: UInt8,
        terminal: TerminalNumber, time: TransactionTime, mac3: UInt32
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

    public func write(to writer: inout WireWriter) {
        key.write(to: &writer)
        writer.u32(random)
        writer.u16(onlineSequence)
        writer.u32(newBalance)
        writer.u32(amount)
        writer.u8(type)
        terminal.write(to: &writer)
        time.write(to: &writer)
        writer.u32(mac3)
    }

    public init(from reader: inout WireReader) throws(WireError) {
        key = try DerivedKey(from: &reader)
        random = try reader.u32()
        onlineSequence = try reader.u16()
        newBalance = try reader.u32()
        amount = try reader.u32()
        type = try reader.u8()
        terminal = try TerminalNumber(from: &reader)
        time = try TransactionTime(from: &reader)
        mac3 = try reader.u32()
    }
}
