/// Hash functions that the module calculates. The number is that of the field's host commands, SM3's is ours.
public enum HashAlgorithm: UInt8, Sendable, Hashable, CaseIterable {
    case sha1 = 1
    /// For the hash command alone.
    case md5 = 2
    case sha224 = 5
    case sha256 = 6
    case sha384 = 7
    case sha512 = 8
    /// GB/T 32905; for the hash command alone.
    case sm3 = 33
}

/// How a digest is brought to the length of the modulus (RFC 8017).
public enum SignaturePadding: UInt8, Sendable, Hashable, CaseIterable {
    /// EMSA-PKCS1-v1_5.
    case pkcs1 = 1
    /// EMSA-PSS with MGF1 over the same hash function; the salt we make is as long as the digest.
    case pss = 4
}

/// What is signed, and how.
public struct SignatureInput: WireValue, Hashable {
    /// Nil: `message` is a DigestInfo (RFC 8017 9.2) and its own algorithm counts; PKCS#1 v1.5 only.
    public var hash: HashAlgorithm?
    public var padding: SignaturePadding
    public var message: [UInt8]

    public init(hash: HashAlgorithm?, padding: SignaturePadding, message: [UInt8]) {
        self.hash = hash
        self.padding = padding
        self.message = message
    }

    public func write(to writer: inout WireWriter) {
        writer.u8(hash?.rawValue ?? 0)
        writer.u8(padding.rawValue)
        writer.bytes(message)
    }

    public init(from reader: inout WireReader) throws(WireError) {
        let number = try reader.u8()
        hash = HashAlgorithm(rawValue: number)
        guard hash != nil || number == 0, let padding = SignaturePadding(rawValue: try reader.u8()) else {
            throw .valueInvalid
        }
        self.padding = padding
        message = try reader.bytes()
    }
}

/// Bytes: a digest or a signature.
public struct Octets: WireValue, Hashable {
    public var bytes: [UInt8]
    public init(bytes: [UInt8]) { self.bytes = bytes }
    public func write(to writer: inout WireWriter) { writer.bytes(bytes) }
    public init(from reader: inout WireReader) throws(WireError) { bytes = try reader.bytes() }
}

/// A digest of public data.
public struct Hash: ModuleCommand {
    public typealias Reply = Octets
    public static let code = CommandCode.hash
    public var algorithm: HashAlgorithm
    public var data: [UInt8]

    public init(algorithm: HashAlgorithm, data: [UInt8]) {
        self.algorithm = algorithm
        self.data = data
    }

    public func write(to writer: inout WireWriter) {
        writer.u8(algorithm.rawValue)
        writer.bytes(data)
    }

    public init(from reader: inout WireReader) throws(WireError) {
        guard let algorithm = HashAlgorithm(rawValue: try reader.u8()) else { throw .valueInvalid }
        self.algorithm = algorithm
        data = try reader.bytes()
    }
}

/// Signs with an RSA private key (usage S0, mode S or T). Hundreds of microseconds: not on the connection of the hot path.
public struct CreateSignature: ModuleCommand {
    public typealias Reply = Octets
    public static let code = CommandCode.createSignature
    public var key: KeyReference
    public var input: SignatureInput

    public init(key: KeyReference, input: SignatureInput) {
        self.key = key
        self.input = input
    }

    public func write(to writer: inout WireWriter) {
        key.write(to: &writer)
        input.write(to: &writer)
    }

    public init(from reader: inout WireReader) throws(WireError) {
        key = try KeyReference(from: &reader)
        input = try SignatureInput(from: &reader)
    }
}

/// Checks a signature under a public key (usage S0, mode V) or the public half of a private one.
public struct VerifySignature: ModuleCommand {
    public typealias Reply = Verdict
    public static let code = CommandCode.verifySignature
    public var key: KeyReference
    public var input: SignatureInput
    public var signature: [UInt8]

    public init(key: KeyReference, input: SignatureInput, signature: [UInt8]) {
        self.key = key
        self.input = input
        self.signature = signature
    }

    public func write(to writer: inout WireWriter) {
        key.write(to: &writer)
        input.write(to: &writer)
        writer.bytes(signature)
    }

    public init(from reader: inout WireReader) throws(WireError) {
        key = try KeyReference(from: &reader)
        input = try SignatureInput(from: &reader)
        signature = try reader.bytes()
    }
}

/// Takes a public key from outside into a key block under the LMK: from then on its bytes cannot be exchanged unnoticed. That
/// it belongs to whom it is said to belong, the caller has to know.
public struct ProtectPublicKey: ModuleCommand {
    public typealias Reply = WrappedKey
    public static let code = CommandCode.protectPublicKey
    /// Big-endian, without leading zeros.
    public var modulus: [UInt8]
    public var exponent: [UInt8]
    public var exportability: Exportability
    public var identity: KeyIdentity

    public init(modulus: [UInt8], exponent: [UInt8], exportability: Exportability, identity: KeyIdentity) {
        self.modulus = modulus
        self.exponent = exponent
        self.exportability = exportability
        self.identity = identity
    }

    public func write(to writer: inout WireWriter) {
        writer.bytes(modulus)
        writer.bytes(exponent)
        writer.text(String(exportability.rawValue))
        identity.write(to: &writer)
    }

    public init(from reader: inout WireReader) throws(WireError) {
        modulus = try reader.bytes()
        exponent = try reader.bytes()
        let letter = try reader.text()
        guard letter.count == 1, let exportability = Exportability(rawValue: Character(letter)) else {
            throw .valueInvalid
        }
        self.exportability = exportability
        identity = try KeyIdentity(from: &reader)
    }
}
