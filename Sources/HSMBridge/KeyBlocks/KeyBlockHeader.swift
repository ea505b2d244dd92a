/// The clear part of an ANSI X9.143 (TR-31) key block: sixteen characters and the optional blocks. Parsing needs no key.
///
/// Layout: version 1 | total length 4 decimal | usage 2 | algorithm 1 | mode 1 | key version 2 | exportability 1 |
/// number of optional blocks 2 decimal | reserved 2 ("00"), then the optional blocks. Source: X9.143-2021 clause 6.
public struct KeyBlockHeader: Sendable, Hashable {
    public static let fixedLength = 16
    /// The length field has four decimal digits.
    public static let maximumBlockLength = 9_999

    /// How the value is protected: `A` and `C` variant binding, `B` derivation binding under TDES, `D` under AES.
    public enum Version: Character, Sendable, Hashable { case a = "A", b = "B", c = "C", d = "D" }

    public struct OptionalBlock: Sendable, Hashable {
        /// Two characters.
        public let id: String
        /// Printable ASCII.
        public let data: String
        public init(id: String, data: String) {
            self.id = id
            self.data = data
        }
    }

    public var version: Version
    /// Characters of the whole block, as the header states it.
    public var blockLength: Int
    /// Two characters; `KeyUsage(rawValue:)` knows those that we use.
    public var usageText: String
    public var algorithmCharacter: Character
    public var modeCharacter: Character
    /// Two characters, `00` = no version.
    public var keyVersionText: String
    public var exportabilityCharacter: Character
    public var optionalBlocks: [OptionalBlock]
    /// Characters from the block's start to the cipher text: the header with its optional blocks.
    public var headerLength: Int

    public init(
        version: Version, attributes: KeyAttributes, keyVersionText: String, optionalBlocks: [OptionalBlock] = []
    ) {
        self.version = version
        blockLength = 0
        usageText = attributes.usage.rawValue
        algorithmCharacter = attributes.algorithm.headerCharacter
        modeCharacter = attributes.mode.rawValue
        self.keyVersionText = keyVersionText
        exportabilityCharacter = attributes.exportability.rawValue
        self.optionalBlocks = optionalBlocks
        headerLength = 0
    }

    public var usage: KeyUsage? { KeyUsage(rawValue: usageText) }
    public var mode: ModeOfUse? { ModeOfUse(rawValue: modeCharacter) }
    public var exportability: Exportability? { Exportability(rawValue: exportabilityCharacter) }

    /// What the block says of a master's levels; nil where it says nothing, or nonsense.
    public var levels: Int? {
        guard let text = optionalBlock(LMKBlockField.levels), let bytes = Hex.decode(text), bytes.count == 1,
            (1...DerivedKey.maximumLevels).contains(Int(bytes[0]))
        else { return nil }
        return Int(bytes[0])
    }

    public func optionalBlock(_ id: String) -> String? { optionalBlocks.first { $0.id == id }?.data }

    /// Cipher block length of the wrapping algorithm: the header must fill whole blocks of it.
    public var cipherBlockLength: Int { version == .d ? 16 : 8 }
    /// Bytes of the MAC at the end of the block (twice as many characters).
    public var macLength: Int {
        switch version {
        case .a, .c: 4
        case .b: 8
        case .d: 16
        }
    }
}

/// Optional blocks of our own key blocks under the LMK, in the numeric range that X9.143 leaves to private use.
public enum LMKBlockField {
    /// Term of the LMK, two hexadecimal digits.
    public static let term = "10"
    /// `KeyIdentity` in its text form.
    public static let identity = "11"
    /// Factors of a diversified key, 16 hexadecimal digits a level.
    public static let factors = "12"
    /// `KeyAttributes.levels` of a master, two hexadecimal digits. The one of our fields that also stands in blocks under transport
    /// keys, so that a master is not used at another depth wherever it goes.
    public static let levels = "13"
}
