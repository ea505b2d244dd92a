import HSMBridge

// The calculations of the PBOC e-purse (电子钱包): MAC1, MAC2, TAC. Source: facts/domain.md 1.2; each has card logs as vectors.
//
// Under an SM4 master the same shape with 16-byte blocks: session key SM4(DK, S | ~S), the derived key itself for the TAC,
// leftmost 4 bytes (inferred: no text of the SM4 e-purse was readable).
extension OpenKeySchedule {
    /// MAC1 or MAC2: PBOC MAC of 4 bytes under the session key 3DES(DK, session), which is a DES key.
    /// `session`: the 8-byte block as a big-endian number (rand4 | seq2 | 8000 for load, rand4 | seq2 | txn2 for purchase).
    func sessionMAC(factors: [UInt64], session: UInt64, data: Span<UInt8>) throws(PrimitiveError) -> MACValue {
        try checkLevels(factors.count)
        switch self {
        case .narrow(let schedule):
            return try Self.withSession(schedule, factors.span, session) { keys throws(PrimitiveError) in
                MACValue(NarrowMAC.chain(keys, .single, iv: 0, padding: .method2, data), count: 4)
            }
        case .wide(let schedule):
            var key = Block16(factor: session)
            defer { key.wipe() }
            try Self.withDerivedWide(schedule, factors) { cipher throws(PrimitiveError) in try cipher.encrypt(&key) }
            return try WideSchedule.withTransient(key, .sm4) { cipher throws(PrimitiveError) in
                MACValue(try WideMAC.chain(cipher, iv: .zero, padding: .method2, data), count: 4)
            }
        }
    }

    /// The answer to an exchange under the card's key that the factors lead to.
    func answer(_ exchange: PurseExchange, factors: [UInt64]) throws(PrimitiveError) -> PurseAnswer {
        switch self {
        case .narrow(let schedule): return try Self.narrowAnswer(schedule, exchange, factors.span)
        case .wide:
            return try exchange.answer { message throws(PrimitiveError) in
                let bytes = message.bytes
                return try sessionMAC(factors: factors, session: exchange.session, data: bytes.span).leadingWord
            }
        }
    }

    /// `answer` under a DES key, with the factors where they lie. Session key and card key are made once for both MACs of an
    /// authorisation.
    static func narrowAnswer(
        _ schedule: DESSchedule, _ exchange: PurseExchange, _ factors: Span<UInt64>
    ) throws(PrimitiveError) -> PurseAnswer {
        try OpenKeySchedule.narrow(schedule).checkLevels(factors.count)
        return try withSession(schedule, factors, exchange.session) { keys throws(PrimitiveError) in
            exchange.answer { message in
                message.withBytes { bytes in
                    MACValue(NarrowMAC.chain(keys, .single, iv: 0, padding: .method2, bytes), count: 4).leadingWord
                }
            }
        }
    }

    /// Lends the session key 3DES(DK, session), a DES key.
    @inline(__always)
    private static func withSession<R>(
        _ schedule: DESSchedule, _ factors: Span<UInt64>, _ session: UInt64,
        _ body: (DESKeys) throws(PrimitiveError) -> R
    ) throws(PrimitiveError) -> R {
        try withDerivedNarrow(schedule, factors) { keys, scratch throws(PrimitiveError) in
            try body(scratch.expandSession(session, under: keys))
        }
    }

    /// Transaction authentication code (交易验证码), 4 bytes: PBOC MAC under left half xor right half of the card's DTK.
    func tac(factors: [UInt64], data: Span<UInt8>) throws(PrimitiveError) -> MACValue {
        try checkLevels(factors.count)
        switch self {
        case .narrow(let schedule): return try Self.foldedMAC(schedule, factors.span, data)
        case .wide(let schedule):
            return try Self.withDerivedWide(schedule, factors) { cipher throws(PrimitiveError) in
                MACValue(try WideMAC.chain(cipher, iv: .zero, padding: .method2, data), count: 4)
            }
        }
    }

    /// `tac` under a DES key, with the factors where they lie.
    static func narrowTAC(
        _ schedule: DESSchedule, _ factors: Span<UInt64>, _ data: Span<UInt8>
    ) throws(PrimitiveError) -> MACValue {
        try OpenKeySchedule.narrow(schedule).checkLevels(factors.count)
        return try foldedMAC(schedule, factors, data)
    }

    /// MAC of RELOAD PIN: over the new PIN alone under left half xor right half of DRPK (FMCOS manual).
    func pinReloadMAC(factors: [UInt64], pin: Span<UInt8>) throws(PrimitiveError) -> MACValue {
        try tac(factors: factors, data: pin)
    }

    /// PBOC MAC under left xor right of the key that the factors lead to; a single DES key serves as itself.
    @inline(__always)
    static func foldedMAC(
        _ schedule: DESSchedule, _ factors: Span<UInt64>, _ data: Span<UInt8>
    ) throws(PrimitiveError) -> MACValue {
        if factors.isEmpty {
            guard schedule.algorithm != .tripleDES3 else { throw .algorithmNotPermitted }
            let keys = schedule.foldedKeys
            return MACValue(NarrowMAC.chain(keys, .single, iv: 0, padding: .method2, data), count: 4)
        }
        return try DerivationScratch.with { scratch throws(PrimitiveError) in
            let keys = scratch.expandFolded(schedule.keys, factors)
            return MACValue(NarrowMAC.chain(keys, .single, iv: 0, padding: .method2, data), count: 4)
        }
    }
}
