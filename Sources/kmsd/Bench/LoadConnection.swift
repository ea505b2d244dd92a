import Glibc

/// Why a measurement under load ended early.
enum LoadFailure: Error, CustomStringConvertible {
    case cannotConnect(Int)
    case closed
    /// Nothing came for `LoadConnection.patienceSeconds`.
    case silent
    /// A reply longer than any that is asked for.
    case overlong

    var description: String {
        switch self {
        case .cannotConnect(let port): "nothing answers at port \(port) of 127.0.0.1"
        case .closed: "the server closed a connection"
        case .silent: "the server did not answer for \(LoadConnection.patienceSeconds) s"
        case .overlong: "a reply was longer than any that was asked for"
        }
    }
}

/// One TCP connection of the load generator, with a window of requests under way. Checks every reply.
struct LoadConnection {
    static let patienceSeconds = 3
    private static let inboxSize = 16_384

    let descriptor: Int32
    /// Requests without an answer yet.
    private(set) var inFlight = 0
    /// Replies that were not the right ones.
    private(set) var wrong = 0
    private var toSend: Int
    private var awaited: Int
    private var inbox = [UInt8](repeating: 0, count: inboxSize)
    private var filled = 0

    /// Connects to the loopback address and starts with request number `first` of the pattern.
    init(port: Int, first: Int) throws(LoadFailure) {
        descriptor = try Self.connected(to: port)
        toSend = first
        awaited = first
    }

    func close() { _ = Glibc.close(descriptor) }

    /// Sends as many requests as the window has room for, in one piece.
    @inline(__always)
    mutating func fill(_ depth: Int, _ pattern: LoadPattern) throws(LoadFailure) {
        let count = min(depth - inFlight, pattern.count)
        guard count > 0 else { return }
        let descriptor = descriptor
        let isSent = unsafe pattern.withRequests(from: toSend, count) { bytes in unsafe Self.sendAll(descriptor, bytes)
        }
        guard isSent else { throw .closed }
        toSend = (toSend + count) % pattern.count
        inFlight += count
    }

    /// Takes what has come, or waits for something; the number of whole replies.
    @inline(__always)
    mutating func receive(_ pattern: LoadPattern) throws(LoadFailure) -> Int {
        guard filled < Self.inboxSize else { throw .overlong }
        let (descriptor, start) = (descriptor, filled)
        let count = unsafe inbox.withUnsafeMutableBytes { bytes in
            let room = unsafe UnsafeMutableRawBufferPointer(rebasing: bytes[start...])
            return unsafe recv(descriptor, room.baseAddress, room.count, 0)
        }
        guard count > 0 else {
            if count < 0 && errno == EINTR { return 0 }
            throw count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK) ? .silent : .closed
        }
        filled += count
        return takeReplies(pattern)
    }

    private mutating func takeReplies(_ pattern: LoadPattern) -> Int {
        var (used, replies, wrongHere) = (0, 0, 0)
        while let end = pattern.endOfReply(inbox, from: used, limit: filled) {
            if replies >= inFlight || !pattern.isRight(inbox, used..<end, for: awaited) { wrongHere += 1 }
            awaited = awaited + 1 == pattern.count ? 0 : awaited + 1
            replies += 1
            used = end
        }
        let rest = filled - used
        for index in 0..<(used > 0 ? rest : 0) { inbox[index] = inbox[used + index] }
        filled = rest
        wrong += wrongHere
        inFlight = max(0, inFlight - replies)
        return replies
    }

    private static func connected(to port: Int) throws(LoadFailure) -> Int32 {
        let made = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard made >= 0 else { throw .cannotConnect(port) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(UInt16(truncatingIfNeeded: port)).bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        let status = unsafe withUnsafePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
                unsafe connect(made, generic, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard status == 0 else {
            _ = Glibc.close(made)
            throw .cannotConnect(port)
        }
        var patience = timeval(tv_sec: patienceSeconds, tv_usec: 0)
        var yes: Int32 = 1
        let size = socklen_t(MemoryLayout<timeval>.size)
        unsafe setsockopt(made, SOL_SOCKET, SO_RCVTIMEO, &patience, size)
        unsafe setsockopt(made, SOL_SOCKET, SO_SNDTIMEO, &patience, size)
        unsafe setsockopt(made, Int32(IPPROTO_TCP), TCP_NODELAY, &yes, socklen_t(MemoryLayout<Int32>.size))
        return made
    }

    @unsafe private static func sendAll(_ descriptor: Int32, _ bytes: UnsafeRawBufferPointer) -> Bool {
        var sent = 0
        while sent < bytes.count {
            let count = unsafe send(
                descriptor, bytes.baseAddress.unsafelyUnwrapped + sent, bytes.count - sent, Int32(MSG_NOSIGNAL))
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { return false }
            sent += count
        }
        return true
    }
}
