import HSMBridge

/// Which attributes go together. A key with others is neither made nor opened.
enum AttributeRules {
    private static let doubleLength: Set<KeyAlgorithm> = [.tripleDES2, .sm4]
    private static let tripleDES: Set<KeyAlgorithm> = [.tripleDES2, .tripleDES3]
    private static let aes: Set<KeyAlgorithm> = [.aes128, .aes192, .aes256]
    private static let cipherModes: Set<ModeOfUse> = [.both, .encrypt, .decrypt]
    private static let macModes: Set<ModeOfUse> = [.calculate, .generate, .verify]
    private static let emv: Set<KeyUsage> = [.applicationCryptogram, .scriptIntegrity]
    private static let cardModes: Set<ModeOfUse> = [.derive, .unrestricted]

    /// Algorithms (nil: any RSA length) and modes of a usage. Single DES is in no row: it exists inside MACs only.
    private static func row(_ usage: KeyUsage) -> (algorithms: Set<KeyAlgorithm>?, modes: Set<ModeOfUse>) {
        switch usage {
        case .keyEncryption, .dataEncryption: (tripleDES.union(aes).union([.sm4]), cipherModes)
        // X9.143 fixes TDES and AES as wrapping algorithms.
        case .keyBlockProtection: (tripleDES.union(aes), cipherModes)
        case .mac1, .cmac: (tripleDES.union(aes).union([.sm4]), macModes)
        case .mac3, .cardVerification: ([.tripleDES2], macModes)
        case .applicationCryptogram, .scriptIntegrity: (doubleLength, cardModes)
        case .signature: (nil, [.sign, .signAndDecrypt, .verify])
        case .purchase, .load, .tac, .unload, .overdraft, .applicationMaintenance, .pinUnblock, .pinReload,
            .cardControl,
            .cardMaintenance, .internalAuthentication, .externalAuthentication, .psamCipher, .vendorTransport:
            (doubleLength, cardModes)
        }
    }

    static func check(_ attributes: KeyAttributes) throws(ModuleRefusal) {
        let row = row(attributes.usage)
        if let algorithms = row.algorithms {
            guard algorithms.contains(attributes.algorithm) else { throw ModuleRefusal(.algorithmNotPermitted) }
        } else if attributes.algorithm.isSymmetric {
            throw ModuleRefusal(.algorithmNotPermitted)
        }
        guard row.modes.contains(attributes.mode) else { throw ModuleRefusal(.attributesContradict) }
        let isMaster = attributes.mode == .derive
        guard isMaster ? (1...DerivedKey.maximumLevels).contains(attributes.levels) : attributes.levels == 0 else {
            throw ModuleRefusal(.attributesContradict)
        }
        // EMV has one level from the issuer to the card.
        if emv.contains(attributes.usage), attributes.levels > 1 { throw ModuleRefusal(.attributesContradict) }
        if attributes.usage == .vendorTransport, attributes.exportability != .nonExportable {
            throw ModuleRefusal(.attributesContradict)
        }
    }

    /// Rank of an algorithm as wrapping or wrapped key, in bits. Two-key TDES counts 112 and three-key 120 (SP 800-57 gives both
    /// 112 at most): ours, so that a three-key key does not travel under a two-key one, nor any AES or SM4 key under TDES.
    static func strength(_ algorithm: KeyAlgorithm) -> Int {
        switch algorithm {
        case .des: 56
        case .tripleDES2: 112
        case .tripleDES3: 120
        case .aes128, .sm4: 128
        case .aes192: 192
        case .aes256: 256
        case .rsa(let bits): bits < 2_048 ? 80 : bits < 3_072 ? 112 : 128
        }
    }

    static func checkWrapping(_ key: KeyAlgorithm, under transport: KeyAlgorithm) throws(ModuleRefusal) {
        guard strength(transport) >= strength(key) else { throw ModuleRefusal(.wrappingKeyTooWeak) }
    }
}
