internal import CLinux
import Dispatch
import Synchronization

/// The module's process, seen from another: a few connections to its Unix socket, each with a thread queue of its own.
///
/// A connection carries one message at a time. A module that restarted is found on the next message (one new connection is
/// tried at once); a message whose answer was lost is not repeated, because a ceremony step must not run twice.
public final class ModuleBridge: SecurityModule {
    private let lanes: [Lane]
    private let next = Atomic<Int>(0)

    /// - Parameters:
    ///   - path: the module's socket.
    ///   - lanes: connections, 1 to 16.
    ///   - timeoutSeconds: how long an answer may take (RSA generation takes seconds).
    public init(path: String, lanes: Int = 2, timeoutSeconds: Int = 60) {
        self.lanes = (0..<max(1, min(16, lanes))).map { Lane(path: path, number: $0, timeoutSeconds: timeoutSeconds) }
    }

    public func exchange(_ request: consuming ModuleRequest) async throws(ModuleError) -> ModuleReply {
        let lane = leastBusyLane
        let message = OutgoingMessage(request)
        let result = await withCheckedContinuation { continuation in
            lane.submit(message) { continuation.resume(returning: $0) }
        }
        return try result.get()
    }

    /// The lane with the fewest messages before a new one, so that a question does not wait behind the making of an RSA key
    /// while another lane is free. Of equal ones each in its turn.
    private var leastBusyLane: Lane {
        let first = next.wrappingAdd(1, ordering: .relaxed).oldValue & Int.max
        var best = lanes[first % lanes.count]
        for offset in 1..<max(1, lanes.count) where best.load > 0 {
            let lane = lanes[(first % lanes.count + offset) % lanes.count]
            if lane.load < best.load { best = lane }
        }
        return best
    }
}

/// A request that waits for its lane; taken exactly once.
private final class OutgoingMessage: Sendable {
    private let request: Mutex<ModuleRequest?>

    init(_ request: consuming ModuleRequest) { self.request = Mutex(request) }

    func take() -> ModuleRequest? {
        request.withLock { held in
            let taken = held.take()
            return taken
        }
    }
}

/// One connection and the serial queue that may block on it.
private final class Lane: Sendable {
    /// Messages that may wait for one connection.
    static let queueLimit = 256

    private let path: String
    private let timeoutSeconds: Int
    private let queue: DispatchQueue
    private let descriptor = Mutex<Int32>(-1)
    private let waiting = Atomic<Int>(0)

    init(path: String, number: Int, timeoutSeconds: Int) {
        self.path = path
        self.timeoutSeconds = timeoutSeconds
        queue = DispatchQueue(label: "kmsd.module.\(number)")
    }

    /// Messages that are under way or wait.
    var load: Int { waiting.load(ordering: .relaxed) }

    deinit {
        let open = descriptor.withLock { $0 }
        if open >= 0 { close(open) }
    }

    func submit(_ message: OutgoingMessage, _ done: @escaping @Sendable (Result<ModuleReply, ModuleError>) -> Void) {
        guard waiting.wrappingAdd(1, ordering: .relaxed).newValue <= Self.queueLimit else {
            waiting.wrappingSubtract(1, ordering: .relaxed)
            done(.failure(.busy))
            return
        }
        queue.async {
            defer { self.waiting.wrappingSubtract(1, ordering: .relaxed) }
            guard var request = message.take() else { return done(.failure(.internalFault)) }
            done(self.descriptor.withLock { self.exchange(&request, on: &$0) })
        }
    }

    private func exchange(_ request: inout ModuleRequest, on descriptor: inout Int32) -> Result<
        ModuleReply, ModuleError
    > {
        guard request.byteCount <= ModuleMessageLimits.maximumLength, request.count <= ModuleMessageLimits.maximumItems
        else { return .failure(.tooLarge) }
        let wasOpen = descriptor >= 0
        if !wasOpen { descriptor = connect() }
        guard descriptor >= 0 else { return .failure(.unavailable) }
        if !send(&request, to: descriptor) {
            // A connection that the module closed while it was idle: nothing was carried out, so a new one may carry the
            // whole message again.
            close(descriptor)
            descriptor = wasOpen ? connect() : -1
            guard descriptor >= 0, send(&request, to: descriptor) else { return fail(&descriptor) }
        }
        guard let header = receive(4, from: descriptor) else { return fail(&descriptor) }
        let length = header.reduce(0) { $0 << 8 | Int($1) }
        guard length <= ModuleMessageLimits.maximumLength, let body = receive(length, from: descriptor),
            let reply = try? ModuleReply(message: body)
        else { return fail(&descriptor) }
        return .success(reply)
    }

    private func fail(_ descriptor: inout Int32) -> Result<ModuleReply, ModuleError> {
        if descriptor >= 0 { close(descriptor) }
        descriptor = -1
        return .failure(.unavailable)
    }

    private func connect() -> Int32 { unsafe path.withCString { unsafe kmsd_unix_connect($0, Int32(timeoutSeconds)) } }

    private func send(_ request: inout ModuleRequest, to descriptor: Int32) -> Bool {
        unsafe request.withMessage { bytes in
            // A peer that closed before this message shows as readable end-of-file: found before anything is sent.
            guard kmsd_peer_closed(descriptor) == 0 else { return false }
            return unsafe kmsd_send_all(descriptor, bytes.baseAddress, bytes.count) == 0
        }
    }

    private func receive(_ count: Int, from descriptor: Int32) -> [UInt8]? {
        var complete = false
        let bytes = unsafe [UInt8](unsafeUninitializedCapacity: count) { buffer, initialised in
            complete = unsafe kmsd_receive_all(descriptor, buffer.baseAddress, count) == 0
            initialised = complete ? count : 0
        }
        return complete ? bytes : nil
    }
}
