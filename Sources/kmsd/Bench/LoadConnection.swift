import Glibc

/// Why a measurement under load ended early. Then there is no figure.
enum LoadFailure: Error, CustomStringConvertible {
    case cannotConnect(Int)
    case closed
    /// Nothing came for `LoadConnection.patienceSeconds`.
    case silent
    /// What came, and what should have come: the beginning, in hexadecimal.
    case wrongReply(got: String, expected: String)

    var description: String {
        switch self {
        case .cannotConnect(let port): "nothing answers at port \(port) of 127.0.0.1"
        case .closed: "the server closed a connection"
        case .silent: "the server did not answer for \(LoadConnection.patienceSeconds) s"
        case .wrongReply(let got, let expected): "a wrong reply: \(got)… came, and should have been \(expected)…"
        }
    }
}

/// One TCP connection of the load generator, with a window of requests under way. Holds every byte against the right one.
struct LoadConnection {
    static let patienceSeconds = 5

    let descriptor: Int32
    /// Requests without an answer yet.
    private(set) var inFlight = 0
    private var toSend: Int
    /// Where the next byte stands in the pattern's stream of replies.
    private var place: Int

    /// Connects to the loopback address and starts with request number `first` of the pattern.
    init(port: Int, first: Int, _ pattern: LoadPattern) throws(LoadFailure) {
        descriptor = try Self.connected(to: port)
        toSend = first
        place = pattern.replyStart(first)
    }

    func close() { _ = Glibc.close(descriptor) }

    /// Sends as many requests as the window has room for, in one piece.
    @inline(__always)
    mutating func fill(_ depth: Int, _ pattern: LoadPattern) throws(LoadFailure) {
        let count = min(depth - inFlight, pattern.count)
        guard count > 0 else { return }
        let descriptor = descriptor
        let isSent = unsafe pattern.withRequests(from: toSend, count) { bytes in
            unsafe Self.sendAll(descriptor, bytes)
        }
        guard isSent else { throw .closed }
        toSend += count
        if toSend >= pattern.count { toSend -= pattern.count }
        inFlight += count
    }

    /// Takes what has come, or waits for something; the number of replies that are whole with it. `inbox` has
    /// `LoadPattern.readSize` bytes; nothing of it is needed afterwards.
    @inline(__always)
    mutating func receive(
        _ pattern: LoadPattern, _ inbox: UnsafeMutableRawBufferPointer
    ) throws(LoadFailure) -> Int {
        let count = unsafe recv(descriptor, inbox.baseAddress, inbox.count, 0)
        guard count > 0 else {
            if count < 0 && errno == EINTR { return 0 }
            throw count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK) ? .silent : .closed
        }
        let got = unsafe UnsafeRawBufferPointer(start: inbox.baseAddress, count: count)
        // More replies than requests are as wrong as other bytes.
        guard let replies = unsafe pattern.repliesEnding(in: got, at: place), replies <= inFlight else {
            let shown = min(count, 24)
            throw .wrongReply(
                got: Self.hexadecimal(unsafe Array(got.prefix(shown))),
                expected: Self.hexadecimal(pattern.expected(at: place, shown)))
        }
        place += count
        while place >= pattern.replyPeriod { place -= pattern.replyPeriod }
        inFlight -= replies
        return replies
    }

    private static func hexadecimal(_ bytes: [UInt8]) -> String {
        bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16, uppercase: true) }.joined()
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
