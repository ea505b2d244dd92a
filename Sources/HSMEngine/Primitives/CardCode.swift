import HSMBridge

// Card verification value. Source: facts/domain.md 3.4; vector cvv.1.
extension OpenKeySchedule {
    /// Three ASCII digits under a two-key TDES key. `digits`: ASCII, at most 32.
    func cardCode(over digits: Span<UInt8>) throws(PrimitiveError) -> MACValue {
        guard case .narrow(let schedule) = self, schedule.algorithm == .tripleDES2 else { throw .algorithmNotPermitted }
        guard digits.count <= 32 else { throw .dataLengthInvalid }
        var numbers: (UInt64, UInt64) = (0, 0)
        for index in 0..<32 {
            let digit = index < digits.count ? digits[index] &- 0x30 : 0
            guard digit < 10 else { throw .parameterInvalid }
            if index < 16 {
                numbers.0 = numbers.0 << 4 | UInt64(digit)
            } else {
                numbers.1 = numbers.1 << 4 | UInt64(digit)
            }
        }
        var state = Block8(number: numbers.0)
        unsafe DESKeys.single(&state, schedule.keys.first)
        state ^= Block8(number: numbers.1)
        schedule.keys.encrypt(&state)
        return Self.decimalised(state.number)
    }

    /// The decimal digits in their order, then the others less ten; the first three.
    private static func decimalised(_ value: UInt64) -> MACValue {
        var text = InlineArray<16, UInt8>(repeating: 0)
        var count = 0
        for isLetter in [false, true] {
            for index in 0..<16 {
                let digit = UInt8(truncatingIfNeeded: value >> UInt64(60 - 4 * index)) & 15
                guard (digit > 9) == isLetter else { continue }
                text[count] = 0x30 + (isLetter ? digit - 10 : digit)
                count += 1
            }
        }
        return MACValue(Block8(leading: text.span.extracting(0..<3)), count: 3)
    }
}
