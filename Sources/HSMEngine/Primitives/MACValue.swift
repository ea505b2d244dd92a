/// A message authentication code of up to 16 bytes, without heap memory.
///
/// Not Equatable on purpose, so that `==`, whose duration tells where two values differ, does not compile.
struct MACValue: Sendable {
    private let block: Block16
    let count: Int

    /// The leftmost `count` bytes of a block.
    init(_ block: Block16, count: Int) {
        self.block = block
        self.count = count
    }

    init(_ block: Block8, count: Int) { self.init(Block16(left: block, right: 0), count: count) }

    var bytes: [UInt8] {
        [UInt8](capacity: count) { output in
            for index in 0..<count { output.append(self[index]) }
        }
    }

    /// The block that the value is the beginning of, as two numbers, big-endian.
    var leading: (UInt64, UInt64) {
        let keep = UInt64.max
        let left = count >= 8 ? keep : ~(keep >> UInt64(8 * count))
        let right = count <= 8 ? 0 : count >= 16 ? keep : ~(keep >> UInt64(8 * (count - 8)))
        return (block.left.number & left, block.right.number & right)
    }

    /// The first four bytes as a big-endian number.
    var leadingWord: UInt32 { UInt32(truncatingIfNeeded: block.left.number >> 32) }

    subscript(index: Int) -> UInt8 {
        let half = index < 8 ? block.left : block.right
        return UInt8(truncatingIfNeeded: half >> UInt64(8 * (index & 7)))
    }

    /// Upper-case hexadecimal digits as ASCII, as host commands carry a MAC.
    var hexText: [UInt8] {
        var text: [UInt8] = []
        text.reserveCapacity(2 * count)
        for index in 0..<count {
            for nibble in [self[index] >> 4, self[index] & 15] {
                text.append(nibble < 10 ? 0x30 + nibble : 0x37 + nibble)
            }
        }
        return text
    }

    /// In constant time; false for another length.
    func matches(_ other: Span<UInt8>) -> Bool {
        guard other.count == count else { return false }
        var difference: UInt8 = 0
        for index in 0..<count { difference |= self[index] ^ other[index] }
        return difference == 0
    }

    func matches(_ other: [UInt8]) -> Bool { matches(other.span) }
}
