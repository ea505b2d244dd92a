import Glibc

/// One named thread of our own; blocking calls belong on such threads and never on Swift's cooperative ones.
struct WorkerThread: Sendable {
    private let thread: pthread_t

    /// What a thread does, in a box that survives the passage through C.
    private final class Work: Sendable {
        let body: @Sendable () -> Void
        init(_ body: @escaping @Sendable () -> Void) { self.body = body }
    }

    /// Starts a thread named `name` (the kernel keeps 15 bytes of it); nil if the system gives none.
    init?(named name: String, _ body: @escaping @Sendable () -> Void) {
        var made = pthread_t()
        let work = unsafe Unmanaged.passRetained(
            Work {
                Self.nameThisThread(name)
                body()
            })
        let status = unsafe pthread_create(
            &made, nil,
            { argument in
                // The argument is the retained box from above, and this takes the reference over.
                guard let argument = unsafe argument else { return nil }
                unsafe Unmanaged<Work>.fromOpaque(argument).takeRetainedValue().body()
                return nil
            }, work.toOpaque())
        guard status == 0 else {
            unsafe work.release()
            return nil
        }
        thread = made
    }

    /// Waits for the thread's end; once only. A thread that is neither joined nor let go keeps its stack for ever.
    func join() {
        _ = pthread_join(thread, nil)
    }

    /// Says that nobody will join the thread; instead of `join`.
    func letGo() {
        _ = pthread_detach(thread)
    }

    /// By the kernel's file for it: glibc hides `pthread_setname_np` from Swift.
    private static func nameThisThread(_ name: String) {
        let file = unsafe open("/proc/thread-self/comm", O_WRONLY | O_CLOEXEC)
        guard file >= 0 else { return }
        defer { close(file) }
        unsafe _ = Array(name.utf8.prefix(15)).withUnsafeBytes { unsafe write(file, $0.baseAddress, $0.count) }
    }
}
