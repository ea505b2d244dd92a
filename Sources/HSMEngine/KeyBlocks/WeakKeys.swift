import COpenSSL
import HSMBridge

/// Why a value is refused as a key.
enum KeyWeakness: Sendable, Hashable {
    /// One of the 4 keys under which enciphering twice gives the plain text back.
    case desWeak
    /// One of the 6 pairs that undo each other.
    case desSemiWeak
    /// Two parts of a TDES key are alike: single DES in disguise.
    case halvesEqual
    /// Every byte the same (zeros, FF, …).
    case constantBytes
    /// A value printed in manuals or delivered by a card maker; with the maker or document.
    case vendorDefault(String)

    var moduleError: ModuleError { if case .vendorDefault = self { .knownVendorKey } else { .weakKey } }
}

/// Values that are never a production key. DES values are compared without their parity bits, because a card ignores them.
enum WeakKeys {
    /// Nil for a value that may be a key. RSA keys are not judged here.
    static func weakness(
        of key: borrowing SecretBytes, algorithm: KeyAlgorithm
    ) throws(PrimitiveError) -> KeyWeakness? {
        guard algorithm.isSymmetric else { return nil }
        guard key.count * 8 == algorithm.bits else { throw .keyLengthInvalid }
        let isDES = OpenKeySchedule.isDES(algorithm)
        var value = try SecretBytes(copying: key)
        if isDES { DESParity.adjust(&value) }
        // Makers first: "FF in every byte" is better known as a blank card's key.
        if let maker = try KnownVendorKeys.name(of: value, ignoringParity: isDES) { return .vendorDefault(maker) }
        if isConstant(value) { return .constantBytes }
        guard isDES else { return nil }
        return try weakDES(value)
    }

    private static func isConstant(_ key: borrowing SecretBytes) -> Bool {
        key.withBytes { bytes in
            var difference: UInt8 = 0
            for index in 0..<bytes.count { difference |= bytes[index] ^ bytes[0] }
            return difference == 0
        }
    }

    /// Of a key with odd parity.
    private static func weakDES(_ key: borrowing SecretBytes) throws(PrimitiveError) -> KeyWeakness? {
        let parts = key.count / 8
        for part in 0..<parts {
            let bytes = try key.extracting(8 * part..<8 * part + 8)
            for weak in desWeak where try matches(bytes, weak) { return .desWeak }
            for weak in desSemiWeak where try matches(bytes, weak) { return .desSemiWeak }
        }
        // K1 = K2 or K2 = K3 leaves single DES. K1 = K3 is two-key TDES, which a three-key key must not be either.
        for first in 0..<parts {
            for second in first + 1..<max(parts, first + 1) {
                let a = try key.extracting(8 * first..<8 * first + 8)
                let b = try key.extracting(8 * second..<8 * second + 8)
                if a.isEqual(to: b) { return .halvesEqual }
            }
        }
        return nil
    }

    private static func matches(_ key: borrowing SecretBytes, _ number: UInt64) throws(PrimitiveError) -> Bool {
        let value = try SecretBytes(count: 8) { bytes in
            for index in 0..<8 { bytes[index] = UInt8(truncatingIfNeeded: number >> UInt64(56 - 8 * index)) }
        }
        return key.isEqual(to: value)
    }

    /// FIPS 74 section 3.6, SP 800-67 3.4.2; odd parity.
    static let desWeak: [UInt64] = [
        0x0101_0101_0101_0101, 0xFEFE_FEFE_FEFE_FEFE, 0xE0E0_E0E0_F1F1_F1F1, 0x1F1F_1F1F_0E0E_0E0E,
    ]

    /// The same sources: each with its partner.
    static let desSemiWeak: [UInt64] = [
        0x011F_011F_010E_010E, 0x1F01_1F01_0E01_0E01, 0x01E0_01E0_01F1_01F1, 0xE001_E001_F101_F101,
        0x01FE_01FE_01FE_01FE, 0xFE01_FE01_FE01_FE01, 0x1FE0_1FE0_0EF1_0EF1, 0xE01F_E01F_F10E_F10E,
        0x1FFE_1FFE_0EFE_0EFE, 0xFE1F_FE1F_FE0E_FE0E, 0xE0FE_E0FE_F1FE_F1FE, 0xFEE0_FEE0_FEF1_FEF1,
    ]
}
