import CLinux
import Dispatch

/// A thread of its own for work that blocks, with an end that can be waited for.
final class ServerThread: Sendable {
    private let ended = DispatchSemaphore(value: 0)

    /// Nil where the system has no thread to give.
    init?(_ body: @escaping @Sendable () -> Void) {
        let ended = ended
        let start = unsafe Unmanaged.passRetained(
            Start {
                body()
                ended.signal()
            })
        var thread = pthread_t()
        let code = unsafe pthread_create(
            &thread, nil,
            { pointer in
                guard let pointer = unsafe pointer else { return nil }
                unsafe Unmanaged<Start>.fromOpaque(pointer).takeRetainedValue().body()
                return nil
            }, start.toOpaque())
        guard code == 0 else {
            unsafe start.release()
            return nil
        }
        pthread_detach(thread)
    }

    func join() {
        ended.wait()
        ended.signal()
    }

    private final class Start: Sendable {
        let body: @Sendable () -> Void
        init(_ body: @escaping @Sendable () -> Void) { self.body = body }
    }
}
