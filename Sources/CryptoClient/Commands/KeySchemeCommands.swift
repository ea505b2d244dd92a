public import NIOCore

/// A4: form a key from components, which are key blocks of key version number `c1` to `c9`. Answer A5: key | check value.
///
/// number of components 1 (`2` to `9`, code 03) | key type 3 | scheme 1 | components || `%nn` | [`#` key version number 2 | number of
/// optional blocks 2].
public struct FormKeyRequest: HostCommand {
    public typealias Reply = KeyReply
    public static let code = HostCommandCode.formKey
    public static let counts = 2...9

    public var keyType: KeyTypeCode
    public var scheme: KeyScheme
    public var components: [HostKeyReference]
    /// Key version number of the new key; nil where it was not given.
    public var version: String?

    /// Throws 03 for fewer than two components or more than nine.
    public init(
        keyType: KeyTypeCode = .keyBlock, scheme: KeyScheme = .keyBlock, components: [HostKeyReference],
        version: String? = nil
    ) throws(FieldError) {
        guard Self.counts.contains(components.count) else { throw FieldError(.inputFormat, in: .count) }
        self.keyType = keyType
        self.scheme = scheme
        self.components = components
        self.version = version
    }

    public init(from reader: inout FieldReader) throws(FieldError) {
        let count = try reader.decimal(digits: 1, .count, .inputFormat)
        guard Self.counts.contains(count) else { throw FieldError(.inputFormat, in: .count) }
        keyType = try reader.keyTypeCode(.keyType)
        scheme = try reader.choice(.keyScheme, .keyScheme)
        components = []
        for _ in 0..<count { components.append(try reader.key(.key)) }
    }

    public func write(into buffer: inout ByteBuffer) {
        buffer.writeDecimal(components.count, digits: 1)
        buffer.writeHexadecimal(UInt64(keyType.rawValue), digits: 3)
        buffer.writeInteger(scheme.rawValue)
        for component in components { buffer.writeKey(component) }
    }

    public mutating func readOptions(from reader: inout FieldReader) throws(FieldError) {
        guard reader.skip(FieldReader.attributesMark) else { return }
        version = try reader.alphanumeric(2, .keyAttributes, .keyVersion)
        let count = try reader.decimal(digits: 2, .keyAttributes, .optionalBlockCount)
        guard count == 0 else { throw FieldError(.optionalBlock, in: .keyAttributes) }
    }

    public func writeOptions(into buffer: inout ByteBuffer) {
        guard let version else { return }
        buffer.writeInteger(FieldReader.attributesMark)
        buffer.writeString(version + "00")
    }
}

/// B0: give a key of the LMK in another scheme. key type 3 | key | scheme 1. Answer B1: key.
///
/// This project has one scheme, `S`, so the answer is the same key in a fresh block.
public struct TranslateSchemeRequest: HostCommand {
    public typealias Reply = SchemeReply
    public static let code = HostCommandCode.translateScheme

    public var keyType: KeyTypeCode
    public var key: HostKeyReference
    public var scheme: KeyScheme

    public init(keyType: KeyTypeCode = .keyBlock, key: HostKeyReference, scheme: KeyScheme = .keyBlock) {
        self.keyType = keyType
        self.key = key
        self.scheme = scheme
    }

    public init(from reader: inout FieldReader) throws(FieldError) {
        keyType = try reader.keyTypeCode(.keyType)
        key = try reader.key(.key)
        scheme = try reader.choice(.keyScheme, .keyScheme)
    }

    public func write(into buffer: inout ByteBuffer) {
        buffer.writeHexadecimal(UInt64(keyType.rawValue), digits: 3)
        buffer.writeKey(key)
        buffer.writeInteger(scheme.rawValue)
    }
}

/// BW: give a key under an earlier LMK under the one in force. Answer BX: key | check value.
///
/// key type code 2 (`FF`) | length flag 1 (`0`, `1`, `2`, `F` key block) | key | [`;` key type 3] | [`;` reserved 1 | scheme 1 |
/// check value type 1] | [`!` two characters].
public struct TranslateLMKRequest: HostCommand {
    public typealias Reply = SchemeReply
    public static let code = HostCommandCode.translateLMK

    public var keyTypeCode: UInt8
    public var lengthFlag: CheckValueRequest.LengthFlag
    public var key: HostKeyReference
    public var keyType: KeyTypeCode?
    public var form: Form?
    /// Behind `!`, kept as it came.
    public var suffix: String?

    /// How the answer shall be.
    public struct Form: Sendable, Hashable {
        public var reserved: UInt8
        public var scheme: KeyScheme
        /// `0` or `1`; both give six digits here.
        public var checkValueType: UInt8

        public init(scheme: KeyScheme = .keyBlock, reserved: UInt8 = 0x30, checkValueType: UInt8 = 0x31) {
            self.reserved = reserved
            self.scheme = scheme
            self.checkValueType = checkValueType
        }
    }

    public init(key: HostKeyReference, form: Form? = nil) {
        keyTypeCode = 0xFF
        lengthFlag = .keyBlock
        self.key = key
        self.form = form
    }

    public init(from reader: inout FieldReader) throws(FieldError) {
        keyTypeCode = UInt8(truncatingIfNeeded: try reader.hexadecimal(digits: 2, .keyTypeCode, .keyTypeCode))
        lengthFlag = try reader.choice(.keyLengthFlag, .keyLengthFlag)
        key = try reader.key(.key)
        if reader.isKeyTypeGroup {
            _ = reader.skip(UInt8(ascii: ";"))
            keyType = try reader.keyTypeCode(.keyType)
        }
        if reader.skip(UInt8(ascii: ";")) {
            let reserved = try reader.byte(.keyScheme)
            let scheme = try reader.choice(.keyScheme, .keyScheme, as: KeyScheme.self)
            form = Form(scheme: scheme, reserved: reserved, checkValueType: try reader.byte(.checkValueType))
        }
        if reader.skip(UInt8(ascii: "!")) { suffix = try reader.alphanumeric(2, .lmkIdentifier) }
    }

    public func write(into buffer: inout ByteBuffer) {
        buffer.writeHexadecimal(UInt64(keyTypeCode), digits: 2)
        buffer.writeInteger(lengthFlag.rawValue)
        buffer.writeKey(key)
        if let keyType {
            buffer.writeString(";")
            buffer.writeHexadecimal(UInt64(keyType.rawValue), digits: 3)
        }
        if let form {
            buffer.writeString(";")
            buffer.writeInteger(form.reserved)
            buffer.writeInteger(form.scheme.rawValue)
            buffer.writeInteger(form.checkValueType)
        }
        if let suffix { buffer.writeString("!" + suffix) }
    }
}

/// B1 and BX: key | [check value of 6 or 16 hexadecimal digits].
public struct SchemeReply: HostReplyFields {
    public let key: HostKeyReference
    public let checkValue: String?

    public init(key: HostKeyReference, checkValue: String? = nil) {
        self.key = key
        self.checkValue = checkValue
    }

    public init(from reader: inout FieldReader) throws(FieldError) {
        key = try reader.key(.key)
        checkValue = reader.remaining == 0 ? nil : try reader.checkValueDigits()
    }

    public func write(into buffer: inout ByteBuffer) {
        buffer.writeKey(key)
        if let checkValue { buffer.writeString(checkValue) }
    }
}

extension FieldReader {
    /// `;` and three hexadecimal digits. The other group has the letter of a scheme as its second character; with scheme `0` it
    /// cannot be told from a key type, and is read as one.
    fileprivate var isKeyTypeGroup: Bool {
        var ahead = self
        guard ahead.skip(UInt8(ascii: ";")), (try? ahead.keyTypeCode(.keyType)) != nil else { return false }
        return true
    }
}
