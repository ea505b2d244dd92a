/// Which part of a message this is: field 1 of M6 and M8.
public enum HostMACMode: UInt8, Sendable, Hashable, CaseIterable {
    /// `0`: the whole message.
    case only = 0x30
    /// `1`: the first part; answered with the chaining value.
    case first
    /// `2`: a middle part; brings a chaining value and is answered with one.
    case middle
    /// `3`: the last part; brings a chaining value.
    case last

    /// True when the request carries the chaining value of the part before.
    public var bringsChainingValue: Bool { self == .middle || self == .last }
    /// True when the answer is a chaining value and not a MAC.
    public var isContinued: Bool { self == .first || self == .middle }
}

/// How much of the MAC is given: field 3. The raw value is the character.
public enum HostMACSize: UInt8, Sendable, Hashable, CaseIterable {
    /// `0`: the left four bytes, 8 digits.
    case fourBytes = 0x30
    /// `1`: eight bytes, 16 digits.
    case eightBytes
    /// `2`: sixteen bytes, 32 digits, with AES and SM4 keys (number from memory of the field's manuals, unverified).
    case sixteenBytes

    public var bytes: Int {
        switch self {
        case .fourBytes: 4
        case .eightBytes: 8
        case .sixteenBytes: 16
        }
    }
}

/// Field 4.
public enum HostMACAlgorithm: UInt8, Sendable, Hashable, CaseIterable {
    /// `1`: ISO 9797-1 algorithm 1, CBC-MAC.
    case algorithm1 = 0x31
    /// `3`: ISO 9797-1 algorithm 3, the retail MAC of X9.19.
    case algorithm3 = 0x33
    /// `5`: CBC-MAC with AES (number from memory of the field's manuals, unverified).
    case cbcMAC = 0x35
    /// `6`: CMAC (likewise).
    case cmac = 0x36
}

/// Field 5: ISO 9797-1 clause 6.3.
public enum HostMACPadding: UInt8, Sendable, Hashable, CaseIterable {
    case none = 0x30
    /// Zeros, none when aligned.
    case method1
    /// X'80' and zeros, always: also the PBOC custom.
    case method2
    /// A block with the length before, zeros behind.
    case method3
}

/// A MAC of four, eight or sixteen bytes as it stands on the wire; deliberately not `Equatable`: MACs are compared in the
/// security module, in constant time.
public struct HostMAC: Sendable {
    /// The first eight bytes (or all, if there are four) as a big-endian number.
    public let value: UInt64
    /// The other eight of sixteen bytes; else zero.
    public let rest: UInt64
    public let size: HostMACSize

    /// Nil unless there are four, eight or sixteen bytes.
    public init?(_ bytes: [UInt8]) {
        switch bytes.count {
        case 4: size = .fourBytes
        case 8: size = .eightBytes
        case 16: size = .sixteenBytes
        default: return nil
        }
        value = bytes.prefix(8).reduce(0) { $0 << 8 | UInt64($1) }
        rest = bytes.dropFirst(8).reduce(0) { $0 << 8 | UInt64($1) }
    }

    init(value: UInt64, rest: UInt64 = 0, size: HostMACSize) {
        self.value = value
        self.rest = rest
        self.size = size
    }

    public var bytes: [UInt8] {
        (0..<size.bytes).map { index in
            let number = index < 8 ? value : rest
            let last = min(size.bytes, 8) - 1
            return UInt8(truncatingIfNeeded: number >> UInt64(8 * (last - (index & 7))))
        }
    }
}
