public import CryptoClient
import NIOCore
import Synchronization

/// The figures of the whole service: what the event loops publish at each tick, what other threads count, and the last minute.
///
/// One for a process, given to every door. Everything in it is bounded: by the loops, the doors, the closed sets of commands
/// and codes, and `clientLimit` names.
public final class ServiceMetrics: Sendable {
    /// Client names counted one by one; further ones are counted as `(other)`.
    static let clientLimit = 512
    /// Under which names beyond the limit are counted.
    static let others = "(other)"

    struct State: Sendable {
        var loops: [LoopFigures] = []
        /// When each loop published last.
        var turns: [UInt64] = []
        /// Of HTTP and of everything that does not live on an event loop of host commands.
        var shared = LoopFigures()
        /// By door and reason.
        var refusedConnections = [UInt64](
            repeating: 0, count: LoopFigures.doors * ConnectionRefusal.allCases.count)
        var rateRefused: [String: UInt64] = [:]
        var doors: [ServiceDoor: String] = [:]
        var window = MinuteWindow()
        var isStopping = false
    }

    private let state = Mutex(State())
    private let clock: @Sendable () -> UInt64
    /// When the process began to serve, on the metrics' clock.
    let startedAt: UInt64

    public convenience init() { self.init { NIODeadline.now().uptimeNanoseconds } }

    /// `clock`: nanoseconds that never go back; another one for tests.
    init(clock: @escaping @Sendable () -> UInt64) {
        self.clock = clock
        startedAt = clock()
    }

    /// A meter for one more event loop.
    func makeLoopMeter() -> LoopMeter {
        let number = state.withLock { state in
            state.loops.append(LoopFigures())
            state.turns.append(startedAt)
            return state.loops.count - 1
        }
        return LoopMeter(self, number: number, clock: clock)
    }

    func publish(_ figures: LoopFigures, of number: Int) {
        let now = clock()
        state.withLock { state in
            state.loops[number] = figures
            state.turns[number] = now
            if state.window.isDue(now) { state.window.add(state.sum.answers, at: now) }
        }
    }

    // MARK: From any thread

    /// An operation over HTTP was answered.
    public func answered(_ door: ServiceDoor, command: HostCommandCode, code: HostErrorCode, nanoseconds: UInt64) {
        let slot = CommandSlots.shared.slot(command)
        let now = clock()
        state.withLock { state in
            state.shared.answered(door, slot: slot, code, nanoseconds: nanoseconds)
            if state.window.isDue(now) { state.window.add(state.sum.answers, at: now) }
        }
    }

    /// A connection was closed before it was served.
    public func connectionRefused(_ door: ServiceDoor, _ reason: ConnectionRefusal) {
        state.withLock {
            $0.refusedConnections[
                Int(door.rawValue) * ConnectionRefusal.allCases.count + Int(reason.rawValue)] &+= 1
        }
    }

    /// A request was refused because its client asks faster than it may.
    public func rateRefused(client: String) {
        state.withLock { state in
            let isKnown = state.rateRefused[client] != nil || state.rateRefused.count < Self.clientLimit
            state.rateRefused[isKnown ? client : Self.others, default: 0] &+= 1
        }
    }

    public func connectionOpened(_ door: ServiceDoor) {
        state.withLock { $0.shared.opened[Int(door.rawValue)] &+= 1 }
    }

    public func connectionClosed(_ door: ServiceDoor, _ reason: ConnectionEnd) {
        state.withLock {
            $0.shared.closed[Int(door.rawValue) * ConnectionEnd.allCases.count + Int(reason.rawValue)] &+= 1
        }
    }

    /// A door takes requests at this address.
    public func doorOpened(_ door: ServiceDoor, _ address: String) { state.withLock { $0.doors[door] = address } }

    public func doorClosed(_ door: ServiceDoor) { state.withLock { $0.doors[door] = nil } }

    /// The service takes no new work from now on: `/readyz` says so.
    public func beginStopping() { state.withLock { $0.isStopping = true } }

    public var isStopping: Bool { state.withLock { $0.isStopping } }

    /// The doors that take requests.
    public var openDoors: Set<ServiceDoor> { state.withLock { Set($0.doors.keys) } }

    /// How long an event loop may be silent that publishes four times a second.
    static let turnNanoseconds: UInt64 = 10_000_000_000

    /// False where an event loop hangs.
    public var loopsTurn: Bool {
        let now = clock()
        return state.withLock { state in
            state.isStopping || state.turns.allSatisfy { now < $0 &+ Self.turnNanoseconds }
        }
    }

    /// Everything as it is now.
    public func figures() -> ServiceFigures {
        let now = clock()
        return state.withLock { state in
            if state.window.isDue(now) { state.window.add(state.sum.answers, at: now) }
            return ServiceFigures(state, startedAt: startedAt, now: now)
        }
    }
}

extension ServiceMetrics.State {
    /// All loops and the shared figures together.
    var sum: LoopFigures {
        var sum = shared
        sum.gauges.moduleConnected = !loops.isEmpty
        for loop in loops {
            sum.add(loop)
            sum.gauges.moduleConnected = sum.gauges.moduleConnected && loop.gauges.moduleConnected
        }
        return sum
    }
}

extension LoopFigures {
    /// Good and other answers, of all doors and commands.
    var answers: MinuteWindow.Answers {
        MinuteWindow.Answers(
            done: done.reduce(0, &+), mismatched: mismatched.reduce(0, &+), refused: refused.values.reduce(0, &+))
    }
}
