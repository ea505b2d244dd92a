internal import HSMBridge

/// SHA-256 of a whole certificate (DER): what `openssl x509 -noout -fingerprint -sha256` prints.
public struct CertificateFingerprint: Sendable, Hashable, CustomStringConvertible {
    /// 32 bytes.
    public let bytes: [UInt8]

    /// Of a certificate in DER.
    public init(certificate der: [UInt8]) { bytes = SHA256.hash(der) }

    /// Nil unless there are 32 bytes.
    public init?(bytes: [UInt8]) {
        guard bytes.count == 32 else { return nil }
        self.bytes = bytes
    }

    /// From 64 hexadecimal digits in either case, with or without colons between the bytes.
    public init?(_ text: String) {
        guard text.utf8.count <= 95, let bytes = Hex.decode(text.replacing(":", with: "")) else { return nil }
        self.init(bytes: bytes)
    }

    /// 64 digits.
    public var description: String { Hex.encode(bytes) }
}

/// A certificate with which a client shows who it is. Exactly this one: a renewed certificate is added beside it.
public struct ClientCertificate: Sendable, Hashable {
    public let fingerprint: CertificateFingerprint
    /// The subject's name, for people.
    public let subject: String
    public let validity: Validity

    public init(fingerprint: CertificateFingerprint, subject: String, validity: Validity) {
        self.fingerprint = fingerprint
        self.subject = subject
        self.validity = validity
    }
}

/// What may be known of a client's token after it was shown: its first part, and its end.
public struct ClientToken: Sendable, Hashable {
    public let prefix: String
    public let until: Timestamp?
}

/// How many requests a client may send in a second, and how many at once after a pause.
public struct RequestLimit: Sendable, Hashable {
    public static let perSecondRange = 1...1_000_000
    public static let burstRange = 1...1_000_000

    public let perSecond: Int
    public let burst: Int

    /// Nil where a number is out of its range.
    public init?(perSecond: Int, burst: Int) {
        guard Self.perSecondRange.contains(perSecond), Self.burstRange.contains(burst) else { return nil }
        self.perSecond = perSecond
        self.burst = burst
    }
}
