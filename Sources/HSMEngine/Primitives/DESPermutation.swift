/// The initial and final permutation of DES (FIPS 46-3), apart from its rounds.
///
/// Between two encipherments of a chain the final permutation of one and the initial one of the next cancel, and both go
/// through xor. So a chain stays "inside": permuted once on the way in for each block of data, once on the way out at its end;
/// `DES_encrypt2` are the rounds alone. Bits are exchanged between the block's two words with a shift and a mask, which makes
/// no access to memory depend on them.
enum DESPermutation {
    @inline(__always)
    static func initial(_ block: Block8) -> Block8 {
        var left = UInt32(truncatingIfNeeded: block)
        var right = UInt32(truncatingIfNeeded: block >> 32)
        exchange(&right, &left, 4, 0x0F0F_0F0F)
        exchange(&left, &right, 16, 0x0000_FFFF)
        exchange(&right, &left, 2, 0x3333_3333)
        exchange(&left, &right, 8, 0x00FF_00FF)
        exchange(&right, &left, 1, 0x5555_5555)
        return UInt64(right) << 32 | UInt64(left)
    }

    /// The inverse of `initial`.
    @inline(__always)
    static func final(_ block: Block8) -> Block8 {
        var left = UInt32(truncatingIfNeeded: block)
        var right = UInt32(truncatingIfNeeded: block >> 32)
        exchange(&right, &left, 1, 0x5555_5555)
        exchange(&left, &right, 8, 0x00FF_00FF)
        exchange(&right, &left, 2, 0x3333_3333)
        exchange(&left, &right, 16, 0x0000_FFFF)
        exchange(&right, &left, 4, 0x0F0F_0F0F)
        return UInt64(right) << 32 | UInt64(left)
    }

    /// Exchanges the bits of `b` under the mask with those of `a` that stand `shift` higher. Its own inverse.
    @inline(__always)
    private static func exchange(_ a: inout UInt32, _ b: inout UInt32, _ shift: UInt32, _ mask: UInt32) {
        let difference = (a >> shift ^ b) & mask
        b ^= difference
        a ^= difference << shift
    }
}
