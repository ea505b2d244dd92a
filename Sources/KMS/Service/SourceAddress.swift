internal import Glibc

/// Where a request comes from: an IPv4 or IPv6 address, without a port. IPv4 inside IPv6 (`::ffff:a.b.c.d`) counts as IPv4, so
/// that a rule cannot be stepped around by the other notation.
public struct SourceAddress: Sendable, Hashable {
    /// 4 or 16 bytes, in network order.
    public let bytes: [UInt8]

    /// From 4 or 16 bytes in network order; nil for any other number.
    public init?(bytes: [UInt8]) {
        switch bytes.count {
        case 4: self.bytes = bytes
        case 16:
            let isMapped = bytes[..<10].allSatisfy { $0 == 0 } && bytes[10] == 0xFF && bytes[11] == 0xFF
            self.bytes = isMapped ? Array(bytes[12...]) : bytes
        default: return nil
        }
    }

    /// From `192.0.2.7` or `2001:db8::7`; nil for anything else, names included.
    public init?(_ text: String) {
        guard text.utf8.count <= 45, !text.utf8.contains(0) else { return nil }
        var v4 = in_addr()
        if unsafe inet_pton(AF_INET, text, &v4) == 1 {
            self.init(bytes: unsafe withUnsafeBytes(of: &v4) { unsafe Array($0) })
            return
        }
        var v6 = in6_addr()
        guard unsafe inet_pton(AF_INET6, text, &v6) == 1 else { return nil }
        self.init(bytes: unsafe withUnsafeBytes(of: &v6) { unsafe Array($0) })
    }

    /// 127.0.0.0/8 and ::1.
    public var isLoopback: Bool {
        bytes.count == 4 ? bytes[0] == 127 : bytes[..<15].allSatisfy { $0 == 0 } && bytes[15] == 1
    }
}

extension SourceAddress: CustomStringConvertible {
    public var description: String {
        var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
        let family = bytes.count == 4 ? AF_INET : AF_INET6
        guard unsafe inet_ntop(family, bytes, &text, socklen_t(text.count)) != nil else { return "?" }
        return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}

/// Addresses with a common beginning: `192.0.2.0/24`, `2001:db8::/32`, or one address.
public struct AddressRange: Sendable, Hashable {
    public let address: SourceAddress
    /// Leading bits that count.
    public let bits: Int

    /// Nil where it is misspelt, or where bits behind the length are set: `10.1.2.3/24` is a mistake of somebody who means
    /// either more or less.
    public init?(_ text: String) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard (1...2).contains(parts.count), let address = SourceAddress(String(parts[0])) else { return nil }
        let longest = address.bytes.count * 8
        guard parts.count == 2 else {
            self.address = address
            bits = longest
            return
        }
        guard parts[1].utf8.count <= 3, parts[1].utf8.allSatisfy({ (0x30...0x39).contains($0) }),
            let bits = Int(parts[1]), (0...longest).contains(bits)
        else { return nil }
        self.address = address
        self.bits = bits
        for bit in bits..<longest where address.bytes[bit / 8] & (0x80 >> UInt8(bit % 8)) != 0 { return nil }
    }

    public func contains(_ other: SourceAddress) -> Bool {
        guard other.bytes.count == address.bytes.count else { return false }
        let whole = bits / 8
        guard other.bytes[..<whole] == address.bytes[..<whole] else { return false }
        guard bits % 8 != 0 else { return true }
        let mask = UInt8(truncatingIfNeeded: 0xFF00 >> (bits % 8))
        return (other.bytes[whole] ^ address.bytes[whole]) & mask == 0
    }
}

extension AddressRange: CustomStringConvertible {
    public var description: String { bits == address.bytes.count * 8 ? "\(address)" : "\(address)/\(bits)" }
}
