import HSMBridge

/// The enciphering key (KBEK) and the MAC key (KBAK) that a key block protection key stands for. Source: facts/domain.md 6.5.
struct KeyBlockDerivation {
    let encipherment: OpenKeySchedule
    let authentication: OpenKeySchedule

    init(_ key: borrowing SecretBytes, version: KeyBlockHeader.Version) throws(KeyBlockError) {
        guard let algorithm = Self.algorithm(version, length: key.count) else { throw .protectionKeyLength }
        do throws(PrimitiveError) {
            switch version {
            case .a, .c:
                encipherment = try Self.variant(key, 0x45, algorithm)
                authentication = try Self.variant(key, 0x4D, algorithm)
            case .b, .d:
                let protection = try OpenKeySchedule(key, algorithm: algorithm)
                encipherment = try Self.derived(protection, purpose: 0)
                authentication = try Self.derived(protection, purpose: 1)
            }
        } catch {
            throw .primitive(error)
        }
    }

    private static func algorithm(_ version: KeyBlockHeader.Version, length: Int) -> KeyAlgorithm? {
        switch (version, length) {
        case (.a, 8), (.c, 8): .des
        case (.a, 16), (.b, 16), (.c, 16): .tripleDES2
        case (.a, 24), (.b, 24), (.c, 24): .tripleDES3
        case (.d, 16): .aes128
        case (.d, 24): .aes192
        case (.d, 32): .aes256
        default: nil
        }
    }

    /// Versions A and C: every byte of the key xor a constant.
    private static func variant(
        _ key: borrowing SecretBytes, _ constant: UInt8, _ algorithm: KeyAlgorithm
    ) throws(PrimitiveError) -> OpenKeySchedule {
        var copy = try SecretBytes(copying: key)
        copy.withMutableBytes { bytes in
            for index in 0..<bytes.count { bytes[index] ^= constant }
        }
        return try OpenKeySchedule(copy, algorithm: algorithm)
    }

    /// Versions B and D: CMAC of counter 1 | purpose 2 (0 encipherment, 1 MAC) | 00 | algorithm 2 | length in bits 2.
    private static func derived(
        _ protection: OpenKeySchedule, purpose: UInt8
    ) throws(PrimitiveError) -> OpenKeySchedule {
        let algorithm = protection.algorithm
        let blockLength = protection.blockLength
        var key = try SecretBytes(count: algorithm.bits / 8)
        for offset in stride(from: 0, to: key.count, by: blockLength) {
            let counter = UInt8(offset / blockLength + 1)
            let bits = UInt16(algorithm.bits)
            let input: [UInt8] = [
                counter, 0, purpose, 0, 0, identifier(algorithm), UInt8(bits >> 8), UInt8(truncatingIfNeeded: bits),
            ]
            let block = try protection.mac(.cmac, padding: .none, over: input, length: blockLength)
            key.withMutableBytes { bytes in
                for index in 0..<min(blockLength, bytes.count - offset) { bytes[offset + index] = block[index] }
            }
        }
        return try OpenKeySchedule(key, algorithm: algorithm)
    }

    /// The algorithm indicator of the derivation input (X9.143 tables 1 and 2).
    private static func identifier(_ algorithm: KeyAlgorithm) -> UInt8 {
        switch algorithm {
        case .tripleDES3: 1
        case .aes128: 2
        case .aes192: 3
        case .aes256: 4
        default: 0
        }
    }
}
