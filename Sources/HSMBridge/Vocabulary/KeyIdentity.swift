/// Who a key is: issuer (发卡行), key product (密钥产品), application key (应用密钥) and version.
///
/// The text form `issuer/product/label/NN` is bound into the key block under the LMK, so that a row that was moved, renamed or
/// given another version in SQL does not open. Each part is short ASCII because a key block is ASCII.
public struct KeyIdentity: Sendable, Hashable, CustomStringConvertible {
    public let issuer: String
    public let product: String
    public let label: String
    /// 1 to 99, also the key version number of the X9.143 header.
    public let version: Int

    /// Nil where a part is empty, longer than 24 characters, or has a character outside `A–Z a–z 0–9 . _ -`.
    public init?(issuer: String, product: String, label: String, version: Int) {
        for part in [issuer, product, label] where !Self.isValidPart(part) { return nil }
        guard (1...99).contains(version) else { return nil }
        self.issuer = issuer
        self.product = product
        self.label = label
        self.version = version
    }

    /// From `issuer/product/label/NN`.
    public init?(_ text: String) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 4, parts[3].utf8.count == 2, let version = Int(parts[3]) else { return nil }
        self.init(issuer: parts[0], product: parts[1], label: parts[2], version: version)
    }

    public var description: String { "\(issuer)/\(product)/\(label)/\(versionText)" }

    /// Two decimal digits.
    public var versionText: String { version < 10 ? "0\(version)" : String(version) }

    /// Issuer of the keys that are made for a host and stored nowhere; nobody else's code.
    public static let hostIssuer = "host"

    /// The rule for each of issuer code, product code and label.
    public static func isValidPart(_ part: String) -> Bool {
        (1...24).contains(part.utf8.count)
            && part.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-"):
                    true
                default: false
                }
            }
    }
}
