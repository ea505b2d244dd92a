// Blocks are held as integers whose memory is the block's bytes in order, so that libcrypto's DES, which reads two
// little-endian words, works on them in place.
#if !_endian(little)
    #error("DES blocks are kept as little-endian words; this port has not been written")
#endif

/// A block of 8 bytes: its memory is the block.
typealias Block8 = UInt64

extension Block8 {
    /// From a number whose big-endian form is the block (card numbers, factors, counters).
    init(number: UInt64) { self = number.bigEndian }

    /// From up to eight bytes, zeros at the right.
    init(leading bytes: Span<UInt8>, from start: Int = 0) {
        var image: UInt64 = 0
        let count = Swift.min(8, bytes.count - start)
        var index = 0
        while index < count {
            image |= UInt64(bytes[start + index]) << UInt64(8 * index)
            index += 1
        }
        self = image
    }

    /// The block as a big-endian number.
    var number: UInt64 { UInt64(bigEndian: self) }

    /// Doubling in GF(2^64), for CMAC (SP 800-38B 6.1).
    var doubled: Block8 {
        let value = number
        return Block8(number: value << 1 ^ (value >> 63) &* 0x1B)
    }
}

/// A block of 16 bytes (AES, SM4).
struct Block16: BitwiseCopyable {
    var left: Block8
    var right: Block8

    static let zero = Block16(left: 0, right: 0)

    init(left: Block8, right: Block8) {
        self.left = left
        self.right = right
    }

    /// From up to sixteen bytes, zeros at the right.
    init(leading bytes: Span<UInt8>, from start: Int = 0) {
        left = Block8(leading: bytes, from: start)
        right = bytes.count - start > 8 ? Block8(leading: bytes, from: start + 8) : 0
    }

    static func ^ (a: Block16, b: Block16) -> Block16 { Block16(left: a.left ^ b.left, right: a.right ^ b.right) }
    static func ^= (a: inout Block16, b: Block16) { a = a ^ b }

    /// Doubling in GF(2^128), for CMAC.
    var doubled: Block16 {
        let high = left.number
        let low = right.number
        return Block16(
            left: Block8(number: high << 1 | low >> 63), right: Block8(number: low << 1 ^ (high >> 63) &* 0x87))
    }
}
