/// The ciphers of a card operating system's secure messaging.
public enum CardCipher: UInt8, Sendable, Hashable {
    /// Retail MAC with IV random4 | 00000000 (or an 8-byte random), 3DES-ECB (facts/domain.md 2.5).
    case tripleDES = 1
    /// SM4-CBC MAC with IV random4 | 00×12, SM4-ECB.
    case sm4 = 2
}

/// Makes the finished body of a key-loading command (`84 D4 …`): the cryptogram of header and key under the controlling key,
/// and the MAC over the whole command, bound to the card's fresh random. The key is never outside the module in clear.
///
/// Plaintext = Ld | keyHeader | key, padded `80 00..` only where it is not whole blocks; ECB; MAC over
/// CLA INS P1 P2 Lc | cryptogram with padding method 2, leftmost four bytes. Source: facts/domain.md 2.4 to 2.6.
public struct ProtectKeyLoad: ModuleCommand {
    public typealias Reply = ProtectedCommand
    public static let code = CommandCode.protectKeyLoad
    /// What the card holds now in the controlling place: a card-control key, or a vendor transport key for washing.
    public var controllingKey: DerivedKey
    /// What shall be loaded.
    public var key: DerivedKey
    /// CLA INS P1 P2.
    public var commandHeader: UInt32
    /// The card's own attributes before the key: usage|version|algorithm for a PSAM, type|use|change|… for FMCOS.
    public var keyHeader: [UInt8]
    /// Four or eight bytes from GET CHALLENGE.
    public var challenge: [UInt8]
    public var cipher: CardCipher

    public init(
        controllingKey: DerivedKey, key: DerivedKey, commandHeader: UInt32, keyHeader: [UInt8], challenge: [UInt8],
        cipher: CardCipher = .tripleDES
    ) {
        self.controllingKey = controllingKey
        self.key = key
        self.commandHeader = commandHeader
        self.keyHeader = keyHeader
        self.challenge = challenge
        self.cipher = cipher
    }

    public func write(to writer: inout WireWriter) {
        controllingKey.write(to: &writer)
        key.write(to: &writer)
        writer.u32(commandHeader)
        writer.bytes(keyHeader)
        writer.bytes(challenge)
        writer.u8(cipher.rawValue)
    }

    public init(from reader: inout WireReader) throws(WireError) {
        controllingKey = try DerivedKey(from: &reader)
        key = try DerivedKey(from: &reader)
        commandHeader = try reader.u32()
        keyHeader = try reader.bytes()
        challenge = try reader.bytes()
        guard let cipher = CardCipher(rawValue: try reader.u8()) else { throw .valueInvalid }
        self.cipher = cipher
    }
}

/// A command's data field as it goes to the card.
public struct ProtectedCommand: WireValue, Hashable {
    /// Cryptogram (or plain data) | MAC4: the data field of the command, after Lc.
    public var data: [UInt8]
    /// Check value of the key that was loaded; of the protecting key for `ProtectCommand`.
    public var checkValue: KeyCheckValue

    public init(data: [UInt8], checkValue: KeyCheckValue) {
        self.data = data
        self.checkValue = checkValue
    }

    public func write(to writer: inout WireWriter) {
        writer.bytes(data)
        checkValue.write(to: &writer)
    }

    public init(from reader: inout WireReader) throws(WireError) {
        data = try reader.bytes()
        checkValue = try KeyCheckValue(from: &reader)
    }
}

/// Line protection (线路保护) of any other command: MAC, or cryptogram and MAC (facts/domain.md 2.5).
public struct ProtectCommand: ModuleCommand {
    public typealias Reply = ProtectedCommand
    public static let code = CommandCode.protectCommand
    /// Application maintenance, card maintenance or card control key.
    public var key: DerivedKey
    public var commandHeader: UInt32
    public var data: [UInt8]
    public var encipher: Bool
    public var challenge: [UInt8]
    public var cipher: CardCipher

    public init(
        key: DerivedKey, commandHeader: UInt32, data: [UInt8], encipher: Bool, challenge: [UInt8],
        cipher: CardCipher = .tripleDES
    ) {
        self.key = key
        self.commandHeader = commandHeader
        self.data = data
        self.encipher = encipher
        self.challenge = challenge
        self.cipher = cipher
    }

    public func write(to writer: inout WireWriter) {
        key.write(to: &writer)
        writer.u32(commandHeader)
        writer.bytes(data)
        writer.bool(encipher)
        writer.bytes(challenge)
        writer.u8(cipher.rawValue)
    }

    public init(from reader: inout WireReader) throws(WireError) {
        key = try DerivedKey(from: &reader)
        commandHeader = try reader.u32()
        data = try reader.bytes()
        encipher = try reader.bool()
        challenge = try reader.bytes()
        guard let cipher = CardCipher(rawValue: try reader.u8()) else { throw .valueInvalid }
        self.cipher = cipher
    }
}

/// The answer to a card's challenge for EXTERNAL AUTHENTICATE: the challenge enciphered under the key.
///
/// Four bytes are extended by zeros to a block (FMCOS); a whole block is taken as it is, but not for a control key: that one protects
/// key loads as well, and must encipher no block of its caller's choice.
public struct CardCryptogram: ModuleCommand {
    public typealias Reply = MACValue
    public static let code = CommandCode.cardCryptogram
    /// Card control, vendor transport or external authentication key.
    public var key: DerivedKey
    public var challenge: [UInt8]

    public init(key: DerivedKey, challenge: [UInt8]) {
        self.key = key
        self.challenge = challenge
    }

    public func write(to writer: inout WireWriter) {
        key.write(to: &writer)
        writer.bytes(challenge)
    }

    public init(from reader: inout WireReader) throws(WireError) {
        key = try DerivedKey(from: &reader)
        challenge = try reader.bytes()
    }
}

/// Check value of a diversified key, for the stock ledger.
public struct DerivedCheckValue: ModuleCommand {
    public typealias Reply = KeyCheckValue
    public static let code = CommandCode.derivedCheckValue
    public var key: DerivedKey
    public init(key: DerivedKey) { self.key = key }
    public func write(to writer: inout WireWriter) { key.write(to: &writer) }
    public init(from reader: inout WireReader) throws(WireError) { key = try DerivedKey(from: &reader) }
}
