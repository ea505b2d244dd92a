/// A key check value (密钥校验值): the only printable form of a key.
///
/// Three bytes: for DES keys the left of the encipherment of a zero block (ANSI X9.24-1, the custom of payment HSMs); for AES
/// the left of the CMAC of a zero block (X9.24-1 annex A); for SM4 the left of the encipherment of a zero block (inferred:
/// no standard fixes it). Three bytes tell two keys apart and tell nobody a key.
public struct KeyCheckValue: Sendable, Hashable, CustomStringConvertible {
    /// 24 bits.
    public let value: UInt32

    public init(_ a: UInt8, _ b: UInt8, _ c: UInt8) { value = UInt32(a) << 16 | UInt32(b) << 8 | UInt32(c) }

    /// From six hexadecimal digits.
    public init?(_ text: String) {
        guard text.utf8.count == 6, let value = UInt32(text, radix: 16) else { return nil }
        self.value = value
    }

    public var bytes: [UInt8] {
        [
            UInt8(truncatingIfNeeded: value >> 16), UInt8(truncatingIfNeeded: value >> 8),
            UInt8(truncatingIfNeeded: value),
        ]
    }

    public var description: String { Hex.encode(bytes) }
}
