import Glibc

/// What a load generator sends and what must come back for it, in any protocol that answers in the order of the requests: two
/// streams of bytes without end, of which this keeps one turn.
///
/// What the answers will be is known byte by byte beforehand, lengths included, so a connection is always at one place of the
/// second stream, and what came is right if it is what stands there. One comparison a read is all that checking costs.
@safe final class LoadPattern: @unchecked Sendable {
    /// One request and the only reply that is right for it, both as they stand on the wire.
    struct Exchange: Sendable {
        let request: [UInt8]
        let reply: [UInt8]
    }

    /// The longest read of a connection.
    static let readSize = 65_536

    /// Number of different exchanges; connections go round and round.
    let count: Int
    /// Bytes of one turn of the reply stream.
    let replyPeriod: Int
    /// The requests one after another, twice, so that a run of them never wraps. Written once, read by one thread at a time.
    private let requests: UnsafeMutableRawPointer
    private let starts: UnsafeMutablePointer<Int>
    /// The replies one after another, so often that a read from anywhere in the first turn does not wrap.
    private let replies: UnsafeMutableRawPointer
    /// For each place in that stream, how many replies end there or before it.
    private let ended: UnsafeMutablePointer<UInt32>
    /// Where the first byte of each reply stands.
    private let replyStarts: [Int]

    init(_ exchanges: [Exchange]) {
        precondition(exchanges.allSatisfy { !$0.request.isEmpty && !$0.reply.isEmpty } && !exchanges.isEmpty)
        count = exchanges.count
        let period = exchanges.reduce(0) { $0 + $1.reply.count }
        replyPeriod = period
        let sent = unsafe Self.laidOut((exchanges + exchanges).map(\.request))
        unsafe requests = sent.bytes
        unsafe starts = sent.starts
        let length = period + Self.readSize
        unsafe replies = .allocate(byteCount: length, alignment: 64)
        unsafe ended = .allocate(capacity: length + 1)
        unsafe ended[0] = 0
        var (place, number) = (0, 0)
        var replyStarts: [Int] = []
        while place < length {
            let reply = exchanges[number % exchanges.count].reply
            if number < exchanges.count { replyStarts.append(place) }
            for (index, byte) in reply.enumerated() where place < length {
                unsafe replies.storeBytes(of: byte, toByteOffset: place, as: UInt8.self)
                place += 1
                unsafe ended[place] = UInt32(number + (index == reply.count - 1 ? 1 : 0))
            }
            number += 1
        }
        self.replyStarts = replyStarts
    }

    /// One after another, and where each begins and the last ends.
    private static func laidOut(
        _ parts: [[UInt8]]
    ) -> (bytes: UnsafeMutableRawPointer, starts: UnsafeMutablePointer<Int>) {
        let bytes = UnsafeMutableRawPointer.allocate(byteCount: parts.reduce(0) { $0 + $1.count }, alignment: 64)
        let starts = UnsafeMutablePointer<Int>.allocate(capacity: parts.count + 1)
        var offset = 0
        for (index, part) in parts.enumerated() {
            unsafe starts[index] = offset
            for byte in part {
                unsafe bytes.storeBytes(of: byte, toByteOffset: offset, as: UInt8.self)
                offset += 1
            }
        }
        unsafe starts[parts.count] = offset
        return unsafe (bytes, starts)
    }

    deinit {
        unsafe requests.deallocate()
        unsafe starts.deallocate()
        unsafe replies.deallocate()
        unsafe ended.deallocate()
    }

    /// Where the reply to request number `first` begins.
    func replyStart(_ first: Int) -> Int { replyStarts[first] }

    /// Lends the bytes of `length` requests from number `first` on; `length` is at most `count`.
    @inline(__always)
    func withRequests<R>(from first: Int, _ length: Int, _ body: (UnsafeRawBufferPointer) -> R) -> R {
        let (start, end) = unsafe (starts[first], starts[first + length])
        return unsafe body(UnsafeRawBufferPointer(start: requests + start, count: end - start))
    }

    /// How many replies end in the bytes that came, whose first stands at `place`; nil when they are not the right ones.
    @inline(__always)
    func repliesEnding(in bytes: UnsafeRawBufferPointer, at place: Int) -> Int? {
        guard unsafe memcmp(bytes.baseAddress.unsafelyUnwrapped, replies + place, bytes.count) == 0 else { return nil }
        return unsafe Int(ended[place + bytes.count] - ended[place])
    }

    /// What should have come where something else did, for the message.
    func expected(at place: Int, _ count: Int) -> [UInt8] {
        unsafe Array(UnsafeRawBufferPointer(start: replies + place, count: count))
    }
}
