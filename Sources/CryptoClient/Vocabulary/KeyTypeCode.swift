/// Three hexadecimal digits that say which LMK pair and variant a key belonged to in the variant scheme: `002`, `109`.
///
/// `FFF` means: the key is a key block, its header says what it is. That is the only value this project's server acts on.
public struct KeyTypeCode: RawRepresentable, Sendable, Hashable {
    /// 0 to X'FFF'.
    public let rawValue: UInt16

    public init?(rawValue: UInt16) {
        guard rawValue <= 0xFFF else { return nil }
        self.rawValue = rawValue
    }

    private init(_ value: UInt16) {
        rawValue = value
    }

    /// Key block: no key type.
    public static let keyBlock = KeyTypeCode(0xFFF)
    /// Terminal authentication key of the variant scheme.
    public static let terminalAuthentication = KeyTypeCode(0x003)
    /// Zone authentication key of the variant scheme.
    public static let zoneAuthentication = KeyTypeCode(0x008)
}

extension FieldReader {
    mutating func keyTypeCode(_ code: HostErrorCode) throws(FieldError) -> KeyTypeCode {
        let value = try hexadecimal(digits: 3, .keyType, code)
        guard let type = KeyTypeCode(rawValue: UInt16(value)) else { throw FieldError(code, in: .keyType) }
        return type
    }
}

/// In which form a command shall give a key: one letter.
public enum KeyScheme: UInt8, Sendable, Hashable, CaseIterable {
    /// Key block: X9.143 version D under the LMK.
    case keyBlock = 0x53  // S
    /// X9.143 key block under a transport key.
    case transportBlock = 0x52  // R
    case doubleVariant = 0x55  // U
    case tripleVariant = 0x54  // T
    case doubleX917 = 0x58  // X
    case tripleX917 = 0x59  // Y
    case singleVariant = 0x5A  // Z
    /// Single length without a letter.
    case none = 0x30  // 0
}
