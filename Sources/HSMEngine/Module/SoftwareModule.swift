import Dispatch
public import HSMBridge
import Synchronization

/// The software security module (软件密码机): states, keyring, ceremonies, journal, and the commands over them.
///
/// Lives in `kmsd hsm` behind `ModuleServer`, and in tests in their own process. Never throws at its birth: what is wrong with
/// its folder or its self-tests shows as the state `failed` with a reason, so that an operator can ask it.
public final class SoftwareModule: SecurityModule {
    public static let firmware = "kmsd-hsm 0.1.0"

    let settings: ModuleSettings
    let live: Mutex<LiveState>
    let journal: Journal
    let entries = ComponentEntries()
    private let folder: StateFolder?

    public init(_ settings: ModuleSettings) {
        self.settings = settings
        let path = settings.journalPath ?? settings.stateFolder + "/module.journal"
        journal = Journal(path: path, clock: settings.wallClock)
        var failure: String?
        var record = StateRecord()
        var folder: StateFolder?
        if let name = SelfTests.firstFailure(breaking: settings.brokenSelfTest) { failure = "self-test \(name)" }
        do throws(StateFolderFault) {
            let opened = try StateFolder(path: settings.stateFolder)
            folder = opened
            record = try Self.startRecord(in: opened, journal)
        } catch {
            failure = failure ?? error.reason
        }
        self.folder = folder
        live = Mutex(LiveState(record: record, failure: failure))
        try? journal.append("note", "start", [JournalField("state", failure ?? "ready")])
    }

    /// What the module knew before, with this start counted. A journal without a state file, or one that was changed, is a
    /// contradiction: somebody else has been here.
    private static func startRecord(
        in folder: StateFolder, _ journal: Journal
    ) throws(StateFolderFault) -> StateRecord {
        if let line = journal.firstBadLine() { throw StateFolderFault(reason: "journal line \(line)") }
        let known = try folder.read()
        if known == nil, journal.hasLines { throw StateFolderFault(reason: "state file is missing") }
        var record = known ?? StateRecord()
        guard record.epoch < UInt32.max else { throw StateFolderFault(reason: "epochs are used up") }
        record.epoch += 1
        try folder.write(record)
        return record
    }

    // MARK: SecurityModule

    public func exchange(_ request: consuming ModuleRequest) async throws(ModuleError) -> ModuleReply {
        guard request.byteCount <= ModuleMessageLimits.maximumLength + 4 else { throw .tooLarge }
        guard unsafe request.withMessage({ unsafe MessageFrame.mayBlock($0) }) else {
            return try answer(&request)
        }
        // Cards, RSA and the journal's disk block; not on a thread of the cooperative pool.
        let held = HeldRequest(request, for: self)
        let result = await withCheckedContinuation { continuation in
            DispatchQueue.global().async { continuation.resume(returning: held.answer()) }
        }
        return try result.get()
    }

    fileprivate func answer(_ request: inout ModuleRequest) throws(ModuleError) -> ModuleReply {
        var writer = ModuleReplyWriter(capacity: 64 * request.count + 64)
        unsafe request.withMessage { message in
            _ = unsafe answer(UnsafeRawBufferPointer(rebasing: message.dropFirst(4)), from: .thisProcess, into: &writer)
        }
        let bytes = unsafe writer.withMessage { unsafe Array($0.dropFirst(4)) }
        do throws(WireError) { return try ModuleReply(message: bytes) } catch { throw .internalFault }
    }

    // MARK: State

    /// The state and, where it is operational, the keyring. Ends what is over its time first.
    func current() -> (state: ModuleState, keyring: Keyring?, ceremonyExpired: Bool) {
        live.withLock { live in
            if live.ceremony != nil { live.endExpiredCeremony(now: settings.monotonicSeconds()) }
            return (live.state, live.keyring, live.ceremonyExpired)
        }
    }

    /// Ends ceremonies and component entries that are over their time, so that nothing of them stays in memory while nobody
    /// calls. The server does this every second.
    public func endExpiredSessions() {
        _ = current()
        entries.forgetExpired(now: settings.monotonicSeconds())
    }

    func status() -> ModuleStatus {
        let snapshot = live.withLock { live in
            live.endExpiredCeremony(now: settings.monotonicSeconds())
            return live
        }
        let key = snapshot.record.masterKey
        return ModuleStatus(
            state: snapshot.state, firmware: Self.firmware, epoch: snapshot.record.epoch, term: key?.term ?? 0,
            lmkCheckValue: key?.checkValue, componentCheckValues: key?.components.map(\.checkValue) ?? [],
            selfTestsPassed: snapshot.failure.isEmpty ? UInt16(SelfTests.all.count) : 0, failure: snapshot.failure,
            openKeys: UInt32(snapshot.keyring?.cache.count ?? 0))
    }

    func write(_ record: StateRecord) throws(ModuleRefusal) {
        guard let folder else { throw ModuleRefusal(.stateFolderFault) }
        do throws(StateFolderFault) { try folder.write(record) } catch { throw ModuleRefusal(.stateFolderFault) }
    }

    /// The next record with a new epoch, which makes every handle of before void.
    func nextEpoch(_ record: StateRecord) throws(ModuleRefusal) -> StateRecord {
        guard record.epoch < UInt32.max else { throw ModuleRefusal(.stateFolderFault) }
        var next = record
        next.epoch += 1
        try write(next)
        return next
    }
}

/// A request on its way to another thread, answered exactly once. The module is let go before its caller hears: who drops it then
/// has closed its folder, and may open the folder again.
private final class HeldRequest: Sendable {
    private struct Work: ~Copyable {
        let module: SoftwareModule
        var request: ModuleRequest
    }

    private let work: Mutex<Work?>

    init(_ request: consuming ModuleRequest, for module: SoftwareModule) {
        work = Mutex(Work(module: module, request: request))
    }

    func answer() -> Result<ModuleReply, ModuleError> {
        guard var work = work.withLock({ $0.take() }) else { return .failure(.internalFault) }
        do throws(ModuleError) { return .success(try work.module.answer(&work.request)) } catch {
            return .failure(error)
        }
    }
}
