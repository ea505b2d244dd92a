import HSMBridge

/// Keys by their names, immutable: a change makes a new index that shares with the old one whatever it did not touch.
///
/// A million keys are a few hundred megabytes and seconds of reading; one of them that is suspended must count within two
/// seconds. So the keys lie in shards, and an update copies the shards of the changed ones, about a thousandth of the whole each.
final class KeyIndex: Sendable {
    /// All versions of a name are in one shard.
    struct Shard: Sendable {
        var byIdentity: [String: StoredKey] = [:]
        /// Versions of each key with a value, the highest first.
        var byName: [String: [StoredKey]] = [:]
        /// Identities whose value was destroyed: copies of their blocks may be about.
        var destroyed: Set<String> = []

        mutating func take(_ version: KeyVersion) {
            let identity = version.identity.description
            let name = version.identity.name.description
            if byIdentity.removeValue(forKey: identity) != nil {
                byName[name]?.removeAll { $0.identity == version.identity }
            }
            if let key = version.stored {
                byIdentity[identity] = key
                var versions = byName[name] ?? []
                let place = versions.firstIndex { $0.identity.version < key.identity.version } ?? versions.endIndex
                versions.insert(key, at: place)
                byName[name] = versions
            }
            if byName[name]?.isEmpty == true { byName[name] = nil }
            if version.state == .destroyed { destroyed.insert(identity) }
        }
    }

    private let shards: [Shard]
    private static let shardCount = 1_024

    static let empty = KeyIndex([])

    init(_ versions: [KeyVersion]) {
        var builder = Builder()
        for version in versions { builder.take(version) }
        shards = builder.shards
    }

    private init(shards: [Shard]) { self.shards = shards }

    /// Fills shards from pages, so that never all rows and all keys are in memory at once.
    struct Builder {
        fileprivate var shards = [Shard](repeating: Shard(), count: KeyIndex.shardCount)

        mutating func take(_ version: KeyVersion) {
            shards[KeyIndex.place(version.identity.name)].take(version)
        }

        consuming func index() -> KeyIndex { KeyIndex(shards: shards) }
    }

    /// The same with these versions as they stand now.
    func updated(_ versions: [KeyVersion]) -> KeyIndex {
        var shards = shards
        for version in versions { shards[Self.place(version.identity.name)].take(version) }
        return KeyIndex(shards: shards)
    }

    func key(_ identity: KeyIdentity) -> StoredKey? {
        shards[Self.place(identity.name)].byIdentity[identity.description]
    }

    func isDestroyed(_ identity: KeyIdentity) -> Bool {
        shards[Self.place(identity.name)].destroyed.contains(identity.description)
    }

    /// Versions with a value, the highest first.
    func versions(_ name: KeyName) -> [StoredKey] { shards[Self.place(name)].byName[name.description] ?? [] }

    var count: Int { shards.reduce(0) { $0 + $1.byIdentity.count } }
    var all: [StoredKey] { shards.flatMap { Array($0.byIdentity.values) } }

    private static func place(_ name: KeyName) -> Int {
        // FNV-1a. The names come from administrators, so nobody outside can crowd one shard.
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for byte in name.description.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
        return Int((hash ^ hash >> 32) & UInt64(shardCount - 1))
    }
}
