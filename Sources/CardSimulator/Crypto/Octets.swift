/// Bytes that are written as upper-case hex in a card's state file.
struct Octets: Hashable, Sendable, Codable {
    var bytes: [UInt8]

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        let text = try container.decode(String.self)
        guard let bytes = [UInt8](hex: text) else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "not hex")
        }
        self.bytes = bytes
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(bytes.hex)
    }
}

extension [UInt8] {
    /// Bytes from hex digits of either case; blanks are ignored. `nil` for an odd count or any other character.
    init?(hex: some StringProtocol) {
        var nibbles: [UInt8] = []
        for character in hex.utf8 where character != 0x20 {
            switch character {
            case 0x30...0x39: nibbles.append(character - 0x30)
            case 0x41...0x46: nibbles.append(character - 0x37)
            case 0x61...0x66: nibbles.append(character - 0x57)
            default: return nil
            }
        }
        guard nibbles.count.isMultiple(of: 2) else { return nil }
        self = stride(from: 0, to: nibbles.count, by: 2).map { nibbles[$0] << 4 | nibbles[$0 + 1] }
    }

    /// Upper-case hex digits without blanks.
    var hex: String {
        let digits = Array<UInt8>("0123456789ABCDEF".utf8)
        var text: [UInt8] = []
        text.reserveCapacity(count * 2)
        for byte in self {
            text.append(digits[Int(byte >> 4)])
            text.append(digits[Int(byte & 15)])
        }
        return String(decoding: text, as: UTF8.self)
    }

    /// Eight bytes from `offset` as a big-endian number.
    func block(at offset: Int) -> UInt64 {
        self[offset..<offset + 8].reduce(0) { $0 << 8 | UInt64($1) }
    }

    /// Any number of bytes (at most 8) as a big-endian number.
    var number: UInt64 { reduce(0) { $0 << 8 | UInt64($1) } }
}

extension FixedWidthInteger where Self: UnsignedInteger {
    /// Big-endian bytes, as many as the type has.
    var bytes: [UInt8] {
        (0..<Self.bitWidth / 8).reversed().map { UInt8(truncatingIfNeeded: self >> Self($0 * 8)) }
    }
}
