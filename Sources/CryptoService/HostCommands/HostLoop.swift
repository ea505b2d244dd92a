import CryptoClient
import HSMBridge
import KMS
import NIOCore

/// What the connections of one event loop share: the way to the module, the keys in use, the clock, and the counts.
///
/// All requests that arrive in one turn of the loop go to the module in one message, and each connection is written to once
/// for each message that comes back. Confined to its event loop; nothing here waits or takes a contended lock.
final class HostLoop {
    /// Everything the loops have from outside.
    struct Surroundings: Sendable {
        let settings: CryptoSettings
        let directory: KeyDirectory
        let counts: RequestCounts
        let failedChecks: FailedChecks
        let clocks: Clocks
        let slow: SlowCommands
        let metrics: ServiceMetrics
    }

    static let tickTime = TimeAmount.milliseconds(250)

    let surroundings: Surroundings
    let eventLoop: any EventLoop
    let meter: LoopMeter
    var settings: CryptoSettings { surroundings.settings }

    private var connections: [ObjectIdentifier: HostConnection] = [:]
    /// Requests of other doors that wait for their answer.
    private var calls: [ObjectIdentifier: HostCall] = [:]
    private var dirty: [HostConnection] = []
    /// The one connection that was written to when `flushDirty` ran last; nil where it was none, or several.
    private var lone: HostConnection?
    /// How many requests may still be caught before the sockets of this loop are looked at again.
    private var catches = 0
    /// What other doors do when the answers of a turn are in.
    private var endOfTurn: [() -> Void] = []
    private var clients: [String: ClientKeys] = [:]
    private var touched: [KeyEntry] = []
    /// With failed checks that are not recorded yet.
    private var suspicious: [KeyEntry] = []
    private var snapshot: Snapshot
    private var now: Timestamp
    private var isStale: Bool
    /// Moves with each look at the directory and the clock: what was granted in another tick is looked at again.
    private(set) var tick: UInt64 = 1
    private var revision: UInt64
    private var turns = 0
    private var ticker: RepeatedTask?
    private var isStopping = false
    private var stopped: EventLoopPromise<Void>?

    /// Single commands, and batches whose thousands of checks must not hold those up.
    private(set) var hot: ModuleChannel?
    private(set) var bulk: ModuleChannel?
    /// RSA: so many that all loops together keep every processor busy, and two at least.
    private var signing: [ModuleChannel] = []
    private var channels: [ModuleChannel] { (hot.map { [$0] } ?? []) + (bulk.map { [$0] } ?? []) + signing }

    /// The way with the fewest signatures before a new one, of those that are open.
    var leastBusySigning: ModuleChannel? {
        signing.min { ($0.isConnected ? 0 : 1, $0.waiting) < ($1.isConnected ? 0 : 1, $1.waiting) }
    }

    init(_ surroundings: Surroundings, eventLoop: any EventLoop) {
        self.surroundings = surroundings
        self.eventLoop = eventLoop
        meter = surroundings.metrics.makeLoopMeter()
        revision = surroundings.directory.revision
        snapshot = surroundings.directory.snapshot
        now = surroundings.clocks.wall()
        isStale = surroundings.directory.isStale
    }

    // MARK: Start and stop

    /// Connects to the module (or begins to try) and starts the clock.
    func start() -> EventLoopFuture<Void> {
        hot = ModuleChannel(loop: self, way: .hot)
        bulk = ModuleChannel(loop: self, way: .bulk)
        let count = max(2, ProcessFigures.processors / max(1, settings.loops))
        signing = (0..<count).map { _ in ModuleChannel(loop: self, way: .signing) }
        let bound = NIOLoopBound(self, eventLoop: eventLoop)
        ticker = eventLoop.scheduleRepeatedTask(initialDelay: Self.tickTime, delay: Self.tickTime) { _ in
            bound.value.onTick()
        }
        return EventLoopFuture.andAllComplete(channels.map { $0.start() }, on: eventLoop)
    }

    /// Answers what was accepted, closes the connections, and then the way to the module.
    func stop() -> EventLoopFuture<Void> {
        let promise = eventLoop.makePromise(of: Void.self)
        isStopping = true
        stopped = promise
        for connection in connections.values { connection.end(.stop) }
        flushDirty()
        eventLoop.assumeIsolated().scheduleTask(in: .seconds(Int64(settings.stopSeconds))) {
            self.hasten()
        }
        endIfDone()
        return promise.futureResult
    }

    /// Gives up what is still open.
    func hasten() {
        for connection in connections.values { connection.closeNow() }
        for call in calls.values { end(call, .refused(.internalError)) }
    }

    private func endIfDone() {
        guard isStopping, connections.isEmpty, calls.isEmpty, let stopped else { return }
        self.stopped = nil
        ticker?.cancel()
        giveFailures()
        giveCounts()
        publish()
        for channel in channels { channel.stop() }
        stopped.succeed(())
    }

    /// What was revoked a moment ago must not be served until the next tick: the hot lane asks this before each read.
    @inline(__always)
    func lookIfDirectoryChanged() {
        if surroundings.directory.revision != revision { look() }
    }

    private func look() {
        tick += 1
        // Before the picture: one that comes in between is looked at once more, and never missed.
        revision = surroundings.directory.revision
        snapshot = surroundings.directory.snapshot
        now = surroundings.clocks.wall()
        isStale = surroundings.directory.isStale
    }

    private func onTick() {
        look()
        turns += 1
        let deadline = NIODeadline.now()
        for channel in channels { channel.checkDeadline(deadline) }
        for connection in connections.values { connection.checkTime(deadline) }
        flushDirty()
        giveFailures()
        if turns % 4 == 0 { giveCounts() }
        publish()
    }

    // MARK: Connections

    func add(_ connection: HostConnection) {
        connections[ObjectIdentifier(connection)] = connection
        if isStopping { connection.end(.stop) }
    }

    func remove(_ connection: HostConnection) {
        connections[ObjectIdentifier(connection)] = nil
        if lone === connection { lone = nil }
        endIfDone()
    }

    func keys(of client: String) -> ClientKeys {
        if let known = clients[client] { return known }
        let keys = ClientKeys(client: client)
        clients[client] = keys
        return keys
    }

    func markDirty(_ connection: HostConnection) {
        guard !connection.isDirty else { return }
        connection.isDirty = true
        dirty.append(connection)
    }

    /// Writes what is ready, once for each connection.
    func flushDirty() {
        lone = dirty.count == 1 ? dirty.first : nil
        while let connection = dirty.popLast() {
            if connection.isDirty { connection.flush() }
        }
        if !endOfTurn.isEmpty {
            let works = endOfTurn
            endOfTurn.removeAll(keepingCapacity: true)
            for work in works { work() }
        }
        meter.settle()
    }

    // MARK: Few at a time

    /// Requests that are caught one after the other; so long at most the other sockets of the loop wait.
    private static let mostCatches = 16

    /// The sockets of the loop have been looked at.
    @inline(__always)
    func renewCatches() { catches = Self.mostCatches }

    /// A client that waits for each answer sends its next request when it has this one: it is looked for, for a moment, and taken up
    /// without a turn of the loop. True where there was something.
    func catchRequest() -> Bool {
        guard catches > 0, let connection = lone, !isStopping else { return false }
        catches -= 1
        return connection.catchRequest()
    }

    // MARK: Other doors

    /// Takes a request that did not come over a connection of this loop; `done` hears its answer, once, on this loop.
    func answer(_ request: HostRequest, _ identity: HostConnection.Identity, _ done: @escaping (HostAnswer) -> Void) {
        let call = HostCall(
            request: request, identity: identity, keys: keys(of: identity.client), arrived: meter.now(), done: done)
        calls[ObjectIdentifier(call)] = call
        take(call)
    }

    /// Takes the diversifications of a batch, each counted as a YD of its own; `done` hears the answer of each card by its index.
    func answer(
        _ batch: DiversificationBatch, _ identity: HostConnection.Identity, _ done: @escaping (Int, HostAnswer) -> Void
    ) {
        let arrived = meter.now()
        let cards = batch.paths.indices.map { index in
            HostCall(
                request: .diversifyKey(batch.request(index)), identity: identity, keys: keys(of: identity.client),
                arrived: arrived
            ) { done(index, $0) }
        }
        for call in cards { calls[ObjectIdentifier(call)] = call }
        let (access, slow) = (access(of: identity.client), surroundings.slow)
        let (eventLoop, bound) = (eventLoop, NIOLoopBound((self, cards), eventLoop: eventLoop))
        Task {
            let answers = await slow.answer(batch, access)
            eventLoop.execute {
                let (loop, cards) = bound.value
                for (call, answer) in zip(cards, answers) { loop.end(call, answer) }
                loop.flushDirty()
            }
        }
    }

    /// Runs `work` when all answers of the message that is being read are in: what a door writes then, it writes once.
    func atEndOfTurn(_ work: @escaping () -> Void) { endOfTurn.append(work) }

    func end(_ call: HostCall, _ answer: HostAnswer) {
        guard calls.removeValue(forKey: ObjectIdentifier(call)) != nil else { return }
        meter.answered(
            type(of: call.request.command).code, answer.code, door: call.identity.door, since: call.arrived)
        call.done(answer)
        endIfDone()
    }

    // MARK: Keys and counts

    /// The picture of keys and grants as it is now; one lock without contention.
    func access(of client: String) -> KeyAccess {
        let present = surroundings.directory.snapshot
        if present !== snapshot { snapshot = present }
        return KeyAccess(snapshot: snapshot, client: client, now: now, isStale: isStale)
    }

    func entry(
        _ key: HostKeyReference, for operation: ServiceOperation, _ asker: Asker
    ) throws(Refusal) -> KeyEntry {
        let keys = asker.keys
        let misses = keys.misses
        let entry = try keys.entry(key, for: operation, access(of: asker.identity.client), tick: tick)
        if keys.misses == misses { meter.keyHits() } else { meter.keyMiss() }
        return entry
    }

    /// A new connection to the module: what it gave out before is void.
    func moduleConnected() {
        for keys in clients.values { keys.forgetHandles() }
    }

    /// Counts what became of requests under a key; the failed checks of one origin are recorded together at the tick.
    func count(_ entry: KeyEntry, _ tally: RunTally, origin: @autoclosure () -> String) {
        guard tally.succeeded + tally.failed > 0 else { return }
        if entry.succeeded + entry.failed == 0 { touched.append(entry) }
        entry.succeeded += tally.succeeded
        entry.failed += tally.failed
        if tally.wrongIssuerData > 0 {
            surroundings.failedChecks.record(
                client: entry.client, key: entry.key.name, operation: entry.operation,
                code: HostErrorCode.issuerDataMAC.rawValue, origin: origin(), count: tally.wrongIssuerData)
        }
        guard tally.wrong > 0 else { return }
        let origin = origin()
        if entry.wrong == 0 {
            suspicious.append(entry)
        } else if entry.wrongOrigin != origin {
            record(entry)
        }
        entry.wrong += tally.wrong
        entry.wrongOrigin = origin
    }

    private func record(_ entry: KeyEntry) {
        surroundings.failedChecks.record(
            client: entry.client, key: entry.key.name, operation: entry.operation,
            code: (entry.operation == .verifySignature ? HostErrorCode.signatureInvalid : .verificationFailed).rawValue,
            origin: entry.wrongOrigin, count: entry.wrong)
        entry.wrong = 0
    }

    private func giveFailures() {
        for entry in suspicious where entry.wrong > 0 { record(entry) }
        suspicious.removeAll(keepingCapacity: true)
    }

    private func publish() {
        meter.gauges.inFlight = connections.values.reduce(calls.count) { $0 + $1.waiting }
        meter.gauges.moduleQueue = channels.reduce(0) { $0 + $1.waiting }
        meter.gauges.moduleConnected = hot?.isConnected ?? false
        meter.gauges.cachedKeys = clients.values.reduce(0) { $0 + $1.count }
        meter.publish()
    }

    private func giveCounts() {
        for entry in touched {
            surroundings.counts.count(
                client: entry.client, key: entry.key.name, operation: entry.operation, succeeded: entry.succeeded,
                failed: entry.failed)
            entry.succeeded = 0
            entry.failed = 0
        }
        touched.removeAll(keepingCapacity: true)
    }
}
