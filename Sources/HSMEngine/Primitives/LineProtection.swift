import HSMBridge

// Line protection of card commands (线路保护, secure messaging). Source: facts/domain.md 2.5.
//
// The two padding rules differ: the MAC always gets 80 00…, the cipher only where Ld | data is not whole blocks already.
extension OpenKeySchedule {
    /// MAC of 4 bytes over `CLA INS P1 P2 Lc | data`. `challenge`: 4 bytes of the card's GET CHALLENGE (zeros fill the block),
    /// or a whole block. Two-key TDES: retail MAC; 8-byte key: DES CBC; SM4: SM4 CBC, no folding.
    func lineMAC(
        factors: [UInt64], challenge: [UInt8], data: Span<UInt8>
    ) throws(PrimitiveError) -> MACValue {
        try checkLevels(factors.count)
        try checkChallenge(challenge)
        switch self {
        case .narrow(let schedule):
            let iv = Block8(leading: challenge.span)
            return try Self.withDerivedNarrow(schedule, factors.span) { keys, _ throws(PrimitiveError) in
                MACValue(NarrowMAC.retail(keys, iv: iv, padding: .method2, data), count: 4)
            }
        case .wide(let schedule):
            let iv = Block16(leading: challenge.span)
            return try Self.withDerivedWide(schedule, factors) { cipher throws(PrimitiveError) in
                MACValue(try WideMAC.chain(cipher, iv: iv, padding: .method2, data), count: 4)
            }
        }
    }

    /// The cipher text of `Ld | header | secret`, ECB: the WRITE KEY payload of every COS profile (13 | usage version algorithm |
    /// key for a PSAM; header empty for a PIN). Ld counts header and secret, so both together have at most 255 bytes.
    func lineEncipher(
        factors: [UInt64], header: [UInt8], secret: borrowing SecretBytes
    ) throws(PrimitiveError) -> [UInt8] {
        let plain = try secret.withBytes { bytes throws(PrimitiveError) in try linePlain(header.span, bytes) }
        return try lineEncipher(plain, factors)
    }

    /// The same for data that is no key.
    func lineEncipher(factors: [UInt64], data: Span<UInt8>) throws(PrimitiveError) -> [UInt8] {
        let plain = try linePlain(data, [UInt8]().span)
        return try lineEncipher(plain, factors)
    }

    /// The answer to a card's challenge, or to ours for a card: one block enciphered with the whole key (EXTERNAL and INTERNAL
    /// AUTHENTICATE). A 4-byte challenge is filled with zeros.
    func authenticate(factors: [UInt64], challenge: [UInt8]) throws(PrimitiveError) -> [UInt8] {
        try checkLevels(factors.count)
        try checkChallenge(challenge)
        switch self {
        case .narrow(let schedule):
            return try Self.withDerivedNarrow(schedule, factors.span) { keys, _ throws(PrimitiveError) in
                var block = Block8(leading: challenge.span)
                keys.encrypt(&block)
                return MACValue(block, count: 8).bytes
            }
        case .wide(let schedule):
            return try Self.withDerivedWide(schedule, factors) { cipher throws(PrimitiveError) in
                var block = Block16(leading: challenge.span)
                try cipher.encrypt(&block)
                return MACValue(block, count: 16).bytes
            }
        }
    }

    /// Ld | a | b | 80 00… where needed.
    private func linePlain(_ a: Span<UInt8>, _ b: Span<UInt8>) throws(PrimitiveError) -> SecretBytes {
        let length = a.count + b.count
        guard length <= 255 else { throw .dataLengthInvalid }
        let filled = length + 1
        let padded = (filled + blockLength - 1) / blockLength * blockLength
        var plain = try SecretBytes(count: padded)
        plain.withMutableBytes { span in
            span[0] = UInt8(length)
            for index in 0..<a.count { span[1 + index] = a[index] }
            for index in 0..<b.count { span[1 + a.count + index] = b[index] }
            if padded > filled { span[filled] = 0x80 }
        }
        return plain
    }

    private func lineEncipher(_ plain: borrowing SecretBytes, _ factors: [UInt64]) throws(PrimitiveError) -> [UInt8] {
        try checkLevels(factors.count)
        return try opened(by: factors).encipher(.ecb, secret: plain)
    }

    private func checkChallenge(_ challenge: [UInt8]) throws(PrimitiveError) {
        let allowed = blockLength == 8 ? [4, 8] : [4, 8, 16]
        guard allowed.contains(challenge.count) else { throw .parameterInvalid }
    }
}
