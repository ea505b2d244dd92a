/// What the holder of a key may do with it: the X9.143 mode of use (table 4).
public enum ModeOfUse: Character, Sendable, Hashable, CaseIterable {
    /// Encipher and decipher, wrap and unwrap.
    case both = "B"
    /// Calculate a MAC: generate and verify.
    case calculate = "C"
    /// Decipher or unwrap only.
    case decrypt = "D"
    /// Encipher or wrap only.
    case encrypt = "E"
    /// Generate only.
    case generate = "G"
    /// No special restriction beyond the usage.
    case unrestricted = "N"
    /// Sign only.
    case sign = "S"
    /// Sign and decipher (transport of keys with RSA).
    case signAndDecrypt = "T"
    /// Verify only.
    case verify = "V"
    /// Derive other keys only: every master of a card key has this mode, so that a master can never calculate directly.
    case derive = "X"
    /// Create key variants.
    case variants = "Y"
}

/// Whether a key may leave under another key: the X9.143 exportability (table 5).
public enum Exportability: Character, Sendable, Hashable, CaseIterable {
    /// Under a trusted transport key, in a key block.
    case exportable = "E"
    /// Never.
    case nonExportable = "N"
    /// Under any transport key, in forms other than X9.143 too.
    case sensitive = "S"
}

/// Everything that is decided about a key before it has a value.
public struct KeyAttributes: Sendable, Hashable {
    public var usage: KeyUsage
    public var algorithm: KeyAlgorithm
    public var mode: ModeOfUse
    public var exportability: Exportability
    /// How many factors stand between a master and the keys of its cards (分散级数): 1 to `DerivedKey.maximumLevels` with mode
    /// `derive`, else 0. A master calculates at this depth and at no other: one level higher, whoever writes a factor-like block
    /// into the data gets half of a card's key for an answer.
    public var levels: Int

    /// Without `levels`: 1 for a master, 0 for any other key.
    public init(
        usage: KeyUsage, algorithm: KeyAlgorithm, mode: ModeOfUse, exportability: Exportability, levels: Int? = nil
    ) {
        self.usage = usage
        self.algorithm = algorithm
        self.mode = mode
        self.exportability = exportability
        self.levels = levels ?? (mode == .derive ? 1 : 0)
    }

    /// What comes of a master by `count` of its levels: a card's own key, or a master with fewer levels.
    public func diversified(by count: Int) -> KeyAttributes {
        var result = self
        result.levels = max(0, levels - count)
        if result.levels == 0 { result.mode = .unrestricted }
        return result
    }
}
