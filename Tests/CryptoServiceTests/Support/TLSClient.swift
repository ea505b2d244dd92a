import CryptoClient
import NIOCore
import NIOPosix
import NIOSSL

/// A host-command client over TLS whose certificate, versions and manners are chosen by the test.
struct TLSClient: Sendable {
    var certificate: Authority.Pair?
    /// The server's authority.
    let roots: String
    var newest = TLSVersion.tlsv13
    var sourceAddress: String?

    /// What became of a connection: its answers until it was closed.
    struct Session {
        private let outbound: NIOAsyncChannelOutboundWriter<ByteBuffer>
        private var reads: NIOAsyncChannelInboundStream<ByteBuffer>.AsyncIterator
        private var stream = HostFrameStream()

        fileprivate init(
            _ outbound: NIOAsyncChannelOutboundWriter<ByteBuffer>,
            _ reads: NIOAsyncChannelInboundStream<ByteBuffer>.AsyncIterator
        ) {
            self.outbound = outbound
            self.reads = reads
        }

        func send(_ bytes: [UInt8]) async throws { try await outbound.write(ByteBuffer(bytes: bytes)) }

        /// B2 with four bytes of data under a running number.
        func sendEcho(_ number: Int) async throws {
            let digits = String(number)
            let header = String(repeating: "0", count: 4 - digits.count) + digits
            let body = Array((header + "B20004PING").utf8)
            try await send([0, UInt8(body.count)] + body)
        }

        /// Header, answer code and error code of the next answer; nil when the server has closed.
        mutating func answer() async throws -> String? {
            while true {
                if let frame = try stream.next() {
                    let code = frame.body.getString(at: frame.body.readerIndex, length: 2) ?? ""
                    return String(buffer: frame.header) + frame.command.description + code
                }
                do {
                    guard let read = try await reads.next(isolation: #isolation) else { return nil }
                    stream.receive(read)
                } catch is NIOSSLError {
                    // A refused handshake ends the connection with an alert.
                    return nil
                }
            }
        }
    }

    func connect<R: Sendable>(
        _ port: Int, _ body: (inout Session) async throws -> R
    ) async throws -> R {
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.trustRoots = .file(roots)
        configuration.certificateVerification = .noHostnameVerification
        configuration.maximumTLSVersion = newest
        if let certificate {
            configuration.certificateChain = try NIOSSLCertificate.fromPEMFile(certificate.certificate)
                .map { .certificate($0) }
            configuration.privateKey = .privateKey(try NIOSSLPrivateKey(file: certificate.key, format: .pem))
        }
        let context = try NIOSSLContext(configuration: configuration)
        var bootstrap = World.clients
        if let sourceAddress { bootstrap = bootstrap.bind(to: try SocketAddress(ipAddress: sourceAddress, port: 0)) }
        let channel = try await bootstrap.connect(host: "127.0.0.1", port: port) { channel in
            channel.eventLoop.makeCompletedFuture {
                try channel.pipeline.syncOperations.addHandler(
                    NIOSSLClientHandler(context: context, serverHostname: nil))
                return try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: channel)
            }
        }
        return try await channel.executeThenClose { inbound, outbound in
            var session = Session(outbound, inbound.makeAsyncIterator())
            return try await body(&session)
        }
    }

    /// Sends one echo; its answer, or nil where the server let nobody in.
    func echo(_ port: Int) async -> String? {
        do {
            return try await connect(port) { session in
                // The server may have closed already.
                try? await session.sendEcho(1)
                return try await session.answer()
            }
        } catch { return nil }
    }
}
