/// The three digits of a card's magnetic stripe or back (CVV, CVC, 卡片验证码).
///
/// Digits PAN | expiry | service code, zeros up to 32, are two blocks; the first is enciphered with the left half of the key,
/// xored with the second, enciphered with the whole key; of the 16 hexadecimal digits first the decimal ones in their order, then
/// the others less ten; the first three. Source: facts/domain.md 3.4; vector cvv.1.
public struct GenerateCardCode: ModuleCommand {
    public typealias Reply = MACValue
    public static let code = CommandCode.generateCardCode
    /// Usage C0.
    public var key: KeyReference
    /// PAN, expiry (four) and service code (three), as ASCII digits in the order in which the issuer signs them: 19 to 26.
    public var digits: [UInt8]

    public init(key: KeyReference, digits: [UInt8]) {
        self.key = key
        self.digits = digits
    }

    public func write(to writer: inout WireWriter) {
        key.write(to: &writer)
        writer.bytes(digits)
    }

    public init(from reader: inout WireReader) throws(WireError) {
        key = try KeyReference(from: &reader)
        digits = try reader.bytes()
    }
}

/// Checks a card code in constant time.
public struct VerifyCardCode: ModuleCommand {
    public typealias Reply = Verdict
    public static let code = CommandCode.verifyCardCode
    public var key: KeyReference
    public var digits: [UInt8]
    /// Three ASCII digits.
    public var cardCode: [UInt8]

    public init(key: KeyReference, digits: [UInt8], cardCode: [UInt8]) {
        self.key = key
        self.digits = digits
        self.cardCode = cardCode
    }

    public func write(to writer: inout WireWriter) {
        key.write(to: &writer)
        writer.bytes(digits)
        writer.bytes(cardCode)
    }

    public init(from reader: inout WireReader) throws(WireError) {
        key = try KeyReference(from: &reader)
        digits = try reader.bytes()
        cardCode = try reader.bytes()
    }
}
