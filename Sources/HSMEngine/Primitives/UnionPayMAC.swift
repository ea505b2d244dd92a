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
            let text = MACValue(folded, count: 8).hexText
            var state = Block8(leading: text.span)
            schedule.keys.encrypt(&state)
            state ^= Block8(leading: text.span, from: 8)
            schedule.keys.encrypt(&state)
            return Self.digits(MACValue(state, count: 4))
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
