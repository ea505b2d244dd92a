/// What a load generator sends and what must come back for it, in any protocol whose replies come in the order of the requests.
struct LoadPattern: Sendable {
    /// How a whole reply is recognised.
    enum Framing: Sendable {
        /// Two bytes of length, big-endian, before it: host commands.
        case lengthPrefix
        /// Ends with LF: the simple replies of redis.
        case line
    }

    /// One request and the only reply that is right for it, both as they stand on the wire.
    struct Exchange: Sendable {
        let request: [UInt8]
        let reply: [UInt8]
    }

    let framing: Framing
    /// Number of different exchanges; connections go round and round.
    let count: Int
    /// The requests one after another, twice, so that a run of them never wraps.
    private let requests: [UInt8]
    private let starts: [Int]
    private let replies: [UInt8]
    private let replyStarts: [Int]

    init(_ framing: Framing, _ exchanges: [Exchange]) {
        self.framing = framing
        count = exchanges.count
        replies = exchanges.flatMap(\.reply)
        replyStarts = exchanges.reduce(into: [0]) { $0.append(($0.last ?? 0) + $1.reply.count) }
        var (bytes, starts): ([UInt8], [Int]) = ([], [0])
        for exchange in exchanges + exchanges {
            bytes += exchange.request
            starts.append(bytes.count)
        }
        requests = bytes
        self.starts = starts
    }

    /// Lends the bytes of `length` requests from number `first` on; `length` is at most `count`.
    @inline(__always)
    func withRequests<R>(from first: Int, _ length: Int, _ body: (UnsafeRawBufferPointer) -> R) -> R {
        let range = starts[first]..<starts[first + length]
        return unsafe requests.withUnsafeBytes { bytes in
            unsafe body(UnsafeRawBufferPointer(rebasing: bytes[range]))
        }
    }

    /// Where the reply ends that begins at `start`, of what was received before `limit`; nil when it is not whole yet.
    @inline(__always)
    func endOfReply(_ bytes: [UInt8], from start: Int, limit: Int) -> Int? {
        switch framing {
        case .lengthPrefix:
            guard limit - start >= 2 else { return nil }
            let end = start + 2 + (Int(bytes[start]) << 8 | Int(bytes[start + 1]))
            return end <= limit ? end : nil
        case .line:
            var index = start
            while index < limit {
                if bytes[index] == 0x0A { return index + 1 }
                index += 1
            }
            return nil
        }
    }

    /// Whether the bytes are the right reply for request `number`.
    @inline(__always)
    func isRight(_ bytes: [UInt8], _ range: Range<Int>, for number: Int) -> Bool {
        let (start, end) = (replyStarts[number], replyStarts[number + 1])
        guard end - start == range.count else { return false }
        var difference: UInt8 = 0
        for index in 0..<range.count { difference |= replies[start + index] ^ bytes[range.lowerBound + index] }
        return difference == 0
    }
}
