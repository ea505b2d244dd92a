/// The algorithm a key is for: the one-character algorithm of an X9.143 header, with its length.
public enum KeyAlgorithm: Sendable, Hashable {
    /// Single DES, 8 bytes: inside MACs and session keys only, never a stored production key.
    case des
    /// Two-key triple DES, 16 bytes.
    case tripleDES2
    /// Three-key triple DES, 24 bytes.
    case tripleDES3
    case aes128
    case aes192
    case aes256
    /// SM4 (GB/T 32907), 16 bytes. X9.143 registers no letter for it; `4` is ours, from the private range.
    case sm4
    /// RSA with a modulus of this many bits, 1024 to 4096.
    case rsa(bits: Int)

    /// The header's algorithm character.
    public var headerCharacter: Character {
        switch self {
        case .des: "D"
        case .tripleDES2, .tripleDES3: "T"
        case .aes128, .aes192, .aes256: "A"
        case .sm4: "4"
        case .rsa: "R"
        }
    }

    /// The key's length in bits: what the first two bytes of a key block's plaintext must say for symmetric keys.
    public var bits: Int {
        switch self {
        case .des: 64
        case .tripleDES2, .aes128, .sm4: 128
        case .tripleDES3, .aes192: 192
        case .aes256: 256
        case .rsa(let bits): bits
        }
    }

    public var isSymmetric: Bool { if case .rsa = self { false } else { true } }

    /// The symmetric algorithm that a header character and a length in bits name together; nil for anything else.
    public init?(headerCharacter: Character, bits: Int) {
        switch (headerCharacter, bits) {
        case ("D", 64): self = .des
        case ("T", 128), ("D", 128): self = .tripleDES2
        case ("T", 192), ("D", 192): self = .tripleDES3
        case ("A", 128): self = .aes128
        case ("A", 192): self = .aes192
        case ("A", 256): self = .aes256
        case ("4", 128): self = .sm4
        case ("R", 1024...4096): self = .rsa(bits: bits)
        default: return nil
        }
    }

    /// Words for configuration, command line and database: `des`, `3des2`, `3des3`, `aes128`, `aes256`, `sm4`, `rsa2048`.
    public var name: String {
        switch self {
        case .des: "des"
        case .tripleDES2: "3des2"
        case .tripleDES3: "3des3"
        case .aes128: "aes128"
        case .aes192: "aes192"
        case .aes256: "aes256"
        case .sm4: "sm4"
        case .rsa(let bits): "rsa\(bits)"
        }
    }

    public init?(name: String) {
        let fixed: [KeyAlgorithm] = [.des, .tripleDES2, .tripleDES3, .aes128, .aes192, .aes256, .sm4]
        if let match = fixed.first(where: { $0.name == name }) {
            self = match
        } else if name.hasPrefix("rsa"), let bits = Int(name.dropFirst(3)), (1024...4096).contains(bits), bits % 8 == 0
        {
            self = .rsa(bits: bits)
        } else {
            return nil
        }
    }
}
