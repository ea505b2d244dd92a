internal import MariaDB
import Synchronization

/// The keys, clients and grants of the service, in memory, brought up to date by a change counter.
///
/// `KeyCentre.run` asks for the counter each second, so that a change reaches every node within two. If the database is away,
/// the last picture serves until `directoryStaleSeconds`; then `isStale` says that a suspended key might still be in it.
public final class KeyDirectory: Sendable {
    private let database: Database
    private let clocks: Clocks
    private let staleNanoseconds: UInt64
    private let current: Mutex<Snapshot>

    init(database: Database, clocks: Clocks, staleSeconds: Int) {
        self.database = database
        self.clocks = clocks
        staleNanoseconds = UInt64(max(1, staleSeconds)) * 1_000_000_000
        current = Mutex(Snapshot(change: 0, currentAt: 0, keys: [], clients: [], tokens: [:]))
    }

    /// The present picture; take it once for a batch.
    public var snapshot: Snapshot { current.withLock { $0 } }

    /// The picture is older than allowed: refuse with `directoryStale`.
    public var isStale: Bool { clocks.monotonicNanoseconds() &- snapshot.currentAt > staleNanoseconds }

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
                if !always, change == known.change { return nil }
                return try Self.picture(change, at: asked, &connection)
            }
        } catch { throw .from(error) }
        current.withLock { current in
            if let read {
                if read.change >= current.change { current = read }
            } else if current.change == known.change {
                current = Snapshot(current, currentAt: asked)
            }
        }
    }

    private static func picture(_ change: UInt64, at now: UInt64, _ connection: inout Connection) throws -> Snapshot {
        let grants = try ServiceGrantTable.all(&connection)
        let stored = try ServiceClientTable.all(&connection)
        let clients = stored.map {
            ServiceClient(
                id: $0.id, description: $0.description, enabled: $0.enabled, grants: grants[$0.id, default: []])
        }
        let tokens = Dictionary(stored.map { ($0.tokenHash, $0.id) }) { first, _ in first }
        let keys = try KeyVersionTable.all(&connection).compactMap(\.stored)
        return Snapshot(change: change, currentAt: now, keys: keys, clients: clients, tokens: tokens)
    }
}
