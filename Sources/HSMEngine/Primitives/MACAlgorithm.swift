/// The block-cipher MACs in use.
enum MACAlgorithm: Sendable, CaseIterable {
    /// ISO 9797-1 algorithm 1, CBC-MAC (X9.9, FIPS 113); under a TDES key its left 8 bytes as single DES.
    case iso1
    /// CBC-MAC with the whole TDES key for every block ("full 3DES"; the 卫士通 module's X9.9 full).
    case iso1TripleDES
    /// ISO 9797-1 algorithm 3, retail MAC (X9.19): single DES CBC, then decipher and encipher the last block.
    case iso3
    /// ISO 9797-1 algorithm 5, CMAC (SP 800-38B); pads by itself.
    case cmac
}

/// ISO 9797-1 clause 6.3.
enum MACPadding: Sendable, CaseIterable {
    /// The data must be whole blocks, at least one.
    case none
    /// Zeros up to a whole block; an empty message becomes one block of zeros.
    case method1
    /// 80, then zeros, always.
    case method2
    /// A block with the length in bits in front, then zeros up to a whole block.
    case method3
}
