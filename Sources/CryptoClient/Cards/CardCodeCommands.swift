public import NIOCore

/// What a card verification value (CVV, CVC) is made of.
///
/// PAN 12 to 19 digits | `;` | expiry 4 digits | service code 3 digits, `000` for the value on the back, `999` for a chip's.
public struct CardCodeInput: Sendable, Hashable {
    public static let accountLengths = 12...19

    public let account: String
    /// Four digits as the scheme signs them, usually YYMM.
    public let expiry: String
    public let serviceCode: String

    /// Throws 22 for an account of another length, 15 for anything that is not digits.
    public init(account: String, expiry: String, serviceCode: String) throws(FieldError) {
        guard Self.accountLengths.contains(account.utf8.count) else { throw FieldError(.accountNumber, in: .account) }
        guard (account + expiry + serviceCode).utf8.allSatisfy({ (0x30...0x39).contains($0) }),
            expiry.utf8.count == 4, serviceCode.utf8.count == 3
        else { throw FieldError(.inputData, in: .account) }
        self.account = account
        self.expiry = expiry
        self.serviceCode = serviceCode
    }

    init(_ reader: inout FieldReader) throws(FieldError) {
        let account = try reader.digits(upTo: UInt8(ascii: ";"), .account)
        let expiry = try reader.digits(4, .account)
        try self.init(account: account, expiry: expiry, serviceCode: try reader.digits(3, .account))
    }

    func write(into buffer: inout ByteBuffer) {
        buffer.writeString("\(account);\(expiry)\(serviceCode)")
    }

    /// PAN, expiry and service code, one after another, as ASCII.
    public var digits: [UInt8] { Array((account + expiry + serviceCode).utf8) }
}

/// CW: make a card verification value. key | PAN | `;` | expiry 4 | service code 3. Answer CX: three digits.
public struct GenerateCardCodeRequest: HostCommand {
    public typealias Reply = CardCodeReply
    public static let code = HostCommandCode.generateCardCode

    public var key: HostKeyReference
    public var input: CardCodeInput

    public init(key: HostKeyReference, input: CardCodeInput) {
        self.key = key
        self.input = input
    }

    public init(from reader: inout FieldReader) throws(FieldError) {
        key = try reader.key(.key)
        input = try CardCodeInput(&reader)
    }

    public func write(into buffer: inout ByteBuffer) {
        buffer.writeKey(key)
        input.write(into: &buffer)
    }
}

/// CY: check a card verification value. key | value 3 | PAN | `;` | expiry 4 | service code 3. Answer CZ: 00 or 01.
public struct VerifyCardCodeRequest: HostCommand {
    public typealias Reply = EmptyReply
    public static let code = HostCommandCode.verifyCardCode

    public var key: HostKeyReference
    /// Three ASCII digits; not to be compared outside the module.
    public var cardCode: [UInt8]
    public var input: CardCodeInput

    /// Throws 15 unless the value is three digits.
    public init(key: HostKeyReference, cardCode: String, input: CardCodeInput) throws(FieldError) {
        guard cardCode.utf8.count == 3, cardCode.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else {
            throw FieldError(.inputData, in: .cardCode)
        }
        self.key = key
        self.cardCode = Array(cardCode.utf8)
        self.input = input
    }

    public init(from reader: inout FieldReader) throws(FieldError) {
        let key = try reader.key(.key)
        let cardCode = try reader.digits(3, .cardCode)
        try self.init(key: key, cardCode: cardCode, input: try CardCodeInput(&reader))
    }

    public func write(into buffer: inout ByteBuffer) {
        buffer.writeKey(key)
        buffer.writeBytes(cardCode)
        input.write(into: &buffer)
    }
}

/// CX: three digits.
public struct CardCodeReply: HostReplyFields {
    public let cardCode: String

    public init(cardCode: String) {
        self.cardCode = cardCode
    }

    public init(from reader: inout FieldReader) throws(FieldError) {
        cardCode = try reader.digits(3, .cardCode)
    }

    public func write(into buffer: inout ByteBuffer) {
        buffer.writeString(cardCode)
    }
}

extension FieldReader {
    /// As many decimal digits, as text.
    mutating func digits(_ count: Int, _ field: FieldError.Field) throws(FieldError) -> String {
        let text = try slice(count, field)
        guard text.readableBytesView.allSatisfy({ (0x30...0x39).contains($0) }) else {
            throw FieldError(.inputData, in: field)
        }
        return String(buffer: text)
    }

    /// Decimal digits up to a delimiter, which is taken too; at most 32.
    fileprivate mutating func digits(upTo delimiter: UInt8, _ field: FieldError.Field) throws(FieldError) -> String {
        var text = ""
        while !skip(delimiter) {
            let digit = try byte(field)
            guard (0x30...0x39).contains(digit), text.utf8.count < 32 else { throw FieldError(.inputData, in: field) }
            text.unicodeScalars.append(UnicodeScalar(digit))
        }
        return text
    }
}
