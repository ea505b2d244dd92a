import CryptoClient
import HSMBridge

extension HostKeyAttributes {
    /// As the module wants them; the codes A6 to AC say what it does not know.
    func module() throws(Refusal) -> KeyAttributes {
        guard let usage = KeyUsage(rawValue: usage) else { throw .host(.keyUsage) }
        guard let algorithm = Self.algorithms[algorithm] else { throw .host(.algorithm) }
        guard let letter = modeOfUse.first, let mode = ModeOfUse(rawValue: letter) else { throw .host(.modeOfUse) }
        guard let letter = exportability.first, let exportability = Exportability(rawValue: letter) else {
            throw .host(.exportability)
        }
        return KeyAttributes(
            usage: usage, algorithm: algorithm, mode: mode, exportability: exportability, levels: try levels(mode))
    }

    /// Our blocks carry blocks of our own and no others; of those a caller gives the levels of a master.
    private func levels(_ mode: ModeOfUse) throws(Refusal) -> Int? {
        guard let block = optionalBlocks.first else { return nil }
        guard optionalBlocks.count == 1, block.id == LMKBlockField.levels, mode == .derive,
            let bytes = Hex.decode(block.data), bytes.count == 1,
            (1...DerivedKey.maximumLevels).contains(Int(bytes[0]))
        else { throw .host(.optionalBlock) }
        return Int(bytes[0])
    }

    /// The number of a component, from a key version number of c1 to c9; 0 for a key.
    var component: UInt8 { version.hasPrefix("c") ? UInt8(version.dropFirst()) ?? 0 : 0 }

    private static let algorithms: [String: KeyAlgorithm] = [
        "T2": .tripleDES2, "T3": .tripleDES3, "A1": .aes128, "A2": .aes192, "A3": .aes256, "41": .sm4,
    ]

    /// What was asked for is what was made.
    func requireSame(as header: KeyBlockHeader) throws(Refusal) {
        guard usage == header.usageText else { throw .host(.keyUsage) }
        guard algorithm.first == header.algorithmCharacter else { throw .host(.algorithm) }
        guard modeOfUse == String(header.modeCharacter) else { throw .host(.modeOfUse) }
        guard exportability == String(header.exportabilityCharacter) else { throw .host(.exportability) }
    }
}

extension KeyBlockHeader {
    /// What a block from outside may be: its header, with each length that its algorithm has.
    func attributes() throws(Refusal) -> [KeyAttributes] {
        guard let usage else { throw .host(.keyUsage) }
        guard let mode else { throw .host(.modeOfUse) }
        guard let exportability else { throw .host(.exportability) }
        let algorithms: [KeyAlgorithm]
        switch algorithmCharacter {
        case "T": algorithms = [.tripleDES2, .tripleDES3]
        case "A": algorithms = [.aes128, .aes192, .aes256]
        case "4": algorithms = [.sm4]
        default: throw .host(.algorithm)
        }
        return algorithms.map {
            KeyAttributes(usage: usage, algorithm: $0, mode: mode, exportability: exportability, levels: levels)
        }
    }
}

extension HostKeyAttributes.OptionalBlock {
    /// The levels of a master, as our key blocks carry them.
    static func levels(_ levels: Int) -> Self {
        Self(id: LMKBlockField.levels, data: Hex.encode([UInt8(clamping: levels)]))
    }
}
