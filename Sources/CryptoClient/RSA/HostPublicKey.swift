import NIOCore

/// An RSA public key on the wire: RSAPublicKey of PKCS#1 (RFC 8017 A.1.1), SEQUENCE { modulus, exponent }, in one of two ways to
/// write its numbers.
///
/// Source: wire.EI.rsp.0 (`01`: 269 bytes for 2,048 bits, the modulus without a leading 00); `02` as open clients send it.
public struct HostPublicKey: Sendable, Hashable {
    /// How the two INTEGERs are written.
    public enum Encoding: String, Sendable, Hashable, CaseIterable {
        /// Unsigned: a modulus begins with its first byte that is not zero. No DER reader outside the field takes this.
        case unsigned = "01"
        /// Two's complement, as DER has it: 00 before a number whose highest bit is set.
        case der = "02"
    }

    /// Big-endian, without leading zeros.
    public let modulus: [UInt8]
    public let exponent: [UInt8]
    public let encoding: Encoding
    /// Clients send real DER under `01` too: taken, and written as it was read.
    let hasSignByte: Bool

    /// Bits of the modulus.
    public var bits: Int { modulus.count * 8 - (modulus.first?.leadingZeroBitCount ?? 0) }

    /// Throws 76 unless the modulus has 512 to 8,192 bits; which lengths serve, the server says.
    public init(modulus: [UInt8], exponent: [UInt8], encoding: Encoding = .der) throws(FieldError) {
        try self.init(modulus: modulus, exponent: exponent, encoding: encoding, hasSignByte: encoding == .der)
    }

    /// From a SubjectPublicKeyInfo (RFC 5280 4.1.2.7), as other programs keep public keys.
    public init(subjectPublicKeyInfo der: [UInt8], encoding: Encoding = .der) throws(FieldError) {
        var reader = FieldReader(ByteBuffer(bytes: der))
        try reader.tag(0x30)
        _ = try reader.derLength()
        for byte in Self.algorithmIdentifier { try reader.tag(byte) }
        try reader.tag(0x03)
        _ = try reader.derLength()
        try reader.tag(0x00)
        let key = try HostPublicKey(&reader, encoding: .der)
        try reader.end()
        try self.init(modulus: key.modulus, exponent: key.exponent, encoding: encoding)
    }

    /// The same key as a SubjectPublicKeyInfo.
    public var subjectPublicKeyInfo: [UInt8] {
        let key = [0] + Self.sequence(modulus, exponent, isSigned: true)
        let fields = Self.algorithmIdentifier + [0x03] + Self.length(key.count) + key
        return [0x30] + Self.length(fields.count) + fields
    }

    /// SEQUENCE { rsaEncryption, NULL }.
    private static let algorithmIdentifier: [UInt8] = [
        0x30, 0x0D, 0x06, 0x09, 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x01, 0x01, 0x05, 0x00,
    ]

    private init(
        modulus: [UInt8], exponent: [UInt8], encoding: Encoding, hasSignByte: Bool
    ) throws(FieldError) {
        guard (64...1_024).contains(modulus.count), modulus[0] != 0, (1...32).contains(exponent.count), exponent[0] != 0
        else { throw FieldError(.publicKeyLength, in: .publicKey) }
        self.modulus = modulus
        self.exponent = exponent
        self.encoding = encoding
        self.hasSignByte = hasSignByte
    }

    fileprivate init(_ reader: inout FieldReader, encoding: Encoding?) throws(FieldError) {
        try reader.tag(0x30)
        let length = try reader.derLength()
        let start = reader.remaining
        let (modulus, hasZero) = try reader.derInteger()
        let (exponent, exponentHasZero) = try reader.derInteger()
        guard start - reader.remaining == length else { throw FieldError(.publicKeyLength, in: .publicKey) }
        let isHigh = (modulus.first ?? 0) & 0x80 != 0
        let exponentIsHigh = (exponent.first ?? 0) & 0x80 != 0
        // A zero stands before a number whose highest bit is set, or nowhere, and before both alike.
        let isSigned = hasZero || exponentHasZero || !(isHigh || exponentIsHigh)
        guard hasZero == (isHigh && isSigned), exponentHasZero == (exponentIsHigh && isSigned),
            encoding != .der || isSigned
        else { throw FieldError(.publicKeyLength, in: .publicKey) }
        try self.init(
            modulus: modulus, exponent: exponent, encoding: encoding ?? (isSigned ? .der : .unsigned),
            hasSignByte: isSigned)
    }

    func write(into buffer: inout ByteBuffer) {
        buffer.writeBytes(Self.sequence(modulus, exponent, isSigned: hasSignByte))
    }

    private static func sequence(_ modulus: [UInt8], _ exponent: [UInt8], isSigned: Bool) -> [UInt8] {
        let fields = integer(modulus, isSigned) + integer(exponent, isSigned)
        return [0x30] + length(fields.count) + fields
    }

    private static func integer(_ number: [UInt8], _ isSigned: Bool) -> [UInt8] {
        let zero: [UInt8] = isSigned && (number.first ?? 0) & 0x80 != 0 ? [0] : []
        return [0x02] + length(zero.count + number.count) + zero + number
    }

    private static func length(_ count: Int) -> [UInt8] {
        if count < 0x80 { return [UInt8(count)] }
        if count < 0x100 { return [0x81, UInt8(count)] }
        return [0x82, UInt8(count >> 8), UInt8(truncatingIfNeeded: count)]
    }
}

extension FieldReader {
    /// A public key in the encoding that the command names; nil where an answer does not say which it is.
    mutating func publicKey(_ encoding: HostPublicKey.Encoding?) throws(FieldError) -> HostPublicKey {
        try HostPublicKey(&self, encoding: encoding)
    }

    fileprivate mutating func tag(_ expected: UInt8) throws(FieldError) {
        guard skip(expected) else { throw FieldError(.publicKeyLength, in: .publicKey) }
    }

    /// Of one byte, or of one or two behind 81 or 82; the shortest form only.
    fileprivate mutating func derLength() throws(FieldError) -> Int {
        let first = try byte(.publicKey, .publicKeyLength)
        let length: Int
        switch first {
        case ..<0x80: return Int(first)
        case 0x81: length = Int(try byte(.publicKey, .publicKeyLength))
        case 0x82: length = Int(try integer(.publicKey, .publicKeyLength, as: UInt16.self))
        default: throw FieldError(.publicKeyLength, in: .publicKey)
        }
        guard length >= (first == 0x81 ? 0x80 : 0x100) else { throw FieldError(.publicKeyLength, in: .publicKey) }
        return length
    }

    /// The number without its leading zero, and whether it had one.
    fileprivate mutating func derInteger() throws(FieldError) -> (number: [UInt8], hasZero: Bool) {
        try tag(0x02)
        let bytes = Array(try slice(try derLength(), .publicKey, .publicKeyLength).readableBytesView)
        guard bytes.count > 1, bytes[0] == 0 else { return (bytes, false) }
        return (Array(bytes.dropFirst()), true)
    }
}
