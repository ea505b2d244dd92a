import CryptoClient
import NIOCore
import NIOPosix

/// A TCP client that sends any bytes and reads frames: what a client that is not ours does.
final class RawClient: Sendable {
    private let channel: NIOAsyncChannel<ByteBuffer, ByteBuffer>

    private init(_ channel: NIOAsyncChannel<ByteBuffer, ByteBuffer>) { self.channel = channel }

    /// `receiveBuffer`: bytes that the system keeps of what comes and is not read; else as many as it likes, which are megabytes.
    static func with<R: Sendable>(
        port: Int, receiveBuffer: Int? = nil, _ body: @Sendable (inout Session) async throws -> R
    ) async throws -> R {
        var bootstrap = World.clients
            .channelOption(.allowRemoteHalfClosure, value: true)
        if let receiveBuffer { bootstrap = bootstrap.channelOption(.socketOption(.so_rcvbuf), value: receiveBuffer) }
        let channel =
            try await bootstrap
            .connect(host: "127.0.0.1", port: port) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try NIOAsyncChannel<ByteBuffer, ByteBuffer>(
                        wrappingChannelSynchronously: channel,
                        configuration: .init(isOutboundHalfClosureEnabled: true))
                }
            }
        return try await channel.executeThenClose { inbound, outbound in
            var session = Session(channel: channel.channel, outbound: outbound, reads: inbound.makeAsyncIterator())
            return try await body(&session)
        }
    }

    struct Session {
        let wire: Wire
        let outbound: NIOAsyncChannelOutboundWriter<ByteBuffer>
        var reads: NIOAsyncChannelInboundStream<ByteBuffer>.AsyncIterator
        var stream = HostFrameStream()
        /// What was read of an HTTP response that is not whole.
        var pending = ByteBuffer()

        init(
            channel: any Channel, outbound: NIOAsyncChannelOutboundWriter<ByteBuffer>,
            reads: NIOAsyncChannelInboundStream<ByteBuffer>.AsyncIterator
        ) {
            (self.wire, self.outbound, self.reads) = (Wire(channel: channel), outbound, reads)
        }

        /// Can return before the system has taken the bytes: where the event loop is late, any number of them wait for it.
        func send(_ bytes: [UInt8]) async throws { try await outbound.write(ByteBuffer(bytes: bytes)) }

        /// The next answer as bytes; nil when the server has closed.
        mutating func frame() async throws -> [UInt8]? {
            while true {
                if let frame = try stream.next() {
                    var buffer = ByteBuffer()
                    try frame.write(into: &buffer)
                    return Array(buffer.readableBytesView)
                }
                guard let read = try await reads.next(isolation: #isolation) else { return nil }
                stream.receive(read)
            }
        }

        func finish() { outbound.finish() }
    }

    /// The connection for who counts what the server lets be sent.
    struct Wire: Sendable {
        fileprivate let channel: any Channel

        /// Ends when the system has taken the bytes, or the connection is closed.
        func handOver(_ bytes: [UInt8]) async throws {
            try await channel.writeAndFlush(ByteBuffer(bytes: bytes)).get()
        }
    }
}
