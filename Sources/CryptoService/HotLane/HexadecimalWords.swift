/// Hexadecimal digits to bytes, eight digits a step, without branches or tables: the time does not depend on the digits.
enum HexadecimalWords {
    /// The four bytes that eight digits stand for, both as words in memory order (little-endian); nil where one is no digit.
    @inline(__always)
    static func bytes(of digits: UInt64) -> UInt32? {
        let high: UInt64 = 0x8080_8080_8080_8080
        // Each byte is below 0x80, so that no addition carries into the next; its highest bit then says "at least".
        let letters = digits | 0x2020_2020_2020_2020
        let isNumber = (digits &+ 0x5050_5050_5050_5050) & ~(digits &+ 0x4646_4646_4646_4646)
        let isLetter = (letters &+ 0x1F1F_1F1F_1F1F_1F1F) & ~(letters &+ 0x1919_1919_1919_1919)
        guard digits & high == 0, (isNumber | isLetter) & high == high else { return nil }
        // 'A' and 'a' have the low half 1 and bit 6: nine more.
        let values = (digits & 0x0F0F_0F0F_0F0F_0F0F) &+ 9 &* (digits >> 6 & 0x0101_0101_0101_0101)
        var pairs = (values << 4 | values >> 8) & 0x00FF_00FF_00FF_00FF
        pairs = (pairs | pairs >> 8) & 0x0000_FFFF_0000_FFFF
        return UInt32(truncatingIfNeeded: pairs | pairs >> 16)
    }

    /// Decodes `2 * count` digits into `count` bytes; false where one is no digit, and what was written then counts for nothing.
    @inline(__always) @unsafe
    static func decode(
        _ digits: UnsafeRawPointer, into bytes: UnsafeMutableRawPointer, count: Int
    ) -> Bool {
        var done = 0
        while count - done >= 4 {
            let word = unsafe UInt64(littleEndian: (digits + 2 * done).loadUnaligned(as: UInt64.self))
            guard let four = Self.bytes(of: word) else { return false }
            unsafe (bytes + done).storeBytes(of: four.littleEndian, as: UInt32.self)
            done += 4
        }
        while done < count {
            // Two digits, with zeros in the other places of the word.
            let two = unsafe UInt16(littleEndian: (digits + 2 * done).loadUnaligned(as: UInt16.self))
            guard let four = Self.bytes(of: 0x3030_3030_3030_0000 | UInt64(two)) else { return false }
            unsafe (bytes + done).storeBytes(of: UInt8(truncatingIfNeeded: four), as: UInt8.self)
            done += 1
        }
        return true
    }
}
