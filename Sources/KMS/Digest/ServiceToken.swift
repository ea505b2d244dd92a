internal import HSMBridge

/// A client's token as it is shown once: `kmsd_` | 8 hexadecimal digits that name it | `_` | 64 hexadecimal digits.
///
/// The named part stands in lists and in the table, so that people can say which token they mean; the secret part is 32 bytes
/// of the kernel's generator, so that a plain digest of the whole hides it. `kmsd_` is there for programs that look for secrets
/// in places where none should be.
struct ServiceToken {
    static let lead = "kmsd_"
    /// Tokens made before they had a name: the secret part alone, named by the beginning of its digest.
    private static let oldLength = 64
    private static let length = 5 + 8 + 1 + 64

    let prefix: String
    let digest: [UInt8]

    /// A new one and its text.
    static func make() -> (ServiceToken, String) {
        let prefix = String(RandomToken.make().prefix(8))
        let text = "\(lead)\(prefix)_\(RandomToken.make())"
        return (ServiceToken(prefix: prefix, digest: RandomToken.digest(text)), text)
    }

    private init(prefix: String, digest: [UInt8]) {
        self.prefix = prefix
        self.digest = digest
    }

    /// Reads what somebody presents; nil for what no token looks like.
    init?(_ text: String) {
        let bytes = text.utf8
        switch bytes.count {
        case Self.length:
            guard text.hasPrefix(Self.lead), bytes[bytes.index(bytes.startIndex, offsetBy: 13)] == 0x5F else {
                return nil
            }
            prefix = String(decoding: bytes.dropFirst(5).prefix(8), as: UTF8.self)
            digest = RandomToken.digest(text)
        case Self.oldLength:
            digest = RandomToken.digest(text)
            prefix = Hex.encode(digest.prefix(4))
        default: return nil
        }
    }

    /// Looks at every byte whatever the first ones say, so that the time of an answer tells nothing about a stored digest.
    @inline(never)
    static func areEqual(_ left: [UInt8], _ right: [UInt8]) -> Bool {
        guard left.count == right.count else { return false }
        var difference: UInt8 = 0
        for index in left.indices { difference |= left[index] ^ right[index] }
        return difference == 0
    }
}
