import HSMBridge

struct OpenedKeyBlock: ~Copyable {
    let header: KeyBlockHeader
    let algorithm: KeyAlgorithm
    let key: SecretBytes
}
final class KeyBlockKey: Sendable {
    let version: KeyBlockHeader.Version
    let strengthBits: Int
    init(_ key: borrowing SecretBytes, version: KeyBlockHeader.Version) throws(KeyBlockError) { throw .versionMismatch }
    func unwrap(_ block: String) throws(KeyBlockError) -> OpenedKeyBlock { throw .versionMismatch }
    func unwrap(_ block: [UInt8]) throws(KeyBlockError) -> OpenedKeyBlock { throw .versionMismatch }
    func wrap(_ key: borrowing SecretBytes, header: KeyBlockHeader) throws(KeyBlockError) -> String { throw .versionMismatch }
}
enum KeyWeakness: Sendable, Hashable {
    case desWeak, desSemiWeak, halvesEqual, constantBytes, vendorDefault(String)
    var moduleError: ModuleError { if case .vendorDefault = self { .knownVendorKey } else { .weakKey } }
}
enum WeakKeys {
    static func weakness(of key: borrowing SecretBytes, algorithm: KeyAlgorithm) throws(PrimitiveError) -> KeyWeakness? { throw .selfTestFailed }
}
