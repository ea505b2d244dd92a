import CLinux
import Dispatch
import Synchronization

/// Threads for calls that a card can block for ever.
///
/// Nothing takes a thread back out of `SCardTransmit` (SCardCancel does not), so a caller stops waiting and leaves the
/// thread behind; `Abandonment` counts those and refuses new ones beyond a limit.
enum CardThread {
    /// Runs `body` on a new detached thread; false when the system has no thread to give.
    static func start(_ body: @escaping @Sendable () -> Void) -> Bool {
        let box = unsafe Unmanaged.passRetained(Start(body))
        var thread = pthread_t()
        let code = unsafe pthread_create(
            &thread, nil,
            { pointer in
                let start = unsafe Unmanaged<Start>.fromOpaque(pointer!).takeRetainedValue()
                start.body()
                return nil
            }, box.toOpaque())
        guard code == 0 else {
            unsafe box.release()
            return false
        }
        pthread_detach(thread)
        return true
    }

    /// Result of `body`, run on a thread of its own, or `timedOut` when it takes longer than `limit`.
    static func run<T: Sendable>(
        limit: Duration, _ body: @escaping @Sendable () throws(CardError) -> T
    ) throws(CardError) -> T {
        let call = BoundedCall<T>()
        try Abandonment.checkRoom()
        guard start({ call.finish(with: Result(catching: body)) }) else { throw .refused(Int(EAGAIN)) }
        return try call.result(within: limit)
    }

    private final class Start: Sendable {
        let body: @Sendable () -> Void
        init(_ body: @escaping @Sendable () -> Void) { self.body = body }
    }
}

/// Threads that nobody waits for any more, in the whole process.
enum Abandonment {
    /// More mute cards than a desk has readers point to something else; stop before threads pile up.
    static let limit = 8
    private static let count = Atomic<Int>(0)

    static var threads: Int { count.load(ordering: .relaxed) }

    static func checkRoom() throws(CardError) {
        guard threads < limit else { throw .tooManyMuteReaders }
    }

    static func begin() { count.add(1, ordering: .relaxed) }
    static func end() { count.subtract(1, ordering: .relaxed) }
}

/// One call handed to another thread, whose result may come too late.
private final class BoundedCall<T: Sendable>: Sendable {
    private enum Phase {
        case running
        case finished(Result<T, CardError>)
        case abandoned
    }

    private let phase = Mutex(Phase.running)
    private let done = DispatchSemaphore(value: 0)

    func finish(with result: Result<T, CardError>) {
        let late = phase.withLock { phase in
            if case .abandoned = phase { return true }
            phase = .finished(result)
            return false
        }
        if late { Abandonment.end() } else { done.signal() }
    }

    func result(within limit: Duration) throws(CardError) -> T {
        _ = done.wait(timeout: .now() + limit)
        let result: Result<T, CardError>? = phase.withLock { phase in
            if case .finished(let result) = phase { return result }
            phase = .abandoned
            Abandonment.begin()
            return nil
        }
        guard let result else { throw .timedOut }
        return try result.get()
    }
}

extension DispatchTime {
    static func + (time: DispatchTime, duration: Duration) -> DispatchTime {
        let (seconds, attoseconds) = duration.components
        return time + DispatchTimeInterval.nanoseconds(Int(seconds) * 1_000_000_000 + Int(attoseconds / 1_000_000_000))
    }
}
