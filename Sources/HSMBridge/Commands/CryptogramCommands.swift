/// The card whose key is derived from an issuer master key (EMV Book 2 A1.4).
public enum CryptogramAccount: WireValue, Hashable {
    /// Option A: the right 16 digits of PAN and sequence number, zeros at the left, as eight BCD bytes, big-endian.
    case optionA(UInt64)
    /// Option B: PAN and sequence number as BCD, a zero at the left where their number is odd. For PANs of up to 16
    /// digits it is option A (EMV Book 2 A1.4).
    case optionB([UInt8])

    public func write(to writer: inout WireWriter) {
        switch self {
        case .optionA(let digits):
            writer.u8(0)
            writer.u64(digits)
        case .optionB(let digits):
            writer.u8(1)
            writer.bytes(digits)
        }
    }

    public init(from reader: inout WireReader) throws(WireError) {
        switch try reader.u8() {
        case 0: self = .optionA(try reader.u64())
        case 1: self = .optionB(try reader.bytes())
        default: throw .valueInvalid
        }
    }
}

/// How the key of one transaction comes from the card's key.
public enum CryptogramSession: WireValue, Hashable {
    /// It is the card's key itself (Visa cryptogram version 10).
    case none
    /// EMV common session key (Book 2 A1.3): the block enciphered twice, its third byte F0 and 0F. Also Mastercard's, with
    /// ATC2 | 0000 | unpredictable number 4 as the block.
    case common(UInt64)
    /// PBOC debit and credit: 0^6 | ATC and 0^6 | inverted ATC enciphered (facts/domain.md 3.3).
    case pboc(UInt16)

    public func write(to writer: inout WireWriter) {
        switch self {
        case .none: writer.u8(0)
        case .common(let block):
            writer.u8(1)
            writer.u64(block)
        case .pboc(let counter):
            writer.u8(2)
            writer.u16(counter)
        }
    }

    public init(from reader: inout WireReader) throws(WireError) {
        switch try reader.u8() {
        case 0: self = .none
        case 1: self = .common(try reader.u64())
        case 2: self = .pboc(try reader.u16())
        default: throw .valueInvalid
        }
    }
}

/// How the data of a cryptogram are filled up.
public enum CryptogramPadding: UInt8, WireValue, Hashable {
    /// Zeros, none if whole blocks (Visa cryptogram version 10).
    case zeros = 1
    /// `80` and zeros, always.
    case marked = 2
    /// The same; data of whole blocks may also have been filled up by the caller. Both readings are tried.
    case markedOrGiven = 3

    public func write(to writer: inout WireWriter) { writer.u8(rawValue) }
    public init(from reader: inout WireReader) throws(WireError) {
        guard let value = CryptogramPadding(rawValue: try reader.u8()) else { throw .valueInvalid }
        self = value
    }
}

/// What the issuer answers the card (EMV Book 2 8.2).
public enum CryptogramResponse: WireValue, Hashable {
    /// Method 1, eight bytes: the cryptogram xor (response code | 0^6), enciphered.
    case method1(code: UInt16)
    /// Method 2, four bytes: MAC over cryptogram | card status update | up to eight bytes of the issuer's own.
    case method2(statusUpdate: UInt32, proprietary: [UInt8])

    public func write(to writer: inout WireWriter) {
        switch self {
        case .method1(let code):
            writer.u8(1)
            writer.u16(code)
        case .method2(let update, let proprietary):
            writer.u8(2)
            writer.u32(update)
            writer.bytes(proprietary)
        }
    }

    public init(from reader: inout WireReader) throws(WireError) {
        switch try reader.u8() {
        case 1: self = .method1(code: try reader.u16())
        case 2: self = .method2(statusUpdate: try reader.u32(), proprietary: try reader.bytes())
        default: throw .valueInvalid
        }
    }
}

/// Which card answers, and under which of its keys.
public struct CryptogramCard: WireValue, Hashable {
    /// Usage E0.
    public var key: KeyReference
    public var account: CryptogramAccount
    public var session: CryptogramSession
    /// The response is made under the card's key and not the session's (M/Chip with Mastercard's session keys).
    public var respondsUnderCardKey: Bool

    public init(
        key: KeyReference, account: CryptogramAccount, session: CryptogramSession, respondsUnderCardKey: Bool = false
    ) {
        self.key = key
        self.account = account
        self.session = session
        self.respondsUnderCardKey = respondsUnderCardKey
    }

    public func write(to writer: inout WireWriter) {
        key.write(to: &writer)
        account.write(to: &writer)
        session.write(to: &writer)
        writer.bool(respondsUnderCardKey)
    }

    public init(from reader: inout WireReader) throws(WireError) {
        key = try KeyReference(from: &reader)
        account = try CryptogramAccount(from: &reader)
        session = try CryptogramSession(from: &reader)
        respondsUnderCardKey = try reader.bool()
    }
}

/// A MAC that the card put into its issuer discretionary data, under the key for script integrity: four bytes, algorithm 3,
/// padding 2, session key = halves of the card's key xor (0^6 | ATC) and (0^6 | inverted ATC). Inferred from the field's command
/// that checks it: no text that says how was readable.
public struct IssuerDataCheck: WireValue, Hashable {
    /// Usage E2.
    public var key: KeyReference
    public var counter: UInt16
    public var data: [UInt8]
    /// Four bytes, big-endian.
    public var mac: UInt32

    public init(key: KeyReference, counter: UInt16, data: [UInt8], mac: UInt32) {
        self.key = key
        self.counter = counter
        self.data = data
        self.mac = mac
    }

    public func write(to writer: inout WireWriter) {
        key.write(to: &writer)
        writer.u16(counter)
        writer.bytes(data)
        writer.u32(mac)
    }

    public init(from reader: inout WireReader) throws(WireError) {
        key = try KeyReference(from: &reader)
        counter = try reader.u16()
        data = try reader.bytes()
        mac = try reader.u32()
    }
}

/// Checks an application cryptogram (ARQC, TC, AAC) and, only if it is right, makes the response.
public struct VerifyCryptogram: ModuleCommand {
    public typealias Reply = CryptogramVerdict
    public static let code = CommandCode.verifyCryptogram
    public var card: CryptogramCard
    public var padding: CryptogramPadding
    /// At most 255 bytes.
    public var data: [UInt8]
    /// Eight bytes, big-endian.
    public var cryptogram: UInt64
    public var issuerData: IssuerDataCheck?
    public var response: CryptogramResponse?

    public init(
        card: CryptogramCard, padding: CryptogramPadding, data: [UInt8], cryptogram: UInt64,
        issuerData: IssuerDataCheck? = nil, response: CryptogramResponse? = nil
    ) {
        self.card = card
        self.padding = padding
        self.data = data
        self.cryptogram = cryptogram
        self.issuerData = issuerData
        self.response = response
    }

    public func write(to writer: inout WireWriter) {
        card.write(to: &writer)
        padding.write(to: &writer)
        writer.bytes(data)
        writer.u64(cryptogram)
        issuerData.write(to: &writer)
        response.write(to: &writer)
    }

    public init(from reader: inout WireReader) throws(WireError) {
        card = try CryptogramCard(from: &reader)
        padding = try CryptogramPadding(from: &reader)
        data = try reader.bytes()
        cryptogram = try reader.u64()
        issuerData = try IssuerDataCheck?(from: &reader)
        response = try CryptogramResponse?(from: &reader)
    }
}

/// What came of it.
public enum CryptogramVerdict: WireValue {
    case mismatch
    /// The cryptogram is right; `response` is empty where none was asked for.
    case match(response: [UInt8])
    /// The cryptogram is right, the MAC of the issuer's data is not.
    case issuerDataMismatch

    public func write(to writer: inout WireWriter) {
        switch self {
        case .mismatch: writer.u8(0)
        case .match(let response):
            writer.u8(1)
            writer.bytes(response)
        case .issuerDataMismatch: writer.u8(2)
        }
    }

    public init(from reader: inout WireReader) throws(WireError) {
        switch try reader.u8() {
        case 0: self = .mismatch
        case 1: self = .match(response: try reader.bytes())
        case 2: self = .issuerDataMismatch
        default: throw .valueInvalid
        }
    }
}

/// Makes a response to a cryptogram that was checked elsewhere.
///
/// Under the card's own key (no session) this enciphers blocks of the caller's choice, among them those from which session keys
/// are made; so it takes a key whose mode is N. A key of mode X responds under session keys only.
public struct RespondToCryptogram: ModuleCommand {
    public typealias Reply = MACValue
    public static let code = CommandCode.respondToCryptogram
    public var card: CryptogramCard
    public var cryptogram: UInt64
    public var response: CryptogramResponse

    public init(card: CryptogramCard, cryptogram: UInt64, response: CryptogramResponse) {
        self.card = card
        self.cryptogram = cryptogram
        self.response = response
    }

    public func write(to writer: inout WireWriter) {
        card.write(to: &writer)
        writer.u64(cryptogram)
        response.write(to: &writer)
    }

    public init(from reader: inout WireReader) throws(WireError) {
        card = try CryptogramCard(from: &reader)
        cryptogram = try reader.u64()
        response = try CryptogramResponse(from: &reader)
    }
}
