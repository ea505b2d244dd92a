import HSMBridge
import Synchronization

/// A key that is open in the module: what it is, its value, and its schedule ready for use. Immutable; wiped with the last
/// reference, so a command that is under way finishes while the key is closed elsewhere.
final class OpenKeyEntry: Sendable {
    let description: KeyDescription
    /// Key bytes, or PKCS#1 DER of an RSA key.
    let secret: SecretBox
    /// Nil for RSA.
    let schedule: OpenKeySchedule?
    /// For RSA alone.
    let rsa: OpenRSAKey?
    /// The way that the key came from a master; none for any other. Keys made of it have this way and their own behind it.
    let factors: [UInt64]
    /// The number of a component, which is formed into a key, wrapped anew or shown by its check value, and does none of what its
    /// attributes say; nil for a key.
    let component: Int?
    private let permitted: PermittedOperations
    /// Second chance of the cache: used again since it was opened, or since the hand last passed. A key that is opened and
    /// used once never pushes out one in constant use.
    let isRecentlyUsed = Atomic<Bool>(false)

    var attributes: KeyAttributes { description.attributes }

    init(
        description: KeyDescription, secret: SecretBox, schedule: OpenKeySchedule? = nil, rsa: OpenRSAKey? = nil,
        factors: [UInt64] = [], component: Int? = nil
    ) {
        self.description = description
        self.secret = secret
        self.schedule = schedule
        self.rsa = rsa
        self.factors = factors
        self.component = component
        permitted = component == nil ? PermittedOperations(description.attributes) : PermittedOperations.none
    }

    /// The schedule for an operation that the table allows.
    func schedule(for operation: KeyOperation, factors: Int = 0) throws(ModuleRefusal) -> OpenKeySchedule {
        try permit(operation, factors: factors)
        guard let schedule else { throw ModuleRefusal(.algorithmNotPermitted) }
        return schedule
    }

    /// The RSA key for an operation that the table allows.
    func rsa(for operation: KeyOperation) throws(ModuleRefusal) -> OpenRSAKey {
        try permit(operation)
        guard let rsa else { throw ModuleRefusal(.algorithmNotPermitted) }
        return rsa
    }

    func permit(_ operation: KeyOperation, factors: Int = 0) throws(ModuleRefusal) {
        if permitted.contains(operation, factors: factors) { return }
        guard component == nil else { throw ModuleRefusal(.usageNotPermitted) }
        if let error = PermissionTable.refusal(attributes, operation, factors: factors) { throw ModuleRefusal(error) }
    }
}

/// The bounded cache of opened keys. Holds its lock for look-ups only; keys are unwrapped outside of it.
final class OpenKeyCache: Sendable {
    private struct State {
        var byHandle: [UInt32: OpenKeyEntry] = [:]
        var byBlock: [String: UInt32] = [:]
        var blocks: [UInt32: String] = [:]
        /// Handles in the order in which the hand passes them.
        var ring: [UInt32] = []
        /// Those of them that are RSA keys, the oldest first.
        var asymmetric: [UInt32] = []
        var hand = 0
        var last: UInt32 = 0
    }

    /// RSA keys open at one time: each takes up to 2 kB of libcrypto's locked heap, which has 512 kB.
    static let asymmetricLimit = 128

    private let epoch: UInt32
    private let limit: Int
    private let state = Mutex(State())

    init(epoch: UInt32, limit: Int) {
        self.epoch = epoch
        self.limit = max(1, limit)
    }

    var count: Int { state.withLock { $0.ring.count } }

    func entry(_ handle: KeyHandle) throws(ModuleRefusal) -> OpenKeyEntry {
        guard UInt32(truncatingIfNeeded: handle.rawValue >> 32) == epoch else { throw ModuleRefusal(.unknownHandle) }
        let number = UInt32(truncatingIfNeeded: handle.rawValue)
        let found = state.withLock { $0.byHandle[number] }
        guard let found else { throw ModuleRefusal(.unknownHandle) }
        if !found.isRecentlyUsed.load(ordering: .relaxed) { found.isRecentlyUsed.store(true, ordering: .relaxed) }
        return found
    }

    func entry(ofBlock block: String) -> (handle: KeyHandle, entry: OpenKeyEntry)? {
        let found = state.withLock { state -> (UInt32, OpenKeyEntry)? in
            guard let number = state.byBlock[block], let entry = state.byHandle[number] else { return nil }
            return (number, entry)
        }
        guard let (number, entry) = found else { return nil }
        entry.isRecentlyUsed.store(true, ordering: .relaxed)
        return (handle(number), entry)
    }

    /// Takes a key in; another entry for the same block, if one came first, is the answer.
    func insert(_ entry: OpenKeyEntry, block: String) throws(ModuleRefusal) -> (handle: KeyHandle, entry: OpenKeyEntry)
    {
        let taken = state.withLock { state -> (UInt32, OpenKeyEntry, OpenKeyEntry?)? in
            if let number = state.byBlock[block], let earlier = state.byHandle[number] { return (number, earlier, nil) }
            // Numbers are not used twice within an epoch: a handle never comes to name another key.
            guard state.last < UInt32.max else { return nil }
            var evicted = state.ring.count >= limit ? Self.evict(&state) : nil
            if entry.rsa != nil {
                if state.asymmetric.count >= Self.asymmetricLimit { evicted = Self.evictAsymmetric(&state) }
                state.asymmetric.append(state.last + 1)
            }
            state.last += 1
            state.byHandle[state.last] = entry
            state.byBlock[block] = state.last
            state.blocks[state.last] = block
            state.ring.append(state.last)
            return (state.last, entry, evicted)
        }
        guard let (number, entry, _) = taken else { throw ModuleRefusal(.tooManyKeysOpen) }
        return (handle(number), entry)
    }

    func close(_ handle: KeyHandle) throws(ModuleRefusal) {
        let number = UInt32(truncatingIfNeeded: handle.rawValue)
        guard UInt32(truncatingIfNeeded: handle.rawValue >> 32) == epoch else { throw ModuleRefusal(.unknownHandle) }
        let closed = state.withLock { state -> OpenKeyEntry? in
            guard let position = state.ring.firstIndex(of: number) else { return nil }
            return Self.remove(position, from: &state)
        }
        guard closed != nil else { throw ModuleRefusal(.unknownHandle) }
    }

    private func handle(_ number: UInt32) -> KeyHandle { KeyHandle(rawValue: UInt64(epoch) << 32 | UInt64(number)) }

    /// The clock algorithm: the first key since the hand's place that was not used in the last round.
    private static func evict(_ state: inout State) -> OpenKeyEntry? {
        for _ in 0..<2 * state.ring.count {
            if state.hand >= state.ring.count { state.hand = 0 }
            let number = state.ring[state.hand]
            let wasUsed = state.byHandle[number]?.isRecentlyUsed.exchange(false, ordering: .relaxed) ?? false
            if !wasUsed { break }
            state.hand += 1
        }
        if state.hand >= state.ring.count { state.hand = 0 }
        return state.ring.isEmpty ? nil : remove(state.hand, from: &state)
    }

    /// The oldest RSA key.
    private static func evictAsymmetric(_ state: inout State) -> OpenKeyEntry? {
        guard let oldest = state.asymmetric.first, let position = state.ring.firstIndex(of: oldest) else { return nil }
        return remove(position, from: &state)
    }

    /// The last key takes the place of the removed one.
    private static func remove(_ position: Int, from state: inout State) -> OpenKeyEntry? {
        state.ring.swapAt(position, state.ring.count - 1)
        let number = state.ring.removeLast()
        if let block = state.blocks.removeValue(forKey: number) { state.byBlock[block] = nil }
        let entry = state.byHandle.removeValue(forKey: number)
        if entry?.rsa != nil { state.asymmetric.removeAll { $0 == number } }
        return entry
    }
}
