public import NIOCore

/// BU: the check value of a key.
///
/// key type code 2 (`FF`: named behind `;`, or a key block) | length flag 1 (`0` single, `1` double, `2` triple, `F` key block) | key |
/// [`;` key type 3] | [`;` `00` check value type 1]. With a code other than `FF` the only group is the check value type; with
/// `FF` and a variant key the first group is the key type; with `F`, where a type may be left out, a first group that
/// begins with `00` and is the only one is the check value type.
public struct CheckValueRequest: HostCommand {
    public typealias Reply = CheckValueReply
    public static let code = HostCommandCode.checkValue

    /// Two hexadecimal digits; X'FF' for "see the key type".
    public var keyTypeCode: UInt8
    public var lengthFlag: LengthFlag
    public var key: HostKeyReference
    public var keyType: KeyTypeCode?
    public var digits: CheckValueDigits?

    /// How long the key is said to be.
    public enum LengthFlag: UInt8, Sendable, Hashable {
        case single = 0x30, double, triple
        case keyBlock = 0x46  // F
    }

    /// Check value type: the whole block or its left three bytes. This project answers six digits in both cases: more
    /// of the block than that would serve only an attacker.
    public enum CheckValueDigits: UInt8, Sendable, Hashable {
        case sixteen = 0x30
        case six = 0x31
    }

    public init(
        key: HostKeyReference, keyTypeCode: UInt8 = 0xFF, lengthFlag: LengthFlag = .keyBlock,
        keyType: KeyTypeCode? = nil, digits: CheckValueDigits? = .six
    ) {
        self.keyTypeCode = keyTypeCode
        self.lengthFlag = lengthFlag
        self.key = key
        self.keyType = keyType
        self.digits = digits
    }

    public init(from reader: inout FieldReader) throws(FieldError) {
        keyTypeCode = UInt8(truncatingIfNeeded: try reader.hexadecimal(digits: 2, .keyTypeCode, .keyTypeCode))
        lengthFlag = try reader.choice(.keyLengthFlag, .keyLengthFlag)
        key = try reader.key(.key)
        if keyTypeCode == 0xFF, !(lengthFlag == .keyBlock && Self.onlyDigitsFollow(reader)) {
            if reader.skip(UInt8(ascii: ";")) {
                keyType = try reader.keyTypeCode(.keyType)
            } else if lengthFlag != .keyBlock {
                throw FieldError(.keyType, in: .keyType)
            }
        }
        guard reader.skip(UInt8(ascii: ";")) else { return }
        let reserved = try reader.decimal(digits: 2, .checkValueType)
        guard reserved == 0 else { throw FieldError(.inputData, in: .checkValueType) }
        digits = try reader.choice(.checkValueType, .inputData)
    }

    public func write(into buffer: inout ByteBuffer) {
        buffer.writeHexadecimal(UInt64(keyTypeCode), digits: 2)
        buffer.writeInteger(lengthFlag.rawValue)
        buffer.writeKey(key)
        if let keyType {
            buffer.writeInteger(UInt8(ascii: ";"))
            buffer.writeHexadecimal(UInt64(keyType.rawValue), digits: 3)
        }
        if let digits {
            buffer.writeString(";00")
            buffer.writeInteger(digits.rawValue)
        }
    }

    private static func onlyDigitsFollow(_ reader: FieldReader) -> Bool {
        var ahead = reader
        guard ahead.skip(UInt8(ascii: ";")), ahead.skip(0x30), ahead.skip(0x30) else { return false }
        return ahead.isEnd(after: 1)
    }
}

/// BV: 6 or 16 hexadecimal digits.
public struct CheckValueReply: HostReplyFields {
    public let checkValue: String

    public init(checkValue: String) {
        self.checkValue = checkValue
    }

    public init(from reader: inout FieldReader) throws(FieldError) {
        checkValue = try reader.checkValueDigits()
    }

    public func write(into buffer: inout ByteBuffer) {
        buffer.writeString(checkValue)
    }
}
