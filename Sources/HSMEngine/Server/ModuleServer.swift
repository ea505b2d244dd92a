import CLinux
import Glibc
import HSMBridge
import Synchronization

/// The module's Unix socket: one thread for each connection, one answer for each message, nothing else.
///
/// The callers are a few processes of this machine, so a thread each costs nothing and a message needs two system calls. RSA
/// generation or a slow card holds up its own connection only.
public final class ModuleServer: Sendable {
    private struct State: ~Copyable {
        var isStopping = false
        var connections: [Int32: ServerThread] = [:]
        var acceptor: ServerThread?
    }

    private let module: SoftwareModule
    private let settings: ModuleServerSettings
    private let listener: Int32
    /// Written to by `stop`, so that the accepting thread wakes.
    private let wakeWriter: Int32
    private let wakeReader: Int32
    private let state = Mutex(State())

    private static let housekeepingMilliseconds: Int32 = 1_000

    public init(module: SoftwareModule, settings: ModuleServerSettings) throws(ModuleServerError) {
        let backlog = Int32(settings.connectionLimit)
        let listener = unsafe settings.path.withCString { unsafe kmsd_unix_listen($0, settings.mode, backlog) }
        guard listener >= 0 else { throw Self.error(errno) }
        var pipe: [Int32] = [0, 0]
        guard unsafe Glibc.pipe(&pipe) == 0 else {
            close(listener)
            throw .system(errno)
        }
        self.module = module
        self.settings = settings
        self.listener = listener
        wakeReader = pipe[0]
        wakeWriter = pipe[1]
        guard let thread = ServerThread({ self.accept() }) else {
            closeAll()
            throw .system(EAGAIN)
        }
        state.withLock { $0.acceptor = thread }
    }

    /// Takes no new connection, answers the messages that have arrived, and returns when every thread has ended. A second call
    /// does nothing.
    public func stop() {
        let acceptor = state.withLock { state -> ServerThread? in
            guard !state.isStopping else { return nil }
            state.isStopping = true
            // Reading ends after what has arrived; writing goes on.
            for descriptor in state.connections.keys { shutdown(descriptor, Int32(SHUT_RD)) }
            return state.acceptor
        }
        guard let acceptor else { return }
        _ = FileBytes.wake(wakeWriter)
        acceptor.join()
        let threads = state.withLock { Array($0.connections.values) }
        for thread in threads { thread.join() }
        closeAll()
        _ = unsafe unlink(settings.path)
    }

    private func closeAll() {
        close(listener)
        close(wakeReader)
        close(wakeWriter)
    }

    private static func error(_ code: Int32) -> ModuleServerError {
        switch code {
        case EADDRINUSE: .addressInUse
        case EEXIST: .notASocket
        case ENAMETOOLONG: .pathTooLong
        default: .system(code)
        }
    }

    // MARK: The accepting thread

    private func accept() {
        while !state.withLock({ $0.isStopping }) {
            var waiting = [
                pollfd(fd: listener, events: Int16(POLLIN), revents: 0),
                pollfd(fd: wakeReader, events: Int16(POLLIN), revents: 0),
            ]
            let ready = unsafe poll(&waiting, 2, Self.housekeepingMilliseconds)
            module.endExpiredSessions()
            guard ready > 0, waiting[0].revents != 0 else { continue }
            let descriptor = Glibc.accept(listener, nil, nil)
            if descriptor >= 0 {
                _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
                begin(descriptor)
            } else {
                // Out of descriptors: the caller stays in the queue; do not spin until one is free.
                _ = poll(nil, 0, 50)
            }
        }
    }

    private func begin(_ descriptor: Int32) {
        var peer = kmsd_peer()
        guard unsafe kmsd_peer_credentials(descriptor, &peer) == 0 else {
            close(descriptor)
            return
        }
        var limit = timeval(tv_sec: settings.messageSeconds, tv_usec: 0)
        unsafe setsockopt(
            descriptor, SOL_SOCKET, SO_SNDTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        let caller = Caller(user: peer.uid, process: peer.pid, rights: settings.rights(of: peer.uid))
        state.withLock { state in
            // The thread takes the lock when it ends, so it cannot end before it is in the list.
            guard !state.isStopping, state.connections.count < settings.connectionLimit,
                let thread = ServerThread({ self.serve(descriptor, caller) })
            else {
                close(descriptor)
                return
            }
            state.connections[descriptor] = thread
        }
    }

    // MARK: A connection's thread

    private func serve(_ descriptor: Int32, _ caller: Caller) {
        var buffer = MessageBuffer()
        var writer = ModuleReplyWriter(capacity: 4_096)
        while buffer.receive(from: descriptor, seconds: settings.messageSeconds) == .message {
            let isInStep = unsafe buffer.withMessage { unsafe module.answer($0, from: caller, into: &writer) }
            buffer.removeMessage()
            let isSent = unsafe writer.withMessage { unsafe kmsd_send_all(descriptor, $0.baseAddress, $0.count) == 0 }
            writer.reset()
            // A stranger gets his one refusal and no standing connection.
            guard isInStep, isSent, !caller.rights.isEmpty else { break }
        }
        state.withLock { state in
            // Closed under the lock: the number must not come back as another connection's before it is off the list.
            state.connections[descriptor] = nil
            close(descriptor)
        }
    }
}
