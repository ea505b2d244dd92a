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
