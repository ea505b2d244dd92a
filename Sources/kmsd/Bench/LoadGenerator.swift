import Glibc

/// What a server did under load.
struct LoadResult: Sendable {
    /// Replies in the counted time.
    let replies: Int
    /// The counted time.
    let seconds: Double
    /// Replies that were wrong, at any time of the run.
    let wrong: Int

    var perSecond: Double { Double(replies) / seconds }
}

/// Drives one server over loopback TCP with a fixed number of connections, each with a fixed number of requests under way,
/// for a fixed time. One thread and `poll`, the same code whatever the protocol: the pattern is all that differs.
struct LoadGenerator: Sendable {
    let port: Int
    let connections: Int
    /// Requests under way on each connection.
    let depth: Int
    /// Time at the start that is not counted.
    var warmUp = Duration.milliseconds(300)

    /// Runs for `duration` after the warm-up, then waits until everything sent is answered.
    func run(_ pattern: LoadPattern, for duration: Duration) throws(LoadFailure) -> LoadResult {
        var open: [LoadConnection] = []
        defer { for connection in open { connection.close() } }
        for number in 0..<connections {
            // Each at another place of the pattern, so that the server does not see the same request fifty times in a row.
            open.append(try LoadConnection(port: port, first: number * 37 % pattern.count))
        }
        var polled = open.map { pollfd(fd: $0.descriptor, events: Int16(POLLIN), revents: 0) }
        for index in open.indices { try open[index].fill(depth, pattern) }

        let clock = ContinuousClock()
        var from = clock.now + warmUp
        let until = from + duration
        var counted: Int?
        var now = clock.now
        while now < until {
            let replies = try turn(&open, &polled, pattern, isSending: true)
            now = clock.now
            if let before = counted {
                counted = before + replies
            } else if now >= from {
                (counted, from) = (0, now)
            }
        }
        while open.contains(where: { $0.inFlight > 0 }) { _ = try turn(&open, &polled, pattern, isSending: false) }
        return LoadResult(
            replies: counted ?? 0, seconds: (now - from) / .seconds(1), wrong: open.reduce(0) { $0 + $1.wrong })
    }

    /// Takes the replies of all connections that have some, and sends as many requests anew.
    @inline(__always)
    private func turn(
        _ open: inout [LoadConnection], _ polled: inout [pollfd], _ pattern: LoadPattern, isSending: Bool
    ) throws(LoadFailure) -> Int {
        var replies = 0
        // A single connection simply waits in its read: what a plain blocking client does.
        if open.count > 1 { try wait(&polled) }
        for index in open.indices where open.count == 1 || polled[index].revents != 0 {
            replies += try open[index].receive(pattern)
            if isSending { try open[index].fill(depth, pattern) }
        }
        return replies
    }

    private func wait(_ polled: inout [pollfd]) throws(LoadFailure) {
        while true {
            let ready = unsafe poll(&polled, nfds_t(polled.count), Int32(1_000 * LoadConnection.patienceSeconds))
            if ready > 0 { return }
            guard ready < 0 && errno == EINTR else { throw .silent }
        }
    }
}
