import COpenSSL
import HSMBridge

// PBOC diversification (密钥分散): DK = 3DES(MK, X) | 3DES(MK, ~X), or SM4(MK, X | ~X), for each factor in turn.
// Source: facts/domain.md 3.1, 3.2; the derived bytes keep the parity that comes out.
extension OpenKeySchedule {
    /// The derived key's 16 bytes. `factors`: 1 to `DerivedKey.maximumLevels`.
    func diversified(by factors: [UInt64]) throws(PrimitiveError) -> SecretBytes {
        guard !factors.isEmpty else { throw .parameterInvalid }
        try checkLevels(factors.count)
        var result = try SecretBytes(count: 16)
        switch self {
        case .narrow(let schedule):
            try DerivationScratch.with { scratch throws(PrimitiveError) in
                scratch.derive(schedule.keys, factors.span)
                scratch.copyDerived(to: &result)
            }
        case .wide(let schedule):
            var block = try Self.deriveWide(schedule, factors.span)
            result.withMutableBytes { span in
                unsafe span.withUnsafeMutableBytes { unsafe $0.storeBytes(of: block, as: Block16.self) }
            }
            block.wipe()
        }
        return result
    }

    /// A derived key opened for many uses (line protection while a card is made); itself without factors.
    func opened(by factors: [UInt64]) throws(PrimitiveError) -> OpenKeySchedule {
        if factors.isEmpty { return self }
        let derived = try diversified(by: factors)
        return try OpenKeySchedule(derived, algorithm: algorithm)
    }

    /// Two-key TDES and SM4 diversify; a key of any kind serves as itself.
    func checkLevels(_ count: Int) throws(PrimitiveError) {
        guard count <= DerivedKey.maximumLevels else { throw .parameterInvalid }
        guard count == 0 || algorithm == .tripleDES2 || algorithm == .sm4 else { throw .algorithmNotPermitted }
    }

    /// The derived SM4 key as a block; the caller wipes it.
    static func deriveWide(_ schedule: WideSchedule, _ factors: Span<UInt64>) throws(PrimitiveError) -> Block16 {
        var block = Block16.zero
        for index in 0..<factors.count {
            let key = block
            block = Block16(factor: factors[index])
            if index == 0 {
                try schedule.withEncryptor { cipher throws(PrimitiveError) in try cipher.encrypt(&block) }
            } else {
                try WideSchedule.withTransient(key, .sm4) { cipher throws(PrimitiveError) in try cipher.encrypt(&block)
                }
            }
        }
        return block
    }

    /// Lends the SM4 or AES key that the factors lead to.
    static func withDerivedWide<R>(
        _ schedule: WideSchedule, _ factors: [UInt64], _ body: (BlockEncryptor) throws(PrimitiveError) -> R
    ) throws(PrimitiveError) -> R {
        if factors.isEmpty { return try schedule.withEncryptor(body) }
        var block = try deriveWide(schedule, factors.span)
        defer { block.wipe() }
        return try WideSchedule.withTransient(block, .sm4, body)
    }

    /// Lends the DES key that the factors lead to.
    @inline(__always)
    static func withDerivedNarrow<R>(
        _ schedule: DESSchedule, _ factors: Span<UInt64>,
        _ body: (DESKeys, DerivationScratch) throws(PrimitiveError) -> R
    ) throws(PrimitiveError) -> R {
        try DerivationScratch.with { scratch throws(PrimitiveError) in
            if factors.isEmpty { return try body(schedule.keys, scratch) }
            scratch.derive(schedule.keys, factors)
            return try body(scratch.expandDerived(), scratch)
        }
    }
}

extension Block16 {
    /// X | ~X.
    init(factor: UInt64) { self.init(left: Block8(number: factor), right: ~Block8(number: factor)) }

    mutating func wipe() { unsafe OPENSSL_cleanse(&self, 16) }
}
