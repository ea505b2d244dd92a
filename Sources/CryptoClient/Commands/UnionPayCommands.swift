public import NIOCore

/// How the MAC of a UnionPay POS message (field 64, 银联POS报文MAC) is made.
public enum UnionPayMethod: UInt8, Sendable, Hashable, CaseIterable {
    /// `E`: all blocks xored, as hexadecimal text enciphered in two steps; eight characters of hexadecimal. TDES and SM4 keys.
    case ecb = 0x45
    /// `X`: X9.19, zeros at the end; eight bytes. TDES keys.
    case x919 = 0x58
}

/// Y0: make field 64 of a UnionPay POS message. Answer Y1: its eight bytes.
///
/// method 1 (`E`, `X`) | key | length 4 hexadecimal digits | message, type indicator to field 63.
public struct GenerateUnionPayMACRequest: HostCommand {
    public typealias Reply = BytesReply
    public static let code = HostCommandCode.generateUnionPayMAC

    public var method: UnionPayMethod
    public var key: HostKeyReference
    public var message: ByteBuffer

    public init(method: UnionPayMethod, key: HostKeyReference, message: [UInt8]) {
        self.method = method
        self.key = key
        self.message = ByteBuffer(bytes: message)
    }

    public init(from reader: inout FieldReader) throws(FieldError) {
        method = try reader.choice(.macAlgorithm, .macAlgorithm)
        key = try reader.key(.key)
        message = try reader.slice(Int(try reader.hexadecimal(digits: 4, .length, .messageLength)), .data, .dataLength)
    }

    public func write(into buffer: inout ByteBuffer) {
        buffer.writeInteger(method.rawValue)
        buffer.writeKey(key)
        buffer.writeHexadecimal(UInt64(message.readableBytes), digits: 4)
        buffer.writeBytes(of: message)
    }
}

/// Y2: check field 64. Answer Y3: 00 or 01.
///
/// method 1 | key | field 64, 8 B | length 4 hexadecimal digits | message.
public struct VerifyUnionPayMACRequest: HostCommand {
    public typealias Reply = EmptyReply
    public static let code = HostCommandCode.verifyUnionPayMAC

    public var method: UnionPayMethod
    public var key: HostKeyReference
    /// Field 64 as it came, as a big-endian number; compared in the module only.
    public var mac: UInt64
    public var message: ByteBuffer

    public init(method: UnionPayMethod, key: HostKeyReference, mac: UInt64, message: [UInt8]) {
        self.method = method
        self.key = key
        self.mac = mac
        self.message = ByteBuffer(bytes: message)
    }

    public init(from reader: inout FieldReader) throws(FieldError) {
        method = try reader.choice(.macAlgorithm, .macAlgorithm)
        key = try reader.key(.key)
        mac = try reader.integer(.mac)
        message = try reader.slice(Int(try reader.hexadecimal(digits: 4, .length, .messageLength)), .data, .dataLength)
    }

    public func write(into buffer: inout ByteBuffer) {
        buffer.writeInteger(method.rawValue)
        buffer.writeKey(key)
        buffer.writeInteger(mac)
        buffer.writeHexadecimal(UInt64(message.readableBytes), digits: 4)
        buffer.writeBytes(of: message)
    }
}
