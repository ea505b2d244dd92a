import HSMBridge

// The "ECB" MAC of UnionPay POS messages, field 64. Source: facts/domain.md 5.3; SM4 by analogy (inferred).
extension OpenKeySchedule {
    /// Eight ASCII hexadecimal digits: xor of the zero-padded blocks, written as hexadecimal text; its first half enciphered,
    /// xored with the second half, enciphered again; the first eight digits of that. A TDES key enciphers with all of itself.
    func unionPayMAC(over data: Span<UInt8>) throws(PrimitiveError) -> MACValue {
        guard !data.isEmpty else { throw .dataLengthInvalid }
        switch self {
        case .narrow(let schedule):
            var folded: Block8 = 0
            for offset in stride(from: 0, to: data.count, by: 8) { folded ^= Block8(leading: data, from: offset) }
            let text = folded.hexDigits
            var state = text.left
            schedule.keys.encrypt(&state)
            state ^= text.right
            schedule.keys.encrypt(&state)
            return MACValue(state.hexDigits.left, count: 8)
        case .wide(let schedule):
            guard schedule.algorithm == .sm4 else { throw .algorithmNotPermitted }
            var folded = Block16.zero
            for offset in stride(from: 0, to: data.count, by: 16) { folded ^= Block16(leading: data, from: offset) }
            let text = MACValue(folded, count: 16).hexText
            let state = try schedule.withEncryptor { cipher throws(PrimitiveError) in
                var state = Block16(leading: text.span)
                try cipher.encrypt(&state)
                state ^= Block16(leading: text.span, from: 16)
                try cipher.encrypt(&state)
                return state
            }
            return Self.digits(MACValue(state, count: 4))
        }
    }

    private static func digits(_ value: MACValue) -> MACValue {
        MACValue(Block8(leading: value.hexText.span), count: 8)
    }
}

extension Block8 {
    /// The block as sixteen upper-case hexadecimal digits in ASCII: those of its first four bytes and of its last four. By
    /// arithmetic alone, for a MAC is written so as well as a message.
    var hexDigits: (left: Block8, right: Block8) {
        (Self.digits(number >> 32), Self.digits(number & 0xFFFF_FFFF))
    }

    /// Eight digits of a number below 2^32.
    @inline(__always)
    private static func digits(_ number: UInt64) -> Block8 {
        var nibbles = (number << 16 | number) & 0x0000_FFFF_0000_FFFF
        nibbles = (nibbles << 8 | nibbles) & 0x00FF_00FF_00FF_00FF
        nibbles = (nibbles << 4 | nibbles) & 0x0F0F_0F0F_0F0F_0F0F
        // 1 in each byte from ten on, whose digits are letters and stand seven further on.
        let letters = (nibbles &+ 0x0606_0606_0606_0606) >> 4 & 0x0101_0101_0101_0101
        return Block8(number: nibbles &+ 0x3030_3030_3030_3030 &+ letters &* 7)
    }
}
