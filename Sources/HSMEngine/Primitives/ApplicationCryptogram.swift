import HSMBridge

/// The key of one card for one transaction.
struct CardSession: Sendable {
    enum Kind: Sendable {
        case none
        /// EMV common session key from this block.
        case common(UInt64)
        /// PBOC, from the transaction counter.
        case pboc(UInt16)
        /// Halves of the card's key xor the counter and its inverse (Visa's script keys).
        case masked(UInt16)
    }

    /// Eight bytes that name the card: the factor of its key.
    let account: UInt64
    let kind: Kind
}

// Application cryptograms of EMV and PBOC cards. Source: EMV Book 2 8.1, 8.2, A1.3, A1.4; facts/domain.md 3.3, 3.4; vectors
// emv_ac.json.
//
// Under SM4 the same shape: session key SM4(UDK, 0^6 | ATC | 0^6 | ~ATC), CBC-MAC with padding 2, left eight bytes; response 1 = left
// eight bytes of SM4(SK, (ARQC xor ARC | 0^6) | 0^8). From memory of PBOC 3.0 part 17, unverified.
extension OpenKeySchedule {
    /// The MAC of a cryptogram, 8 bytes, or of a script or response 2, 4 bytes.
    func cardMAC(
        _ card: CardSession, padding: MACPadding, over data: Span<UInt8>, length: Int
    ) throws(PrimitiveError) -> MACValue {
        guard padding != .none || !data.isEmpty && data.count % blockLength == 0 else { throw .dataLengthInvalid }
        switch self {
        case .narrow(let schedule):
            return try Self.withSession(schedule, card) { keys in
                MACValue(NarrowMAC.retail(keys, iv: 0, padding: padding, data), count: length)
            }
        case .wide(let schedule):
            return try Self.withSession(schedule, card) { cipher throws(PrimitiveError) in
                MACValue(try WideMAC.chain(cipher, iv: .zero, padding: padding, data), count: length)
            }
        }
    }

    /// Response of method 1, 8 bytes: the cryptogram, its left two bytes xored with the response code, enciphered.
    func cardResponse(_ card: CardSession, cryptogram: UInt64, code: UInt16) throws(PrimitiveError) -> MACValue {
        var block = Block8(number: cryptogram ^ UInt64(code) << 48)
        switch self {
        case .narrow(let schedule):
            return try Self.withSession(schedule, card) { keys in
                keys.encrypt(&block)
                return MACValue(block, count: 8)
            }
        case .wide(let schedule):
            return try Self.withSession(schedule, card) { cipher throws(PrimitiveError) in
                var wide = Block16(left: block, right: 0)
                try cipher.encrypt(&wide)
                return MACValue(wide, count: 8)
            }
        }
    }

    private static func withSession<R>(
        _ schedule: DESSchedule, _ card: CardSession, _ body: (DESKeys) throws(PrimitiveError) -> R
    ) throws(PrimitiveError) -> R {
        guard schedule.algorithm == .tripleDES2 else { throw .algorithmNotPermitted }
        return try DerivationScratch.with { scratch throws(PrimitiveError) in
            let account = [card.account]
            scratch.derive(schedule.keys, account.span)
            switch card.kind {
            case .none: break
            case .common(let block):
                let other = block & ~(0xFF << 40)
                let keys = scratch.expandDerived()
                scratch.deriveHalves(keys, Block8(number: other | 0xF0 << 40), Block8(number: other | 0x0F << 40))
            case .pboc(let counter):
                let keys = scratch.expandDerived()
                scratch.deriveHalves(keys, Block8(number: UInt64(counter)), Block8(number: UInt64(~counter)))
            case .masked(let counter):
                scratch.maskHalves(Block8(number: UInt64(counter)), Block8(number: UInt64(~counter)))
            }
            return try body(scratch.expandDerived())
        }
    }

    private static func withSession<R>(
        _ schedule: WideSchedule, _ card: CardSession, _ body: (BlockEncryptor) throws(PrimitiveError) -> R
    ) throws(PrimitiveError) -> R {
        guard schedule.algorithm == .sm4 else { throw .algorithmNotPermitted }
        return try withDerivedWide(schedule, [card.account]) { cipher throws(PrimitiveError) in
            switch card.kind {
            case .none: return try body(cipher)
            case .common, .masked: throw .algorithmNotPermitted
            case .pboc(let counter):
                var key = Block16(left: Block8(number: UInt64(counter)), right: Block8(number: UInt64(~counter)))
                defer { key.wipe() }
                try cipher.encrypt(&key)
                return try WideSchedule.withTransient(key, .sm4, body)
            }
        }
    }
}

extension CryptogramAccount {
    /// Two decimal digits a byte.
    private static let longest = 11

    /// The eight bytes from which the card's key is derived.
    func factor() throws(PrimitiveError) -> UInt64 {
        switch self {
        case .optionA(let digits): return digits
        case .optionB(let digits):
            guard (1...Self.longest).contains(digits.count) else { throw .dataLengthInvalid }
            // Option B begins with a PAN of 17 digits; with the sequence number and a zero at the left these are ten bytes.
            guard digits.count > 9 else { return digits.suffix(8).reduce(0) { $0 << 8 | UInt64($1) } }
            return Self.decimalised(try DigestAlgorithm.sha1.hash(digits))
        }
    }

    /// The first 16 decimal digits of a digest; where there are fewer, letters follow as their value less ten.
    private static func decimalised(_ digest: [UInt8]) -> UInt64 {
        let nibbles = digest.flatMap { [$0 >> 4, $0 & 15] }
        let digits = nibbles.filter { $0 < 10 } + nibbles.filter { $0 > 9 }.map { $0 - 10 }
        return digits.prefix(16).reduce(0) { $0 << 4 | UInt64($1) }
    }
}
