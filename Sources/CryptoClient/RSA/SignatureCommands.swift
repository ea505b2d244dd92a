public import NIOCore

/// EW: sign with an RSA private key.
///
/// hash 2 | signature algorithm 2 | padding 2 | length 4 decimal | data | `;` | private key flag 2 (`99`: the key follows) | `FFFF` | key.
/// Source: wire.EW.req.1. Codes: 05 hash, 06 algorithm, 07 padding (from memory), 80 data, 49 flag, 78 length of the key.
public struct SignRequest: HostCommand {
    public typealias Reply = SignatureReply
    public static let code = HostCommandCode.sign

    public var method: SignatureMethod
    public var data: ByteBuffer
    public var key: HostKeyReference

    /// Throws 80 for more than 9,999 bytes of data.
    public init(_ method: SignatureMethod, data: [UInt8], key: HostKeyReference) throws(FieldError) {
        guard data.count <= SignatureMethod.longestData else { throw FieldError(.dataLength, in: .data) }
        self.method = method
        self.data = ByteBuffer(bytes: data)
        self.key = key
    }

    public init(from reader: inout FieldReader) throws(FieldError) {
        method = try SignatureMethod(&reader)
        data = try reader.counted(.data, .dataLength)
        try reader.delimiter()
        guard try reader.decimal(digits: 2, .keyFlag, .privateKey) == SignatureMethod.keyFollows else {
            throw FieldError(.privateKey, in: .keyFlag)
        }
        guard try reader.skipBlockMark() else { throw FieldError(.privateKeyLength, in: .key) }
        key = try reader.rsaKey(.key)
    }

    public func write(into buffer: inout ByteBuffer) {
        method.write(into: &buffer)
        buffer.writeCounted(data)
        buffer.writeInteger(FieldReader.delimiterMark)
        buffer.writeDecimal(SignatureMethod.keyFollows, digits: 2)
        buffer.writeString(FieldReader.blockMark)
        buffer.writeKey(key)
    }
}

/// EX: length 4 decimal | signature.
public struct SignatureReply: HostReplyFields, Hashable {
    public let signature: ByteBuffer

    public init(_ signature: [UInt8]) { self.signature = ByteBuffer(bytes: signature) }

    public init(from reader: inout FieldReader) throws(FieldError) {
        signature = try reader.counted(.signature, .dataLength)
    }

    public func write(into buffer: inout ByteBuffer) { buffer.writeCounted(signature) }

    public var bytes: [UInt8] { Array(signature.readableBytesView) }
}

/// EY: check a signature. Answer EZ: 00 right, 02 wrong.
///
/// hash 2 | signature algorithm 2 | padding 2 | length 4 | signature | `;` | length 4 | data | `;` | public key as a key block of EO. In
/// our form the label of a stored key stands there too. Source: kambizh/payshield-crypto-client; no sample of the vector file.
public struct VerifySignatureRequest: HostCommand {
    public typealias Reply = EmptyReply
    public static let code = HostCommandCode.verifySignature

    public var method: SignatureMethod
    public var signature: ByteBuffer
    public var data: ByteBuffer
    public var key: HostKeyReference

    /// Throws 80 for more than 9,999 bytes of data or signature.
    public init(
        _ method: SignatureMethod, signature: [UInt8], data: [UInt8], key: HostKeyReference
    ) throws(FieldError) {
        guard data.count <= SignatureMethod.longestData, signature.count <= SignatureMethod.longestData else {
            throw FieldError(.dataLength, in: .data)
        }
        self.method = method
        self.signature = ByteBuffer(bytes: signature)
        self.data = ByteBuffer(bytes: data)
        self.key = key
    }

    public init(from reader: inout FieldReader) throws(FieldError) {
        method = try SignatureMethod(&reader)
        signature = try reader.counted(.signature, .dataLength)
        try reader.delimiter()
        data = try reader.counted(.data, .dataLength)
        try reader.delimiter()
        key = try reader.rsaKey(.key)
    }

    public func write(into buffer: inout ByteBuffer) {
        method.write(into: &buffer)
        buffer.writeCounted(signature)
        buffer.writeInteger(FieldReader.delimiterMark)
        buffer.writeCounted(data)
        buffer.writeInteger(FieldReader.delimiterMark)
        buffer.writeKey(key)
    }
}

/// The three identifiers with which EW and EY begin.
public struct SignatureMethod: Sendable, Hashable {
    public var hash: HostHash
    public var algorithm: HostSignatureAlgorithm
    public var padding: HostSignaturePadding

    static let longestData = 9_999
    /// Private key flag: no index of a stored key, the key itself.
    static let keyFollows = 99

    public init(hash: HostHash = .sha256, padding: HostSignaturePadding = .pkcs1) {
        self.hash = hash
        algorithm = .rsa
        self.padding = padding
    }

    fileprivate init(_ reader: inout FieldReader) throws(FieldError) {
        hash = try reader.pair(.hash, .hashIdentifier)
        algorithm = try reader.pair(.signatureAlgorithm, .signatureIdentifier)
        padding = try reader.pair(.padding, .padModeIdentifier)
    }

    fileprivate func write(into buffer: inout ByteBuffer) {
        buffer.writeString(hash.rawValue + algorithm.rawValue + padding.rawValue)
    }
}

extension FieldReader {
    static let delimiterMark = UInt8(ascii: ";")
    /// Stands where the variant scheme has the length of a private key.
    static let blockMark = "FFFF"

    /// Length 4 decimal, then that many bytes.
    mutating func counted(_ field: FieldError.Field, _ code: HostErrorCode) throws(FieldError) -> ByteBuffer {
        let count = try decimal(digits: 4, .length)
        return try slice(count, field, code)
    }

    fileprivate mutating func delimiter() throws(FieldError) {
        guard skip(Self.delimiterMark) else { throw FieldError(.dataLength, in: .data) }
    }

    /// `FFFF`, if it stands here. What begins with an F and is not that is refused with 78.
    mutating func skipBlockMark() throws(FieldError) -> Bool {
        guard peek() == UInt8(ascii: "F") else { return false }
        guard try hexadecimal(digits: 4, .length, .privateKeyLength) == 0xFFFF else {
            throw FieldError(.privateKeyLength, in: .length)
        }
        return true
    }
}

extension ByteBuffer {
    mutating func writeCounted(_ bytes: ByteBuffer) {
        writeDecimal(bytes.readableBytes, digits: 4)
        writeBytes(of: bytes)
    }
}
