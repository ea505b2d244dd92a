internal import CArgon2

/// An Argon2id hash in the PHC form `$argon2id$v=19$m=…,t=…,p=…$salt$hash` (RFC 9106), safe to store.
public struct PasswordHash: Sendable, Hashable {
    public let text: String

    /// The costs of new hashes: 19 MiB, two passes, one lane (OWASP's least); 61 ms on the machine of the measurements.
    static let memoryKiB: UInt32 = 19 * 1_024
    static let passes: UInt32 = 2
    static let lanes: UInt32 = 1
    static let saltLength = 16
    static let hashLength = 32

    init(stored text: String) { self.text = text }

    /// Hashes with a new random salt; slow, so never on a cooperative thread (`PasswordVerifier`).
    init(of password: borrowing Password) throws(KMSError) {
        var generator = SystemRandomNumberGenerator()
        let salt = (0..<Self.saltLength).map { _ in UInt8.random(in: 0...255, using: &generator) }
        var encoded = [CChar](repeating: 0, count: 256)
        let result = unsafe password.withBytes { bytes in
            unsafe argon2id_hash_encoded(
                Self.passes, Self.memoryKiB, Self.lanes, bytes.baseAddress, bytes.count, salt, salt.count,
                Self.hashLength, &encoded, encoded.count)
        }
        guard result == ARGON2_OK.rawValue else { throw .internalFault("argon2 \(result)") }
        text = String(decoding: encoded.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// Whether the password is the one; the library compares in constant time.
    func matches(_ password: borrowing Password) -> Bool {
        unsafe password.withBytes { bytes in
            unsafe argon2id_verify(text, bytes.baseAddress, bytes.count) == ARGON2_OK.rawValue
        }
    }

    /// Of a password that nobody has: checked for unknown names, so that they take the same time.
    static let ofNobody = PasswordHash(
        stored: "$argon2id$v=19$m=19456,t=2,p=1$a21zZC1ub2JvZHktc2FsdA$"
            + "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")
}
