import Glibc
import NIOCore

/// The socket under a channel, written to without the channel's pipeline: what costs most in a request that travels alone is not
/// the kernel but the way to it.
///
/// Only where nothing stands between handler and socket (no TLS) and nothing waits in the channel to be written, so that it is
/// the same. Whatever the socket does not take at once is left to the channel, which also hears of every error.
struct DirectSocket {
    private let channel: any Channel
    private let descriptor: NIOBSDSocket.Handle

    /// Nil where the channel is not a plain socket.
    init?(_ channel: any Channel) {
        let pipeline = channel.pipeline.syncOperations
        guard
            let found = try? pipeline.withUnsafeTransportIfAvailable(of: NIOBSDSocket.Handle.self, { $0 })
        else { return nil }
        self.channel = channel
        descriptor = found
    }

    /// Fills a buffer with what the socket has received and nobody has read, at most `limit` bytes. False where there is nothing, and
    /// at the end or with an error, which the channel finds by itself.
    func receive(into buffer: inout ByteBuffer, limit: Int) -> Bool {
        guard channel.isActive else { return false }
        buffer.clear()
        let count = unsafe buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: limit) { bytes in
            unsafe max(0, Glibc.recv(descriptor, bytes.baseAddress, limit, Int32(MSG_DONTWAIT)))
        }
        return count > 0
    }

    /// How many bytes of a buffer the socket took, without waiting.
    func send(_ buffer: ByteBuffer) -> Int {
        // A closed channel's descriptor may be another one's already.
        guard channel.isActive else { return 0 }
        let flags = Int32(MSG_DONTWAIT) | Int32(MSG_NOSIGNAL)
        return unsafe buffer.withUnsafeReadableBytes { bytes in
            unsafe max(0, Glibc.send(descriptor, bytes.baseAddress, bytes.count, flags))
        }
    }
}

/// Looks at a socket for what comes at once, with the processor given away before each look, and learns from it: after looks in vain
/// it looks less often.
///
/// A timed wait would be plainer. But to set the kernel's timer costs as much as the whole exchange on a virtual machine, while
/// to give the processor away is to let exactly those run who have something to do: the module, the client, or anybody else.
struct BriefLook {
    /// Looks at one occasion.
    private static let looks = 6
    /// Occasions that are left out after many in vain.
    private static let longestRest = 64

    private var rest = 0
    private var restAfterVain = 1
    private var buffer = ByteBuffer()

    /// What came, at most `limit` bytes; nil where nothing did or this occasion is left out.
    mutating func take(from socket: DirectSocket, limit: Int) -> ByteBuffer? {
        guard rest == 0 else {
            rest -= 1
            return nil
        }
        for _ in 0..<Self.looks {
            sched_yield()
            guard socket.receive(into: &buffer, limit: limit) else { continue }
            restAfterVain = 1
            return buffer
        }
        rest = restAfterVain
        restAfterVain = min(2 * restAfterVain, Self.longestRest)
        return nil
    }
}
