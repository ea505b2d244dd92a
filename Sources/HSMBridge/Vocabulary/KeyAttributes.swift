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

    public init(usage: KeyUsage, algorithm: KeyAlgorithm, mode: ModeOfUse, exportability: Exportability) {
        self.usage = usage
        self.algorithm = algorithm
        self.mode = mode
        self.exportability = exportability
    }
}
