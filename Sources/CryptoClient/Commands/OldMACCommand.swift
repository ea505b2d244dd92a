public import NIOCore

/// MS: the older way to make the MAC of X9.19 over a long message. Answer MT: eight bytes, the MAC or the vector for the next part.
///
/// block 1 (`0` only, `1` first, `2` middle, `3` last) | key type 1 (`0` terminal, `1` zone: both mean the same here) | key length 1
/// (`0` single, `1` double; `F`, ours, for a key block) | message type 1 (`0` binary, `1` hexadecimal) | key | [vector 16 hexadecimal
/// digits, in blocks 2 and 3] | length 4 hexadecimal digits | message. The length counts bytes, also of a hexadecimal message; a
/// count of digits is taken where only that fits. Codes as an open simulator has them: 05 block, 04 key type, 06 key
/// length, 03 message type. Padding: zeros up to a whole block.
public struct OldMACRequest: HostCommand {
    public typealias Reply = MACReply
    public static let code = HostCommandCode.oldMAC

    public var mode: HostMACMode
    public var keyType: KeyKind
    public var keyLength: KeyLength
    public var key: HostKeyReference
    /// Eight bytes in modes 2 and 3; else empty.
    public var chainingValue: [UInt8]
    public var message: HostMessage

    public enum KeyKind: UInt8, Sendable, Hashable, CaseIterable {
        case terminal = 0x30
        case zone
    }

    public enum KeyLength: UInt8, Sendable, Hashable, CaseIterable {
        case single = 0x30
        case double
        case keyBlock = 0x46  // F
    }

    public init(
        mode: HostMACMode = .only, keyType: KeyKind = .terminal, keyLength: KeyLength = .double, key: HostKeyReference,
        chainingValue: [UInt8] = [], message: HostMessage
    ) {
        self.mode = mode
        self.keyType = keyType
        self.keyLength = keyLength
        self.key = key
        self.chainingValue = chainingValue
        self.message =
            message.format == .hexadecimal
            ? HostMessage(format: .hexadecimal, field: message.field, lengthCountsBytes: true) : message
    }

    public init(from reader: inout FieldReader) throws(FieldError) {
        mode = try reader.choice(.mode, .keyLengthFlag)
        keyType = try reader.choice(.keyType, .keyTypeCode)
        keyLength = try reader.choice(.keyLengthFlag, .messageLength)
        let format = try reader.choice(.inputFormat, .inputFormat, as: HostDataFormat.self)
        guard format != .text else { throw FieldError(.inputFormat, in: .inputFormat) }
        key = try reader.key(.key)
        chainingValue = mode.bringsChainingValue ? try reader.block(digits: 16) : []
        message = try reader.message(MessageForm(format: format, macDigits: 0, macMayBeMissing: false))
    }

    public func write(into buffer: inout ByteBuffer) {
        buffer.writeInteger(mode.rawValue)
        buffer.writeInteger(keyType.rawValue)
        buffer.writeInteger(keyLength.rawValue)
        buffer.writeInteger(message.format.rawValue)
        buffer.writeKey(key)
        buffer.writeHexadecimal(of: chainingValue)
        buffer.writeMessage(message)
    }

    /// The same question in the fields of M6.
    public var fields: HostMACFields {
        HostMACFields(
            mode: mode, size: .eightBytes, algorithm: .algorithm3, padding: .method1, key: key,
            chainingValue: chainingValue, message: message)
    }
}
