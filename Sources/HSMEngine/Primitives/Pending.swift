import HSMBridge

// Signatures that are being filled in; this file shrinks to nothing.
enum CipherMode: Sendable { case ecb, cbc(iv: [UInt8]) }

extension OpenKeySchedule {
    func checkValue() throws(PrimitiveError) -> KeyCheckValue { throw .selfTestFailed }
    func mac(_ algorithm: MACAlgorithm, padding: MACPadding, iv: [UInt8]? = nil, over data: Span<UInt8>, length: Int) throws(PrimitiveError) -> MACValue { throw .selfTestFailed }
    func mac(_ algorithm: MACAlgorithm, padding: MACPadding, iv: [UInt8]? = nil, over data: [UInt8], length: Int) throws(PrimitiveError) -> MACValue { throw .selfTestFailed }
    func macChaining(_ algorithm: MACAlgorithm, iv: [UInt8]? = nil, over data: Span<UInt8>) throws(PrimitiveError) -> [UInt8] { throw .selfTestFailed }
    func encipher(_ mode: CipherMode, _ data: Span<UInt8>) throws(PrimitiveError) -> [UInt8] { throw .selfTestFailed }
    func decipher(_ mode: CipherMode, _ data: Span<UInt8>) throws(PrimitiveError) -> [UInt8] { throw .selfTestFailed }
    func encipher(_ mode: CipherMode, secret: borrowing SecretBytes) throws(PrimitiveError) -> [UInt8] { throw .selfTestFailed }
    func decipherSecret(_ mode: CipherMode, _ data: Span<UInt8>) throws(PrimitiveError) -> SecretBytes { throw .selfTestFailed }
    func diversified(by factors: [UInt64]) throws(PrimitiveError) -> SecretBytes { throw .selfTestFailed }
    func opened(by factors: [UInt64]) throws(PrimitiveError) -> OpenKeySchedule { throw .selfTestFailed }
    func sessionMAC(factors: [UInt64], session: UInt64, data: Span<UInt8>) throws(PrimitiveError) -> MACValue { throw .selfTestFailed }
    func tac(factors: [UInt64], data: Span<UInt8>) throws(PrimitiveError) -> MACValue { throw .selfTestFailed }
    func lineMAC(factors: [UInt64], challenge: [UInt8], data: Span<UInt8>) throws(PrimitiveError) -> MACValue { throw .selfTestFailed }
    func lineEncipher(factors: [UInt64], header: [UInt8], secret: borrowing SecretBytes) throws(PrimitiveError) -> [UInt8] { throw .selfTestFailed }
    func lineEncipher(factors: [UInt64], data: Span<UInt8>) throws(PrimitiveError) -> [UInt8] { throw .selfTestFailed }
    func authenticate(factors: [UInt64], challenge: [UInt8]) throws(PrimitiveError) -> [UInt8] { throw .selfTestFailed }
    func pinReloadMAC(factors: [UInt64], pin: Span<UInt8>) throws(PrimitiveError) -> MACValue { throw .selfTestFailed }
    func unionPayMAC(over data: Span<UInt8>) throws(PrimitiveError) -> MACValue { throw .selfTestFailed }
    func verifyTACs(_ records: Span<UInt8>, layout: TACRecordLayout) throws(PrimitiveError) -> [UInt8] { throw .selfTestFailed }
}
enum SecureRandom {
    static func secret(count: Int) throws(PrimitiveError) -> SecretBytes { throw .selfTestFailed }
    static func bytes(count: Int) throws(PrimitiveError) -> [UInt8] { throw .selfTestFailed }
    static func fill(_ span: inout MutableSpan<UInt8>) throws(PrimitiveError) { throw .selfTestFailed }
    static func restart() throws(PrimitiveError) {}
    static var isHealthy: Bool { true }
}
enum KeyMaterial { static func generate(_ algorithm: KeyAlgorithm) throws(PrimitiveError) -> SecretBytes { throw .selfTestFailed } }
enum DESParity {
    static func adjust(_ key: inout SecretBytes) {}
    static func isOdd(_ key: borrowing SecretBytes) -> Bool { false }
}
extension KeyCheckValue {
    static func calculate(_ key: borrowing SecretBytes, algorithm: KeyAlgorithm) throws(PrimitiveError) -> KeyCheckValue { throw .selfTestFailed }
}
struct RSAKeyPair: ~Copyable { let privateKey: SecretBytes; let publicKey: [UInt8]; let bits: Int }
enum RSAExponent: Sendable { case three, f4 }
enum RSA {
    static func generate(bits: Int, exponent: RSAExponent = .f4) throws(PrimitiveError) -> RSAKeyPair { throw .selfTestFailed }
    static func load(_ der: borrowing SecretBytes) throws(PrimitiveError) -> RSAKeyPair { throw .selfTestFailed }
    static func sign(_ message: Span<UInt8>, _ digest: DigestAlgorithm, with privateKey: borrowing SecretBytes) throws(PrimitiveError) -> [UInt8] { throw .selfTestFailed }
    static func verify(_ signature: Span<UInt8>, of message: Span<UInt8>, _ digest: DigestAlgorithm, publicKey: [UInt8]) throws(PrimitiveError) -> Bool { throw .selfTestFailed }
    static func applyPrivate(_ block: Span<UInt8>, with privateKey: borrowing SecretBytes) throws(PrimitiveError) -> [UInt8] { throw .selfTestFailed }
    static func applyPublic(_ block: Span<UInt8>, publicKey: [UInt8]) throws(PrimitiveError) -> [UInt8] { throw .selfTestFailed }
    static func components(ofPublicKey: [UInt8]) throws(PrimitiveError) -> (modulus: [UInt8], exponent: [UInt8]) { throw .selfTestFailed }
    static func publicKey(modulus: [UInt8], exponent: [UInt8]) throws(PrimitiveError) -> [UInt8] { throw .selfTestFailed }
    static func checkValue(ofPublicKey: [UInt8]) throws(PrimitiveError) -> KeyCheckValue { throw .selfTestFailed }
}
