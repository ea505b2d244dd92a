internal import HSMBridge
internal import MariaDB
import Synchronization

/// The keys, clients and grants of the service, in memory, brought up to date by a change counter.
///
/// `KeyCentre.run` asks for the counter twice a second, so that a change reaches every node within two. If the database is away,
/// the last picture serves until `directoryStaleSeconds`; then `isStale` says that a suspended key might still be in it.
public final class KeyDirectory: Sendable {
    private let database: Database
    private let clocks: Clocks
    private let staleNanoseconds: UInt64
    private let current: Mutex<Snapshot>
    private let watchers = Mutex<[@Sendable (Snapshot) -> Void]>([])
    /// Whether the database answered when it was asked last.
    private let isAnswered = Atomic<Bool>(true)
    private let loads = Atomic<UInt64>(0)

    init(database: Database, clocks: Clocks, staleSeconds: Int) {
        self.database = database
        self.clocks = clocks
        staleNanoseconds = UInt64(max(1, staleSeconds)) * 1_000_000_000
        current = Mutex(
            Snapshot(change: 0, keyChange: 0, currentAt: 0, keys: .empty, clients: [], tokens: []))
    }

    /// The present picture; take it once for a batch.
    public var snapshot: Snapshot { current.withLock { $0 } }

    /// Moves after each new picture is in its place. One load without a lock, for those who cache what the picture says and look
    /// for each read whether it still does.
    public var revision: UInt64 { loads.load(ordering: .acquiring) }

    /// The picture is older than allowed: refuse with `directoryStale`.
    public var isStale: Bool { clocks.monotonicNanoseconds() &- snapshot.currentAt > staleNanoseconds }

    /// `watcher` is called with the picture after each look at the database, changed or not: what ends by the clock ends then
    /// too. It must be quick.
    public func watch(_ watcher: @escaping @Sendable (Snapshot) -> Void) { watchers.withLock { $0.append(watcher) } }

    /// How the picture stands, for those who watch the service.
    public var health: DirectoryHealth {
        let snapshot = snapshot
        let age = clocks.monotonicNanoseconds() &- snapshot.currentAt
        return DirectoryHealth(
            ageSeconds: Double(age) / 1_000_000_000, isStale: age > staleNanoseconds,
            databaseAnswers: isAnswered.load(ordering: .relaxed), keys: snapshot.keyCount,
            clients: snapshot.clientCount, change: snapshot.change)
    }

    /// Asks for the change counter and loads anew if it moved.
    public func refresh() async throws(KMSError) { try await load(always: false) }

    /// Loads anew.
    public func refreshNow() async throws(KMSError) { try await load(always: true) }

    private func load(always: Bool) async throws(KMSError) {
        let known = snapshot
        // Before the read: a change that comes later makes the picture older, never newer than it is.
        let asked = clocks.monotonicNanoseconds()
        let read: Snapshot?
        do {
            read = try await database.read { connection in
                let change = try ChangeCounterTable.value(&connection)
                if !always, change.all == known.change { return nil }
                return try Self.picture(change, at: asked, known: always ? nil : known, &connection)
            }
        } catch {
            isAnswered.store(false, ordering: .relaxed)
            throw .from(error)
        }
        isAnswered.store(true, ordering: .relaxed)
        let present = current.withLock { current in
            if let read {
                if read.change >= current.change { current = read }
            } else if current.change == known.change {
                current = Snapshot(current, currentAt: asked)
            }
            return current
        }
        if read != nil { loads.wrappingAdd(1, ordering: .releasing) }
        for watcher in watchers.withLock({ $0 }) { watcher(present) }
    }

    /// Of keys only those are read that changed since the picture before; there may be a million.
    private static func picture(
        _ change: ChangeCounterTable.Value, at now: UInt64, known: Snapshot?, _ connection: inout Connection
    ) throws -> Snapshot {
        let tokens = try ServiceTokenTable.all(&connection)
        let clients = try ServiceClient.all(tokens: tokens, &connection)
        let keys: KeyIndex
        if let known, known.change > 0 {
            keys = known.keyChange == change.keys ? known.keyIndex : try changed(since: known, &connection)
        } else {
            keys = try all(&connection)
        }
        return Snapshot(
            change: change.all, keyChange: change.keys, currentAt: now, keys: keys, clients: clients, tokens: tokens)
    }

    /// Rows bear the counter that their transaction found before it moved it on, or found moved already; both are at or above
    /// what the known picture shows. So the last change is read twice, and none is missed.
    private static func changed(since known: Snapshot, _ connection: inout Connection) throws -> KeyIndex {
        let versions = try KeyVersionTable.changed(from: known.keyChange, limit: changesRead, &connection)
        return versions.count < changesRead ? known.keyIndex.updated(versions) : try all(&connection)
    }

    private static func all(_ connection: inout Connection) throws -> KeyIndex {
        var builder = KeyIndex.Builder()
        try KeyVersionTable.each(&connection) { builder.take($0) }
        return builder.index()
    }

    /// Changes that are read one by one; with more the whole is read.
    private static let changesRead = 10_000
}

extension ServiceClient {
    /// All clients as they stand in the tables, by id.
    static func all(tokens: [ServiceTokenTable.Stored], _ connection: inout Connection) throws -> [ServiceClient] {
        let grants = try ServiceGrantTable.all(&connection)
        let certificates = try ServiceCertificateTable.all(&connection)
        let tokens = Dictionary(grouping: tokens, by: \.client)
        return try ServiceClientTable.all(&connection).map {
            ServiceClient(
                id: $0.id, description: $0.description, enabled: $0.enabled, grants: grants[$0.id, default: []],
                limit: $0.limit, addresses: $0.addresses, certificates: certificates[$0.id, default: []],
                tokens: tokens[$0.id, default: []].map { ClientToken(prefix: $0.prefix, until: $0.until) })
        }
    }
}

/// How the key directory stands.
public struct DirectoryHealth: Sendable, Hashable {
    /// Since the picture was last known to be current.
    public let ageSeconds: Double
    /// Older than allowed: requests are refused.
    public let isStale: Bool
    /// The database answered when it was asked last, about half a second ago.
    public let databaseAnswers: Bool
    /// Key versions and clients in the picture.
    public let keys: Int
    public let clients: Int
    /// The change counter that it shows.
    public let change: UInt64
}
