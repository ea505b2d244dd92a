/// A digest with the name of its hash function, as it stands in a PKCS#1 v1.5 signature (RFC 8017 9.2, note 1): the only thing
/// that a caller who hashes for himself may have signed. Anything else could be a signature that was never asked for.
struct DigestInfo {
    let algorithm: DigestAlgorithm
    let digest: [UInt8]

    /// Nil where the bytes are not exactly one of the five forms.
    init?(parsing bytes: [UInt8]) {
        let found = Self.prefixes.first { algorithm, prefix in
            bytes.count == prefix.count + algorithm.length && bytes.starts(with: prefix)
        }
        guard let (algorithm, prefix) = found else { return nil }
        self.algorithm = algorithm
        digest = Array(bytes[prefix.count...])
    }

    /// SEQUENCE { SEQUENCE { OBJECT IDENTIFIER, NULL }, OCTET STRING }, all but the digest.
    private static let prefixes: [(DigestAlgorithm, [UInt8])] = [
        (.sha1, [0x30, 0x21, 0x30, 0x09, 0x06, 0x05, 0x2B, 0x0E, 0x03, 0x02, 0x1A, 0x05, 0x00, 0x04, 0x14]),
        (.sha224, sha2(0x04, 28)), (.sha256, sha2(0x01, 32)), (.sha384, sha2(0x02, 48)), (.sha512, sha2(0x03, 64)),
    ]

    private static func sha2(_ number: UInt8, _ length: UInt8) -> [UInt8] {
        [
            0x30, 17 + length, 0x30, 0x0D, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, number, 0x05,
            0x00,
            0x04, length,
        ]
    }
}
