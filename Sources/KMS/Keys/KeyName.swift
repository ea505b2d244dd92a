public import HSMBridge

/// An application key without its version: `issuer/product/label`.
public struct KeyName: Sendable, Hashable, CustomStringConvertible {
    public let issuer: String
    public let product: String
    public let label: String

    /// Nil where a part breaks the rule of `KeyIdentity`.
    public init?(issuer: String, product: String, label: String) {
        for part in [issuer, product, label] where !KeyIdentity.isValidPart(part) { return nil }
        self.issuer = issuer
        self.product = product
        self.label = label
    }

    /// From `issuer/product/label`.
    public init?(_ text: String) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 3 else { return nil }
        self.init(issuer: parts[0], product: parts[1], label: parts[2])
    }

    public var description: String { "\(issuer)/\(product)/\(label)" }

    /// Nil outside 1 to 99.
    public func version(_ number: Int) -> KeyIdentity? {
        KeyIdentity(issuer: issuer, product: product, label: label, version: number)
    }
}

extension KeyIdentity {
    /// The application key that this is a version of.
    public var name: KeyName {
        // The parts of an identity keep the same rule, so this never fails.
        guard let name = KeyName(issuer: issuer, product: product, label: label) else {
            preconditionFailure("the parts of a key identity are valid")
        }
        return name
    }
}
