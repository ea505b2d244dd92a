/// Key derivations of the PBOC e-purse, as the card does them inside (domain.md §1.2, §3.1).
enum PBOCKeys {
    /// Session key (过程密钥): one 8-byte DES key, the card key's encryption of an 8-byte block.
    static func session(_ cardKey: [UInt8], block: [UInt8]) -> CardCipher? {
        guard block.count == 8, let cipher = CardCipher(cardKey) else { return nil }
        return CardCipher(cipher.encrypt(block))
    }

    /// TAC key: left half xor right half of the DTK. An 8-byte DTK is used as it is.
    static func tac(_ dtk: [UInt8]) -> CardCipher? {
        guard dtk.count == 16 else { return CardCipher(dtk) }
        return CardCipher((dtk.block(at: 0) ^ dtk.block(at: 8)).bytes)
    }

    /// The key that protects a reloaded PIN: left half xor right half of DRPK (FM-UM, RELOAD PIN).
    static func pinReload(_ drpk: [UInt8]) -> CardCipher? { tac(drpk) }

    /// One level of diversification (分散): encryption of the factor and of its complement. No parity adjustment.
    /// - Parameter factor: 8 bytes.
    static func diversify(_ master: [UInt8], by factor: [UInt8]) -> [UInt8]? {
        guard master.count == 16, factor.count == 8, let cipher = CardCipher(master) else { return nil }
        return cipher.encrypt(factor) + cipher.encrypt(factor.map { ~$0 })
    }
}
