import CryptoClient
import NIOCore

/// Counts what one event loop does. Confined to it: no lock, no atomic, and what others may see is copied out at each tick.
///
/// An answer is put on a short list when it is written to its connection's buffer and binned when the turn's writes are done
/// (`settle`), so that one reading of the clock serves all answers of a turn and the time includes the write itself. Answers
/// alike (a pipelining client's) share an entry.
final class LoopMeter {
    private struct Run {
        let arrived: UInt64
        let command: HostCommandCode
        let code: HostErrorCode
        let door: ServiceDoor
        var count: UInt32
    }

    /// Entries after which the list is binned although the turn goes on.
    private static let runLimit = 1_024

    private let metrics: ServiceMetrics
    private let number: Int
    private let clock: @Sendable () -> UInt64
    private let slots = CommandSlots.shared
    private var runs: [Run] = []
    private var figures = LoopFigures()

    init(_ metrics: ServiceMetrics, number: Int, clock: @escaping @Sendable () -> UInt64) {
        self.metrics = metrics
        self.number = number
        self.clock = clock
        runs.reserveCapacity(Self.runLimit)
    }

    /// Nanoseconds on a clock that never goes back: once for each read, not for each frame.
    func now() -> UInt64 { clock() }

    /// An answer went into its connection's write buffer; `arrived` is the `now()` of the read that brought the first byte of
    /// its request.
    @inline(__always)
    func answered(
        _ command: HostCommandCode, _ code: HostErrorCode, door: ServiceDoor, since arrived: UInt64, count: Int = 1
    ) {
        if let last = runs.indices.last, runs[last].arrived == arrived, runs[last].command == command,
            runs[last].code == code, runs[last].door == door
        {
            runs[last].count &+= UInt32(count)
            return
        }
        if runs.count == Self.runLimit { settle() }
        runs.append(Run(arrived: arrived, command: command, code: code, door: door, count: UInt32(count)))
    }

    /// Answers whose time the caller has measured already.
    @inline(__always)
    func answered(
        _ command: HostCommandCode, _ code: HostErrorCode, door: ServiceDoor, count: Int, nanoseconds: UInt64
    ) {
        figures.answered(door, slot: slots.slot(command), code, nanoseconds: nanoseconds, count: UInt64(count))
    }

    /// The turn's answers are written.
    func settle() {
        guard !runs.isEmpty else { return }
        let now = clock()
        for run in runs {
            figures.answered(
                run.door, slot: slots.slot(run.command), run.code,
                nanoseconds: now > run.arrived ? now &- run.arrived : 0, count: UInt64(run.count))
        }
        runs.removeAll(keepingCapacity: true)
    }

    /// How the loop stands; set before `publish`.
    var gauges: LoopFigures.Gauges {
        get { figures.gauges }
        set { figures.gauges = newValue }
    }

    /// Lets the others see the figures. Called at the loop's tick and at its end.
    func publish() { metrics.publish(figures, of: number) }

    // MARK: The module

    /// A message went to the module; its items are requests and key openings.
    @inline(__always)
    func sentToModule(items: Int, _ way: LoopFigures.ModuleWay = .hot) { figures.batches[way.rawValue].add(items) }

    /// A message came back from the module this long after it was sent.
    @inline(__always)
    func moduleAnswered(nanoseconds: UInt64) { figures.moduleTime.add(nanoseconds) }

    func moduleConnected() { figures.moduleConnections &+= 1 }

    /// A connection to the module ended under `waiting` items.
    func moduleLost(waiting: Int) {
        figures.moduleLosses &+= 1
        figures.moduleLost &+= UInt64(waiting)
    }

    /// A batch was taken up. For the module a YB is one item, however many records it has.
    func batch(_ command: HostCommandCode, records: Int) {
        figures.records[slots.slot(command), default: BatchHistogram()].add(records)
    }

    // MARK: Keys

    @inline(__always)
    func keyHits(_ count: Int = 1) { figures.keyHits &+= UInt64(count) }
    func keyMiss() { figures.keyMisses &+= 1 }
    func keyOpened() { figures.keysOpened &+= 1 }
    func handleVoided() { figures.handlesVoided &+= 1 }

    // MARK: Connections

    func connectionOpened(_ door: ServiceDoor) { figures.opened[Int(door.rawValue)] &+= 1 }

    func connectionClosed(_ door: ServiceDoor, _ reason: ConnectionEnd) {
        figures.closed[Int(door.rawValue) * ConnectionEnd.allCases.count + Int(reason.rawValue)] &+= 1
    }

    /// Bytes of host commands, without those of TLS.
    @inline(__always)
    func received(bytes: Int) { figures.bytesIn &+= UInt64(bytes) }
    @inline(__always)
    func sent(bytes: Int) { figures.bytesOut &+= UInt64(bytes) }

    // MARK: Clients

    /// A request was refused because its client asks faster than it may.
    func rateRefused(client: String) { metrics.rateRefused(client: client) }
}
