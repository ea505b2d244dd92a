public import NIOCore

/// A0: make a key, give it under the LMK and, if wished, also under a transport key (ZMK or TMK).
///
/// mode 1 (`0` LMK only, `1` also under a transport key) | key type 3 | scheme 1 | mode 1 only: [`;`] flag 1 (`0` ZMK, `1` TMK)
/// | transport key | scheme 1 || `%nn` | [`#` attributes]. The `;` may be missing (wire.A0.req.3).
public struct GenerateKeyRequest: HostCommand {
    public typealias Reply = KeyReply
    public static let code = HostCommandCode.generateKey

    public var keyType: KeyTypeCode
    public var scheme: KeyScheme
    public var transport: Transport?
    /// Needed for schemes `S` and `R`.
    public var attributes: HostKeyAttributes?

    /// Where the second copy of the key goes.
    public struct Transport: Sendable, Hashable {
        /// False: a zone key (`0`); true: a terminal key (`1`).
        public var isTerminalKey: Bool
        public var key: HostKeyReference
        public var scheme: KeyScheme
        /// Whether the flag stands behind a `;`.
        public var hasDelimiter: Bool

        public init(
            key: HostKeyReference, scheme: KeyScheme, isTerminalKey: Bool = false, hasDelimiter: Bool = true
        ) {
            self.isTerminalKey = isTerminalKey
            self.key = key
            self.scheme = scheme
            self.hasDelimiter = hasDelimiter
        }
    }

    public init(
        keyType: KeyTypeCode = .keyBlock, scheme: KeyScheme = .keyBlock, transport: Transport? = nil,
        attributes: HostKeyAttributes?
    ) {
        self.keyType = keyType
        self.scheme = scheme
        self.transport = transport
        self.attributes = attributes
    }

    public init(from reader: inout FieldReader) throws(FieldError) {
        let mode = try reader.byte(.mode)
        guard mode == UInt8(ascii: "0") || mode == UInt8(ascii: "1") else { throw FieldError(.inputData, in: .mode) }
        keyType = try reader.keyTypeCode(.keyType)
        scheme = try reader.choice(.keyScheme, .keyScheme)
        guard mode == UInt8(ascii: "1") else { return }
        let hasDelimiter = reader.skip(UInt8(ascii: ";"))
        let flag = try reader.byte(.zmkFlag)
        guard flag == UInt8(ascii: "0") || flag == UInt8(ascii: "1") else { throw FieldError(.inputData, in: .zmkFlag) }
        transport = Transport(
            key: try reader.key(.transportKey), scheme: try reader.choice(.keyScheme, .keyScheme),
            isTerminalKey: flag == UInt8(ascii: "1"), hasDelimiter: hasDelimiter)
    }

    public func write(into buffer: inout ByteBuffer) {
        buffer.writeInteger(UInt8(ascii: transport == nil ? "0" : "1"))
        buffer.writeHexadecimal(UInt64(keyType.rawValue), digits: 3)
        buffer.writeInteger(scheme.rawValue)
        guard let transport else { return }
        if transport.hasDelimiter { buffer.writeInteger(UInt8(ascii: ";")) }
        buffer.writeInteger(UInt8(ascii: transport.isTerminalKey ? "1" : "0"))
        buffer.writeKey(transport.key)
        buffer.writeInteger(transport.scheme.rawValue)
    }

    public mutating func readOptions(from reader: inout FieldReader) throws(FieldError) {
        attributes = try reader.keyAttributes()
    }

    public func writeOptions(into buffer: inout ByteBuffer) {
        buffer.writeKeyAttributes(attributes)
    }
}

/// A6: take a key that comes under a transport key, give it under the LMK.
///
/// key type 3 | transport key | key | scheme 1 || `%nn` | [`#` attributes] | [`;` check value 6]. The check value is ours: a bare
/// cryptogram (`X…`, `Y…`) carries no proof of being a key, and the server takes none without it.
public struct ImportKeyRequest: HostCommand {
    public typealias Reply = KeyReply
    public static let code = HostCommandCode.importKey

    public var keyType: KeyTypeCode
    public var transportKey: HostKeyReference
    public var key: HostKeyReference
    public var scheme: KeyScheme
    public var attributes: HostKeyAttributes?
    /// Six hexadecimal digits in capitals.
    public var checkValue: String?

    public init(
        keyType: KeyTypeCode = .keyBlock, transportKey: HostKeyReference, key: HostKeyReference,
        scheme: KeyScheme = .keyBlock, attributes: HostKeyAttributes? = nil, checkValue: String? = nil
    ) {
        self.keyType = keyType
        self.transportKey = transportKey
        self.key = key
        self.scheme = scheme
        self.attributes = attributes
        self.checkValue = checkValue
    }

    public init(from reader: inout FieldReader) throws(FieldError) {
        keyType = try reader.keyTypeCode(.keyType)
        transportKey = try reader.key(.transportKey)
        key = try reader.key(.key)
        scheme = try reader.choice(.keyScheme, .keyScheme)
    }

    public func write(into buffer: inout ByteBuffer) {
        buffer.writeHexadecimal(UInt64(keyType.rawValue), digits: 3)
        buffer.writeKey(transportKey)
        buffer.writeKey(key)
        buffer.writeInteger(scheme.rawValue)
    }

    public mutating func readOptions(from reader: inout FieldReader) throws(FieldError) {
        attributes = try reader.keyAttributes()
        guard reader.skip(UInt8(ascii: ";")) else { return }
        checkValue = try reader.hexadecimalText(6, .checkValue, .checkValueLength)
    }

    public func writeOptions(into buffer: inout ByteBuffer) {
        buffer.writeKeyAttributes(attributes)
        if let checkValue { buffer.writeString(";" + checkValue) }
    }
}

/// A8: give a key of the LMK under a transport key.
///
/// key type 3 | transport key | key | scheme 1 || `%nn` | [`&` exportability the block shall say, 1].
public struct ExportKeyRequest: HostCommand {
    public typealias Reply = KeyReply
    public static let code = HostCommandCode.exportKey

    public var keyType: KeyTypeCode
    public var transportKey: HostKeyReference
    public var key: HostKeyReference
    public var scheme: KeyScheme
    /// E, N or S; nil to keep the key's own.
    public var exportability: String?

    public init(
        keyType: KeyTypeCode = .keyBlock, transportKey: HostKeyReference, key: HostKeyReference,
        scheme: KeyScheme = .transportBlock, exportability: String? = nil
    ) {
        self.keyType = keyType
        self.transportKey = transportKey
        self.key = key
        self.scheme = scheme
        self.exportability = exportability
    }

    public init(from reader: inout FieldReader) throws(FieldError) {
        keyType = try reader.keyTypeCode(.keyType)
        transportKey = try reader.key(.transportKey)
        key = try reader.key(.key)
        scheme = try reader.choice(.keyScheme, .keyScheme)
    }

    public func write(into buffer: inout ByteBuffer) {
        buffer.writeHexadecimal(UInt64(keyType.rawValue), digits: 3)
        buffer.writeKey(transportKey)
        buffer.writeKey(key)
        buffer.writeInteger(scheme.rawValue)
    }

    public mutating func readOptions(from reader: inout FieldReader) throws(FieldError) {
        guard reader.skip(FieldReader.exportabilityMark) else { return }
        exportability = try reader.exportability(.exportability)
    }

    public func writeOptions(into buffer: inout ByteBuffer) {
        guard let exportability else { return }
        buffer.writeInteger(FieldReader.exportabilityMark)
        buffer.writeString(exportability)
    }
}

/// A1, A7, A9, YE: the key, A1 also the copy under the transport key, and the check value of 6 or 16 hexadecimal digits.
public struct KeyReply: HostReplyFields {
    public let key: HostKeyReference
    /// Only in A1 of mode 1.
    public let keyUnderTransport: HostKeyReference?
    public let checkValue: String

    public init(key: HostKeyReference, keyUnderTransport: HostKeyReference? = nil, checkValue: String) {
        self.key = key
        self.keyUnderTransport = keyUnderTransport
        self.checkValue = checkValue
    }

    public init(from reader: inout FieldReader) throws(FieldError) {
        key = try reader.key(.key)
        keyUnderTransport = reader.remaining > 16 ? try reader.key(.transportKey) : nil
        checkValue = try reader.checkValueDigits()
    }

    public func write(into buffer: inout ByteBuffer) {
        buffer.writeKey(key)
        if let keyUnderTransport { buffer.writeKey(keyUnderTransport) }
        buffer.writeString(checkValue)
    }
}

extension FieldReader {
    /// All that is left, which must be 6 or 16 hexadecimal digits.
    mutating func checkValueDigits() throws(FieldError) -> String {
        guard remaining == 6 || remaining == 16 else { throw FieldError(.checkValueLength, in: .checkValue) }
        return try hexadecimalText(remaining, .checkValue)
    }
}
