import HSMBridge

/// New symmetric keys.
enum KeyMaterial {
    /// A random key; DES keys with odd parity, and never one that `WeakKeys` refuses.
    static func generate(_ algorithm: KeyAlgorithm) throws(PrimitiveError) -> SecretBytes {
        guard algorithm.isSymmetric else { throw .algorithmNotPermitted }
        // Weak keys are so rare that a second one in a row means a broken source.
        for _ in 0..<4 {
            var key = try SecureRandom.secret(count: algorithm.bits / 8)
            if OpenKeySchedule.isDES(algorithm) { DESParity.adjust(&key) }
            if try WeakKeys.weakness(of: key, algorithm: algorithm) == nil { return key }
        }
        throw .randomFault
    }
}

/// Odd parity of DES key bytes (FIPS 46-3): the lowest bit of each.
enum DESParity {
    static func adjust(_ key: inout SecretBytes) {
        key.withMutableBytes { bytes in
            for index in 0..<bytes.count { bytes[index] = odd(bytes[index]) }
        }
    }

    static func isOdd(_ key: borrowing SecretBytes) -> Bool {
        key.withBytes { bytes in
            var wrong: UInt8 = 0
            for index in 0..<bytes.count { wrong |= bytes[index] ^ odd(bytes[index]) }
            return wrong == 0
        }
    }

    /// Without a branch or a table on the key.
    static func odd(_ byte: UInt8) -> UInt8 {
        var sum = byte >> 1
        sum ^= sum >> 4
        sum ^= sum >> 2
        sum ^= sum >> 1
        return byte & 0xFE | (sum & 1 ^ 1)
    }
}

extension OpenKeySchedule {
    static func isDES(_ algorithm: KeyAlgorithm) -> Bool {
        switch algorithm {
        case .des, .tripleDES2, .tripleDES3: true
        default: false
        }
    }
}
