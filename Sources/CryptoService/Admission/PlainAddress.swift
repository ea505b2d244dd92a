public import KMS

/// Addresses whose plain connections are taken, and as which client: `192.0.2.0/24=pos-front`, or `192.0.2.7` for the usual one.
public struct PlainAddress: Sendable, Hashable {
    public let range: AddressRange
    /// Nil: `crypto.plainClient`.
    public let client: String?

    public init(_ range: AddressRange, client: String? = nil) {
        self.range = range
        self.client = client
    }

    /// Nil where it is misspelt.
    public init?(_ text: String) {
        let parts = text.split(separator: "=", omittingEmptySubsequences: false).map(String.init)
        guard (1...2).contains(parts.count), let range = AddressRange(parts[0]), parts.last?.isEmpty == false else {
            return nil
        }
        self.init(range, client: parts.count == 2 ? parts[1] : nil)
    }

    /// The client of a plain connection from `address`: the longest range decides, then loopback is the usual client.
    static func client(at address: SourceAddress, _ rules: [PlainAddress], usual: String) -> String? {
        let match = rules.filter { $0.range.contains(address) }.max { $0.range.bits < $1.range.bits }
        if let match { return match.client ?? usual }
        return address.isLoopback ? usual : nil
    }
}
