/// MACs with a 16-byte block cipher (AES, SM4).
enum WideMAC {
    /// CBC over the padded message, from `iv`; the last block of the chain.
    static func chain(
        _ cipher: BlockEncryptor, iv: Block16, padding: MACPadding, _ data: Span<UInt8>
    ) throws(PrimitiveError) -> Block16 {
        var state = iv
        if padding == .method3 {
            state ^= Block16(left: 0, right: Block8(number: UInt64(data.count) &* 8))
            try cipher.encrypt(&state)
        }
        let whole = data.count / 16
        for index in 0..<whole {
            state ^= Block16(leading: data, from: 16 * index)
            try cipher.encrypt(&state)
        }
        let rest = data.count & 15
        let tail = Block16(leading: data, from: 16 * whole)
        let isNeeded =
            switch padding {
            case .none: false
            case .method1: rest > 0 || whole == 0
            case .method2: true
            case .method3: rest > 0
            }
        guard isNeeded else { return state }
        state ^= padding == .method2 ? marked(tail, rest) : tail
        try cipher.encrypt(&state)
        return state
    }

    static func cmac(
        _ schedule: WideSchedule, _ cipher: BlockEncryptor, iv: Block16, _ data: Span<UInt8>
    ) throws(PrimitiveError) -> Block16 {
        let rest = data.count & 15
        let isWhole = rest == 0 && !data.isEmpty
        let lastLength = isWhole ? 16 : rest
        let head = data.extracting(0..<data.count - lastLength)
        var state = try chain(cipher, iv: iv, padding: .none, head)
        let last = Block16(leading: data, from: data.count - lastLength)
        state ^= (isWhole ? last : marked(last, rest)) ^ schedule.subkey(whole: isWhole)
        try cipher.encrypt(&state)
        return state
    }

    /// The padding bit after `count` bytes.
    private static func marked(_ block: Block16, _ count: Int) -> Block16 {
        var block = block
        if count < 8 {
            block.left |= 0x80 << UInt64(8 * count)
        } else {
            block.right |= 0x80 << UInt64(8 * (count - 8))
        }
        return block
    }
}
