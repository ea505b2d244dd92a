public import NIOCore

/// What M6 and M8 have in common, up to and including the message.
///
/// mode 1 | format 1 | size 1 | algorithm 1 | padding 1 | key type 3 | key | [chaining value 16 or 32 hexadecimal digits, modes 2 and
/// 3] | length 4 hexadecimal digits | message. Codes: 02 mode, 03 format, 15 size, 04 algorithm, 09 padding, 05 key type, 06 length
/// not hexadecimal, 80 length and message disagree.
public struct HostMACFields: Sendable {
    public var mode: HostMACMode
    public var size: HostMACSize
    public var algorithm: HostMACAlgorithm
    public var padding: HostMACPadding
    public var keyType: KeyTypeCode
    public var key: HostKeyReference
    /// One cipher block, 8 bytes (DES) or 16 (AES, SM4), in modes 2 and 3; else empty.
    public var chainingValue: [UInt8]
    public var message: HostMessage

    public init(
        mode: HostMACMode = .only, size: HostMACSize = .fourBytes, algorithm: HostMACAlgorithm,
        padding: HostMACPadding, keyType: KeyTypeCode = .keyBlock, key: HostKeyReference, chainingValue: [UInt8] = [],
        message: HostMessage
    ) {
        self.mode = mode
        self.size = size
        self.algorithm = algorithm
        self.padding = padding
        self.keyType = keyType
        self.key = key
        self.chainingValue = chainingValue
        self.message = message
    }

    init(_ reader: inout FieldReader, hasMAC: Bool) throws(FieldError) {
        mode = try reader.choice(.mode, .macModeFlag)
        let format = try reader.choice(.inputFormat, .inputFormat, as: HostDataFormat.self)
        size = try reader.choice(.macSize, .inputData)
        algorithm = try reader.choice(.macAlgorithm, .macAlgorithm)
        padding = try reader.choice(.padding, .paddingMethod)
        keyType = try reader.keyTypeCode(.macKeyType)
        key = try reader.key(.key)
        let form = MessageForm(
            format: format, macDigits: hasMAC ? 2 * size.bytes : 0, macMayBeMissing: hasMAC && mode.isContinued)
        if mode.bringsChainingValue {
            let isWide = algorithm == .cbcMAC || algorithm == .cmac
            (chainingValue, message) = try reader.chainedMessage(form, widest: isWide)
        } else {
            chainingValue = []
            message = try reader.message(form)
        }
    }

    func write(into buffer: inout ByteBuffer) {
        buffer.writeInteger(mode.rawValue)
        buffer.writeInteger(message.format.rawValue)
        buffer.writeInteger(size.rawValue)
        buffer.writeInteger(algorithm.rawValue)
        buffer.writeInteger(padding.rawValue)
        buffer.writeHexadecimal(UInt64(keyType.rawValue), digits: 3)
        buffer.writeKey(key)
        if mode.bringsChainingValue { buffer.writeHexadecimal(of: chainingValue) }
        buffer.writeMessage(message)
    }
}

/// M6: make a MAC. Answer M7: the MAC, or in modes 1 and 2 the chaining value.
public struct GenerateMACRequest: HostCommand {
    public typealias Reply = MACReply
    public static let code = HostCommandCode.generateMAC

    public var fields: HostMACFields

    public init(_ fields: HostMACFields) {
        self.fields = fields
    }

    public init(from reader: inout FieldReader) throws(FieldError) {
        fields = try HostMACFields(&reader, hasMAC: false)
    }

    public func write(into buffer: inout ByteBuffer) {
        fields.write(into: &buffer)
    }
}

/// M8: check a MAC, which stands behind the message. Answer M9: 00 or 01, in modes 1 and 2 with the chaining value.
public struct VerifyMACRequest: HostCommand {
    public typealias Reply = MACReply
    public static let code = HostCommandCode.verifyMAC

    public var fields: HostMACFields
    /// Nil only in modes 1 and 2.
    public var mac: HostMAC?

    /// The size field follows the MAC given.
    public init(_ fields: HostMACFields, mac: HostMAC?) {
        self.fields = fields
        self.mac = mac
        if let mac { self.fields.size = mac.size }
    }

    public init(from reader: inout FieldReader) throws(FieldError) {
        fields = try HostMACFields(&reader, hasMAC: true)
        let digits = 2 * fields.size.bytes
        if fields.mode.isContinued, reader.isEnd(after: 0) { return }
        let value = try reader.hexadecimal(digits: min(digits, 16), .mac)
        let rest = digits > 16 ? try reader.hexadecimal(digits: digits - 16, .mac) : 0
        mac = HostMAC(value: value, rest: rest, size: fields.size)
    }

    public func write(into buffer: inout ByteBuffer) {
        fields.write(into: &buffer)
        guard let mac else { return }
        buffer.writeHexadecimal(mac.value, digits: min(2 * mac.size.bytes, 16))
        if mac.size == .sixteenBytes { buffer.writeHexadecimal(mac.rest, digits: 16) }
    }
}

/// M7 and M9: a MAC or a chaining value in hexadecimal digits, or nothing (M9 of modes 0 and 3).
///
/// Which of the two it is follows from the request's mode.
public struct MACReply: HostReplyFields {
    public let bytes: [UInt8]

    public init(_ bytes: [UInt8]) {
        self.bytes = bytes
    }

    public init(from reader: inout FieldReader) throws(FieldError) {
        guard let bytes = Hexadecimal.decode(reader.all()) else { throw FieldError(.inputData, in: .mac) }
        self.bytes = bytes
    }

    public func write(into buffer: inout ByteBuffer) {
        buffer.writeHexadecimal(of: bytes)
    }
}
