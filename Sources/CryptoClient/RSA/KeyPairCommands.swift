public import NIOCore

/// EI: make an RSA key pair; the private key comes back as a key block under the LMK.
///
/// key type 1 | modulus in bits 4 | encoding 2 | [exponent length in bits 4 | exponent] || `%nn` | [`#` key version 2 | number of
/// optional blocks 2 | blocks | [`&` exportability 1]]. Sources: wire.EI.req.0, wire.EI.req.1; `EI2204801#0000` as
/// payshield-pressure-test sends it; the exponent fields from memory of the field's manuals, unverified.
public struct GenerateKeyPairRequest: HostCommand {
    public typealias Reply = KeyPairReply
    public static let code = HostCommandCode.generateKeyPair

    public var use: Use
    /// 320 to 8,192; which lengths a new key may have, the server says.
    public var bits: Int
    public var encoding: HostPublicKey.Encoding
    /// Big-endian; nil for 65537.
    public var exponent: [UInt8]?
    public var options: PublicKeyOptions?

    /// What the private key is for. The samples show which is which: `1` came back with mode D (wire.EI.rsp.1), and the key that
    /// signs in wire.EW.req.1 has mode S.
    public enum Use: UInt8, Sendable, Hashable, CaseIterable {
        /// `0`: signatures.
        case signature = 0x30
        /// `1`: deciphering keys.
        case keyManagement
        /// `2`: both.
        case both
        /// `3`: a chip card's own key.
        case card
        /// `4`: deciphering data.
        case dataDecryption
        /// `5`: deciphering PINs.
        case pinDecryption
    }

    public init(
        use: Use = .signature, bits: Int = 2_048, encoding: HostPublicKey.Encoding = .der, exponent: [UInt8]? = nil,
        options: PublicKeyOptions? = PublicKeyOptions()
    ) {
        self.use = use
        self.bits = min(max(bits, 0), 9_999)
        self.encoding = encoding
        self.exponent = exponent
        self.options = options
    }

    public init(from reader: inout FieldReader) throws(FieldError) {
        use = try reader.choice(.keyType, .keyTypeCode)
        bits = try reader.decimal(digits: 4, .length)
        guard (320...8_192).contains(bits) else { throw FieldError(.publicKeyLength, in: .length) }
        encoding = try reader.pair(.encoding, .publicKeyEncoding)
        guard let next = reader.peek(), (0x30...0x39).contains(next) else { return }
        let exponentBits = try reader.decimal(digits: 4, .exponent)
        guard (2...256).contains(exponentBits) else { throw FieldError(.inputData, in: .exponent) }
        let bytes = Array(try reader.slice((exponentBits + 7) / 8, .exponent).readableBytesView)
        // Written as long as the number is, so that what is read is what is written.
        guard bytes[0].leadingZeroBitCount == (8 - exponentBits % 8) % 8 else {
            throw FieldError(.inputData, in: .exponent)
        }
        exponent = bytes
    }

    public func write(into buffer: inout ByteBuffer) {
        buffer.writeInteger(use.rawValue)
        buffer.writeDecimal(bits, digits: 4)
        buffer.writeString(encoding.rawValue)
        guard let exponent else { return }
        buffer.writeDecimal(exponent.count * 8 - (exponent.first?.leadingZeroBitCount ?? 0), digits: 4)
        buffer.writeBytes(exponent)
    }

    public mutating func readOptions(from reader: inout FieldReader) throws(FieldError) {
        guard reader.skip(FieldReader.attributesMark) else { return }
        options = try PublicKeyOptions(&reader)
        guard reader.skip(FieldReader.exportabilityMark) else { return }
        options?.exportability = try reader.exportability(.exportability)
    }

    public func writeOptions(into buffer: inout ByteBuffer) {
        guard let options else { return }
        buffer.writeInteger(FieldReader.attributesMark)
        options.write(into: &buffer)
        guard let exportability = options.exportability else { return }
        buffer.writeInteger(FieldReader.exportabilityMark)
        buffer.writeString(exportability)
    }
}

/// What stands behind `#` in EI: key version 2 | number of optional blocks 2 | blocks. The exportability stands behind it.
public struct PublicKeyOptions: Sendable, Hashable {
    /// Two characters.
    public var version: String
    public var optionalBlocks: [HostKeyAttributes.OptionalBlock]
    /// E, N or S; nil for the server's own choice, which is N.
    public var exportability: String?

    public init(version: String = "00", exportability: String? = nil) {
        self.version = version
        optionalBlocks = []
        self.exportability = exportability
    }

    fileprivate init(_ reader: inout FieldReader) throws(FieldError) {
        version = try reader.alphanumeric(2, .keyAttributes, .keyVersion)
        optionalBlocks = try reader.optionalBlocks()
    }

    fileprivate func write(into buffer: inout ByteBuffer) {
        buffer.writeString(version)
        buffer.writeOptionalBlocks(optionalBlocks)
    }
}

/// EJ: the public key, then the private key: `FFFF` and a key block, or its length in four decimal digits and that many bytes of
/// the old variant scheme.
public struct KeyPairReply: HostReplyFields, Hashable {
    public let publicKey: HostPublicKey
    public let privateKey: PrivateKey

    public enum PrivateKey: Sendable, Hashable {
        /// A key block under the LMK.
        case block(HostKeyReference)
        /// As security modules without key blocks give it; never ours.
        case variant(ByteBuffer)
    }

    public init(publicKey: HostPublicKey, privateKey: HostKeyReference) {
        self.publicKey = publicKey
        self.privateKey = .block(privateKey)
    }

    public init(from reader: inout FieldReader) throws(FieldError) {
        publicKey = try reader.publicKey(nil)
        guard try !reader.skipBlockMark() else {
            privateKey = .block(try reader.rsaKey(.key))
            return
        }
        let count = try reader.decimal(digits: 4, .length, .privateKeyLength)
        privateKey = .variant(try reader.slice(count, .key, .privateKeyLength))
    }

    public func write(into buffer: inout ByteBuffer) {
        publicKey.write(into: &buffer)
        switch privateKey {
        case .block(let key):
            buffer.writeString(FieldReader.blockMark)
            buffer.writeKey(key)
        case .variant(let bytes):
            buffer.writeDecimal(bytes.readableBytes, digits: 4)
            buffer.writeBytes(of: bytes)
        }
    }
}

/// EO: take a public key from outside, give it as a key block under the LMK, which EY then trusts.
///
/// encoding 2 | public key | `~` || `%nn` | `#` mode of use 1 | key version 2 | exportability 1 | number of optional blocks 2 | blocks.
/// Without `~` it is the form of the variant scheme (authentication data follow the key), which this project reads and refuses.
/// Source: the open clients kambizh/payshield-crypto-client and its like; no sample of the vector file.
public struct ImportPublicKeyRequest: HostCommand {
    public typealias Reply = PublicKeyReply
    public static let code = HostCommandCode.importPublicKey

    public var publicKey: HostPublicKey
    /// Nil in the form of the variant scheme.
    public var attributes: Attributes?

    public struct Attributes: Sendable, Hashable {
        /// One letter; V for a key that checks signatures.
        public var modeOfUse: String
        public var version: String
        public var exportability: String
        public var optionalBlocks: [HostKeyAttributes.OptionalBlock]

        public init(modeOfUse: String = "V", version: String = "00", exportability: String = "N") {
            self.modeOfUse = modeOfUse
            self.version = version
            self.exportability = exportability
            optionalBlocks = []
        }

        fileprivate init(_ reader: inout FieldReader) throws(FieldError) {
            modeOfUse = try reader.alphanumeric(1, .keyAttributes, .modeOfUse)
            version = try reader.alphanumeric(2, .keyAttributes, .keyVersion)
            exportability = try reader.exportability(.keyAttributes)
            optionalBlocks = try reader.optionalBlocks()
        }
    }

    private static let mark = UInt8(ascii: "~")
    /// Only between reading the key and reading the options.
    private var hasMark = false

    public init(_ publicKey: HostPublicKey, attributes: Attributes = Attributes()) {
        self.publicKey = publicKey
        self.attributes = attributes
        hasMark = true
    }

    public init(from reader: inout FieldReader) throws(FieldError) {
        let encoding: HostPublicKey.Encoding = try reader.pair(.encoding, .publicKeyEncoding)
        publicKey = try reader.publicKey(encoding)
        hasMark = reader.skip(Self.mark)
    }

    public func write(into buffer: inout ByteBuffer) {
        buffer.writeString(publicKey.encoding.rawValue)
        publicKey.write(into: &buffer)
        if hasMark { buffer.writeInteger(Self.mark) }
    }

    public mutating func readOptions(from reader: inout FieldReader) throws(FieldError) {
        guard hasMark, reader.skip(FieldReader.attributesMark) else { return }
        attributes = try Attributes(&reader)
    }

    public func writeOptions(into buffer: inout ByteBuffer) {
        guard let attributes else { return }
        buffer.writeInteger(FieldReader.attributesMark)
        buffer.writeString(attributes.modeOfUse + attributes.version + attributes.exportability)
        buffer.writeOptionalBlocks(attributes.optionalBlocks)
    }
}

/// EP: the public key as a key block under the LMK.
public struct PublicKeyReply: HostReplyFields, Hashable {
    public let key: HostKeyReference

    public init(key: HostKeyReference) { self.key = key }

    public init(from reader: inout FieldReader) throws(FieldError) { key = try reader.key(.key) }

    public func write(into buffer: inout ByteBuffer) { buffer.writeKey(key) }
}
