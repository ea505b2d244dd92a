/// Diversifies a card master for many cards and gives each card's key as `DiversifyKey` does: all of them, or none.
public struct DiversifyKeyBatch: ModuleCommand {
    public typealias Reply = WrappedKeys
    public static let code = CommandCode.diversifyKeyBatch
    /// Factors of a command, all cards together: every one of them stands in the journal's line.
    public static let maximumFactors = 192

    public let key: KeyReference
    /// Factors of each card, at least one.
    public let levels: UInt8
    /// `levels` for each card, one card after another.
    public let factors: [UInt64]
    public let transportKey: KeyReference?

    public init(key: KeyReference, levels: UInt8, factors: [UInt64], transportKey: KeyReference? = nil) {
        self.key = key
        self.levels = levels
        self.factors = factors
        self.transportKey = transportKey
    }

    public func write(to writer: inout WireWriter) {
        key.write(to: &writer)
        writer.u8(levels)
        writer.u32(UInt32(factors.count))
        for factor in factors { writer.u64(factor) }
        transportKey.write(to: &writer)
    }

    public init(from reader: inout WireReader) throws(WireError) {
        key = try KeyReference(from: &reader)
        levels = try reader.u8()
        let count = try reader.u32()
        guard (1...UInt32(Self.maximumFactors)).contains(count) else { throw .valueInvalid }
        var factors: [UInt64] = []
        factors.reserveCapacity(Int(count))
        for _ in 0..<count { factors.append(try reader.u64()) }
        self.factors = factors
        transportKey = try KeyReference?(from: &reader)
    }
}

/// Keys under one key, in the order of what was asked.
public struct WrappedKeys: WireValue, Hashable {
    public let keys: [WrappedKey]

    public init(_ keys: [WrappedKey]) { self.keys = keys }

    public func write(to writer: inout WireWriter) { writer.array(keys) }

    public init(from reader: inout WireReader) throws(WireError) {
        keys = try reader.array(of: WrappedKey.self, limit: DiversifyKeyBatch.maximumFactors)
    }
}
