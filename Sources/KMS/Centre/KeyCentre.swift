public import HSMBridge
public import MariaDB
import Synchronization

/// The key centre (密钥管理中心): everything that administrators do, each step checked, recorded and carried out in this order.
///
/// It holds wrapped keys only. Its public verbs stand in extensions, one file for each part of the work.
public final class KeyCentre: Sendable {
    public let audit: AuditTrail
    public let directory: KeyDirectory
    public let counts: RequestCounts
    public let failedChecks: FailedChecks

    let database: Database
    let module: any SecurityModule
    let settings: KMSSettings
    let clocks: Clocks
    let sessions: Sessions
    let throttle: Throttle
    let verifier = PasswordVerifier()
    let desk = Mutex(Desk())

    /// What is remembered between two steps of one piece of work; a restart forgets it.
    struct Desk {
        /// Open component entries of the module: the version that each is for.
        var componentEntries: [UInt64: KeyIdentity] = [:]
        /// Digest of the bootstrap token, and the wrong ones given so far.
        var bootstrapToken: [UInt8]?
        var bootstrapTries = 0
        /// Names whose password is being checked: one check at a time for each.
        var checking: Set<String> = []
        /// When a refused block was last recorded, so that a hot path cannot flood the trail.
        var findings: [String: UInt64] = [:]
    }

    private init(
        audit: AuditTrail, directory: KeyDirectory, database: Database, module: any SecurityModule,
        settings: KMSSettings, clocks: Clocks
    ) {
        self.audit = audit
        self.directory = directory
        self.database = database
        self.module = module
        self.settings = settings
        self.clocks = clocks
        counts = RequestCounts(database: database, clocks: clocks)
        failedChecks = FailedChecks(database: database, clocks: clocks)
        sessions = Sessions(idleSeconds: settings.sessionIdleSeconds, longestSeconds: settings.sessionSeconds)
        throttle = Throttle(seconds: max(1, settings.lockSeconds))
    }

    /// Opens the trail (both sinks must be writable) and loads the key directory. The schema must be up to date.
    public static func open(
        database: Database, module: any SecurityModule, settings: KMSSettings, clocks: Clocks = .system
    ) async throws(KMSError) -> KeyCentre {
        guard KeyName(issuer: "a", product: "a", label: String(settings.node.prefix(24))) != nil,
            settings.node.utf8.count <= 24
        else { throw .invalidInput("node") }
        let audit = try await AuditTrail.open(
            node: settings.node, path: settings.auditFile, database: database, clocks: clocks)
        let directory = KeyDirectory(
            database: database, clocks: clocks, staleSeconds: settings.directoryStaleSeconds)
        try await directory.refreshNow()
        return KeyCentre(
            audit: audit, directory: directory, database: database, module: module, settings: settings, clocks: clocks)
    }

    /// Keeps the directory current and writes counters, until the task is cancelled. Errors are met again the next time.
    ///
    /// Side by side: the counters of thousands of keys take their time to write, and what is suspended meanwhile must be seen.
    public func run() async {
        await withDiscardingTaskGroup { group in
            group.addTask {
                repeat { try? await self.directory.refresh() } while await Self.pause(Self.refreshInterval)
            }
            group.addTask {
                while await Self.pause(Self.flushInterval) { await self.flush() }
            }
        }
    }

    private static let refreshInterval = Duration.milliseconds(500)
    private static let flushInterval = Duration.seconds(10)

    /// False where the task was cancelled meanwhile.
    private static func pause(_ time: Duration) async -> Bool {
        do { try await Task.sleep(for: time) } catch { return false }
        return true
    }

    /// The last counters and the record of the stop.
    public func stop() async {
        await flush()
        _ = try? await audit.append([AuditEvent(.stopTrail, actors: [], origin: "audit", outcome: .noted)])
    }

    private func flush() async {
        try? await counts.flush()
        try? await failedChecks.flush()
    }
}

// MARK: - The database, with this room's errors

extension KeyCentre {
    func read<T: Sendable>(_ body: @escaping @Sendable (inout Connection) throws -> T) async throws(KMSError) -> T {
        do { return try await database.read(body) } catch { throw .from(error) }
    }

    func write<T: Sendable>(_ body: @escaping @Sendable (inout Connection) throws -> T) async throws(KMSError) -> T {
        do { return try await database.write(body) } catch { throw .from(error) }
    }

    /// A change that the key directories must see: ours at once, the other nodes' within two seconds.
    func change<T: Sendable>(
        touchesKeys: Bool = true, _ body: @escaping @Sendable (inout Connection) throws -> T
    ) async throws(KMSError) -> T {
        let result = try await write { connection in
            // First, so that changes come one after the other: rows of `key_version` bear the counter, and a reader that has
            // seen it must have seen them all.
            try ChangeCounterTable.advance(touchesKeys: touchesKeys, &connection)
            return try body(&connection)
        }
        try? await directory.refresh()
        return result
    }
}
