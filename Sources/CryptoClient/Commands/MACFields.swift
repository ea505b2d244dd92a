public import NIOCore

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

/// How the message stands in the request: field 2.
public enum HostDataFormat: UInt8, Sendable, Hashable, CaseIterable {
    /// `0`: bytes.
    case binary = 0x30
    /// `1`: two hexadecimal digits a byte.
    case hexadecimal
    /// `2`: characters, taken as the bytes they are.
    case text
}

/// How much of the MAC is given: field 3. The raw value is the character.
public enum HostMACSize: UInt8, Sendable, Hashable, CaseIterable {
    /// `0`: the left four bytes, 8 digits.
    case fourBytes = 0x30
    /// `1`: eight bytes, 16 digits.
    case eightBytes

    public var bytes: Int { self == .fourBytes ? 4 : 8 }
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

/// A MAC of four or eight bytes as it stands on the wire; deliberately not `Equatable`: MACs are compared in the security
/// module, in constant time.
public struct HostMAC: Sendable {
    /// The bytes as a big-endian number.
    public let value: UInt64
    public let size: HostMACSize

    /// Nil unless there are four or eight bytes.
    public init?(_ bytes: [UInt8]) {
        switch bytes.count {
        case 4: size = .fourBytes
        case 8: size = .eightBytes
        default: return nil
        }
        value = bytes.reduce(0) { $0 << 8 | UInt64($1) }
    }

    init(value: UInt64, size: HostMACSize) {
        self.value = value
        self.size = size
    }

    public var bytes: [UInt8] {
        (0..<size.bytes).map { UInt8(truncatingIfNeeded: value >> UInt64(8 * (size.bytes - 1 - $0))) }
    }
}

/// The message of M6 or M8 with its format: a slice of the request, turned into bytes only when asked.
public struct HostMACMessage: Sendable, Hashable {
    public let format: HostDataFormat
    /// The field as it stands in the request.
    public let field: ByteBuffer
    /// What the four digits of length count where the format is hexadecimal: clients differ (docs/protocol.md §6.8).
    public let lengthCountsBytes: Bool

    /// A binary message.
    public init(_ bytes: [UInt8]) {
        self.init(format: .binary, field: ByteBuffer(bytes: bytes))
    }

    /// Bytes to be sent in the given format; for text the bytes must be characters already.
    public init(_ bytes: [UInt8], format: HostDataFormat) {
        guard format == .hexadecimal else {
            self.init(format: format, field: ByteBuffer(bytes: bytes))
            return
        }
        var field = ByteBuffer()
        field.writeHexadecimal(of: bytes)
        self.init(format: format, field: field)
    }

    init(format: HostDataFormat, field: ByteBuffer, lengthCountsBytes: Bool = false) {
        self.format = format
        self.field = field
        self.lengthCountsBytes = lengthCountsBytes
    }

    /// How many bytes the MAC is made over.
    public var count: Int { format == .hexadecimal ? field.readableBytes / 2 : field.readableBytes }

    /// The bytes the MAC is made over: for binary and text the slice itself, without a copy.
    public var content: ByteBuffer {
        guard format == .hexadecimal else { return field }
        return ByteBuffer(bytes: Hexadecimal.decode(field) ?? [])
    }

    var lengthField: Int { lengthCountsBytes ? count : field.readableBytes }
}
