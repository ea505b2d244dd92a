public import NIOCore

/// YI: line protection (线路保护) of a card command, such as the update of a file. Answer YJ: the command's data field.
///
/// card key | cipher 1 (`1` TDES, `2` SM4) | protection 1 (`0` MAC, `1` cipher and MAC) | CLA INS P1 P2 4 B | length of the challenge 2
/// decimal digits (04, or a block: 08, 16) | challenge of the card | length 2 hexadecimal digits | data. The answer is the data, or
/// their cryptogram, and the MAC of four bytes: what stands behind Lc.
public struct ProtectCommandRequest: HostCommand {
    public typealias Reply = BytesReply
    public static let code = HostCommandCode.protectCommand

    public var key: CardKey
    public var cipher: Cipher
    public var isEnciphered: Bool
    public var commandHeader: UInt32
    public var challenge: ByteBuffer
    public var data: ByteBuffer

    public enum Cipher: UInt8, Sendable, Hashable, CaseIterable {
        case tripleDES = 0x31
        case sm4
    }

    public init(
        key: CardKey, cipher: Cipher = .tripleDES, isEnciphered: Bool, commandHeader: UInt32, challenge: [UInt8],
        data: [UInt8]
    ) {
        self.key = key
        self.cipher = cipher
        self.isEnciphered = isEnciphered
        self.commandHeader = commandHeader
        self.challenge = ByteBuffer(bytes: challenge)
        self.data = ByteBuffer(bytes: data)
    }

    public init(from reader: inout FieldReader) throws(FieldError) {
        key = try reader.cardKey()
        cipher = try reader.choice(.scheme, .keyTypeCode)
        let protection = try reader.byte(.mode, .keyLengthForAlgorithm)
        guard protection == 0x30 || protection == 0x31 else { throw FieldError(.keyLengthForAlgorithm, in: .mode) }
        isEnciphered = protection == 0x31
        commandHeader = try reader.integer(.command)
        let count = try reader.decimal(digits: 2, .random)
        guard [4, 8, 16].contains(count) else { throw FieldError(.dataLength, in: .random) }
        challenge = try reader.slice(count, .random)
        let length = Int(try reader.hexadecimal(digits: 2, .length, .messageLength))
        data = try reader.slice(length, .data, .dataLength)
    }

    public func write(into buffer: inout ByteBuffer) {
        buffer.writeCardKey(key)
        buffer.writeInteger(cipher.rawValue)
        buffer.writeInteger(UInt8(isEnciphered ? 0x31 : 0x30))
        buffer.writeInteger(commandHeader)
        buffer.writeDecimal(challenge.readableBytes, digits: 2)
        buffer.writeBytes(of: challenge)
        buffer.writeHexadecimal(UInt64(data.readableBytes), digits: 2)
        buffer.writeBytes(of: data)
    }
}
