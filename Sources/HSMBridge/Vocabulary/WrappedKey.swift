/// A key as everybody but the module holds it: an X9.143 version D key block under the LMK, with its check value.
///
/// The header can be read by anyone (`KeyBlockHeader`); the value opens only in the module, and only as the key that the header
/// and the bound identity say it is.
public struct WrappedKey: Sendable, Hashable {
    /// ASCII, starting with `D`.
    public let block: String
    public let checkValue: KeyCheckValue

    public init(block: String, checkValue: KeyCheckValue) {
        self.block = block
        self.checkValue = checkValue
    }
}

/// A key that is open in the module: good until the module is sealed or restarted, or the key is closed or evicted.
///
/// Handles carry the module's epoch in their upper half, so that a handle from before a restart never names another key.
public struct KeyHandle: Sendable, Hashable {
    public let rawValue: UInt64
    public init(rawValue: UInt64) { self.rawValue = rawValue }
}

/// How a command names a key.
public enum KeyReference: Sendable, Hashable {
    /// A key block under the LMK. Where the caller knows whose it must be (the row that it was read from), `expected` makes the
    /// module refuse a block that belongs to another row.
    case block(String, expected: KeyIdentity?)
    /// A key that `OpenKey` opened before.
    case handle(KeyHandle)
}

/// A key that is diversified before use: the master and one factor of eight bytes for each level (分散因子), at most four.
///
/// DK = 3DES(MK, X) | 3DES(MK, ~X) for each level in turn; for SM4 masters SM4(MK, X | ~X). Source: facts/domain.md 3.1, 3.2.
/// No factors: the key itself.
public struct DerivedKey: Sendable, Hashable {
    public static let maximumLevels = 4

    public var key: KeyReference
    /// Big-endian.
    public var factors: [UInt64]

    public init(_ key: KeyReference, factors: [UInt64] = []) {
        self.key = key
        self.factors = factors
    }
}
