import Glibc

/// What a server did under load.
struct LoadResult: Sendable {
    /// Replies in the counted time, each of them right.
    let replies: Int
    /// The counted time.
    let seconds: Double

    var perSecond: Double { Double(replies) / seconds }
}

/// Drives one server over loopback TCP with a fixed number of connections, each with a fixed number of requests under way.
/// One thread and `poll`, the same code whatever the protocol: the pattern is all that differs.
///
/// It shares the cores with what it measures, so what it costs is part of every figure: a read, a comparison and a write for
/// each connection that has replies, and nothing that is allocated.
struct LoadGenerator: Sendable {
    /// When a run is over.
    enum Extent: Sendable {
        /// After the warm-up and this time.
        case time(Duration)
        /// After so many replies, all of them counted.
        case replies(Int)
    }

    let port: Int
    let connections: Int
    /// Requests under way on each connection.
    let depth: Int
    /// Time at the start that is not counted.
    var warmUp = Duration.milliseconds(300)

    /// Runs for a time after the warm-up, then waits until everything sent is answered.
    func run(_ pattern: LoadPattern, for duration: Duration) throws(LoadFailure) -> LoadResult {
        try run(pattern, .time(duration))
    }

    func run(_ pattern: LoadPattern, _ extent: Extent) throws(LoadFailure) -> LoadResult {
        var open: [LoadConnection] = []
        defer { for connection in open { connection.close() } }
        for number in 0..<connections {
            // Each at another place of the pattern, so that the server does not see the same request fifty times in a row.
            open.append(try LoadConnection(port: port, first: number * 37 % pattern.count, pattern))
        }
        var turns = LoadTurns(open.map(\.descriptor))
        defer { turns.end() }
        for index in open.indices { try open[index].fill(depth, pattern) }

        let clock = ContinuousClock()
        let began = clock.now
        var from = began
        var total = 0
        switch extent {
        case .replies(let wanted):
            while total < wanted { total += try turn(&open, &turns, pattern, isSending: true) }
        case .time(let duration):
            while clock.now < began + warmUp { _ = try turn(&open, &turns, pattern, isSending: true) }
            from = clock.now
            while clock.now < from + duration { total += try turn(&open, &turns, pattern, isSending: true) }
        }
        let seconds = (clock.now - from) / .seconds(1)
        while open.contains(where: { $0.inFlight > 0 }) { _ = try turn(&open, &turns, pattern, isSending: false) }
        return LoadResult(replies: total, seconds: seconds)
    }

    /// Takes the replies of all connections that have some, and sends as many requests anew.
    @inline(__always)
    private func turn(
        _ open: inout [LoadConnection], _ turns: inout LoadTurns, _ pattern: LoadPattern, isSending: Bool
    ) throws(LoadFailure) -> Int {
        var replies = 0
        // A single connection simply waits in its read: what a plain blocking client does.
        if open.count > 1 { try turns.wait() }
        for index in open.indices where open.count == 1 || turns.isReady(index) {
            replies += unsafe try open[index].receive(pattern, turns.inbox)
            if isSending { try open[index].fill(depth, pattern) }
        }
        return replies
    }
}

/// Which connections have something to read, and the memory it is read into.
@safe struct LoadTurns {
    private var polled: [pollfd]
    let inbox: UnsafeMutableRawBufferPointer

    init(_ descriptors: [Int32]) {
        polled = descriptors.map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
        unsafe inbox = .allocate(byteCount: LoadPattern.readSize, alignment: 64)
    }

    func end() { unsafe inbox.deallocate() }

    /// Waits until one of them has something.
    @inline(__always)
    mutating func wait() throws(LoadFailure) {
        while true {
            let ready = unsafe poll(&polled, nfds_t(polled.count), Int32(1_000 * LoadConnection.patienceSeconds))
            if ready > 0 { return }
            guard ready < 0 && errno == EINTR else { throw .silent }
        }
    }

    @inline(__always)
    func isReady(_ index: Int) -> Bool { polled[index].revents != 0 }
}
