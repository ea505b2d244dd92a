/// MACs with an 8-byte block cipher over pointers; nothing here allocates or throws.
enum NarrowMAC {
    /// How each block of the chain is enciphered.
    enum Chain { case single, whole }

    /// CBC over the padded message, from `iv`; the last block of the chain. `padding == .none`: whole blocks only, the rest is
    /// left out (the caller has checked).
    @inline(__always)
    static func chain(
        _ keys: DESKeys, _ chain: Chain, iv: Block8, padding: MACPadding, _ data: Span<UInt8>
    ) -> Block8 {
        DESPermutation.final(inside(keys, chain, iv: iv, padding: padding, data))
    }

    /// ISO 9797-1 algorithm 3: the chain under K1, then deciphered with K2 and enciphered with K1 (K3 of a 24-byte key).
    @inline(__always)
    static func retail(_ keys: DESKeys, iv: Block8, padding: MACPadding, _ data: Span<UInt8>) -> Block8 {
        var state = inside(keys, .single, iv: iv, padding: padding, data)
        if !keys.isSingle {
            unsafe DESKeys.rounds(&state, keys.second, decrypting: true)
            unsafe DESKeys.rounds(&state, keys.third)
        }
        return DESPermutation.final(state)
    }

    /// `chain` before its final permutation.
    @inline(__always)
    private static func inside(
        _ keys: DESKeys, _ chain: Chain, iv: Block8, padding: MACPadding, _ data: Span<UInt8>
    ) -> Block8 {
        unsafe data.withUnsafeBytes { bytes in
            var state = DESPermutation.initial(iv)
            if padding == .method3 { step(&state, Block8(number: UInt64(bytes.count) &* 8), keys, chain) }
            let whole = bytes.count / 8
            for index in 0..<whole {
                let block = unsafe bytes.loadUnaligned(fromByteOffset: 8 * index, as: Block8.self)
                step(&state, block, keys, chain)
            }
            let rest = bytes.count & 7
            let tail = unsafe tail(bytes, rest)
            switch padding {
            case .none: break
            case .method1: if rest > 0 || whole == 0 { step(&state, tail, keys, chain) }
            case .method2: step(&state, tail | 0x80 << UInt64(8 * rest), keys, chain)
            case .method3: if rest > 0 { step(&state, tail, keys, chain) }
            }
            return state
        }
    }

    /// The last bytes that fill no block, zeros after them.
    @inline(__always)
    private static func tail(_ bytes: UnsafeRawBufferPointer, _ rest: Int) -> Block8 {
        var tail: Block8 = 0
        for index in 0..<rest {
            let byte = unsafe bytes[bytes.count - rest + index]
            tail |= UInt64(byte) << UInt64(8 * index)
        }
        return tail
    }

    @inline(__always)
    private static func step(_ state: inout Block8, _ block: Block8, _ keys: DESKeys, _ chain: Chain) {
        state ^= DESPermutation.initial(block)
        switch chain {
        case .single: unsafe DESKeys.rounds(&state, keys.first)
        case .whole: keys.rounds(&state)
        }
    }

    /// CMAC: the last block is masked with a subkey before it is enciphered.
    static func cmac(_ schedule: DESSchedule, iv: Block8, _ data: Span<UInt8>) -> Block8 {
        let rest = data.count & 7
        let isWhole = rest == 0 && !data.isEmpty
        let lastLength = isWhole ? 8 : rest
        let head = data.extracting(0..<data.count - lastLength)
        var state = chain(schedule.keys, .whole, iv: iv, padding: .none, head)
        var last = Block8(leading: data.extracting(data.count - lastLength..<data.count))
        if !isWhole { last |= 0x80 << UInt64(8 * rest) }
        state ^= last ^ schedule.subkey(whole: isWhole)
        schedule.keys.encrypt(&state)
        return state
    }
}
