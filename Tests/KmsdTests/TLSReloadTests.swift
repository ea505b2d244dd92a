import Foundation
import Glibc
import Logging
import NIOCore
import NIOPosix
import NIOSSL
import Testing

@testable import CryptoService
@testable import kmsd

/// SIGHUP as an administrator or a program that renews certificates sends it.
struct TLSReloadTests {
    /// Makes a certificate that signs itself and its key, and puts them in their places as such programs do: by renaming.
    private static func renew(_ files: TLSFiles) async throws {
        let openssl = Process()
        openssl.executableURL = URL(filePath: "/usr/bin/openssl")
        openssl.arguments = [
            "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout",
            files.key + ".new", "-out", files.certificate + ".new", "-days", "30", "-subj", "/CN=127.0.0.1",
        ]
        openssl.standardError = FileHandle.nullDevice
        let (ends, end) = AsyncStream.makeStream(of: Void.self)
        openssl.terminationHandler = { _ in end.finish() }
        try openssl.run()
        for await _ in ends {}
        for path in [files.key, files.certificate] {
            guard unsafe rename(path + ".new", path) == 0 else { throw CocoaError(.fileWriteUnknown) }
        }
    }

    private static func certificate(_ files: TLSFiles) throws -> NIOSSLCertificate {
        try #require(try NIOSSLCertificate.fromPEMFile(files.certificate).first)
    }

    /// A port whose handshakes use what the material has at their time, and that sends back what comes.
    private static func listen(_ material: TLSMaterial) async throws -> any Channel {
        try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandlers([
                        NIOSSLServerHandler(context: material.context(.https)), Echo(),
                    ])
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
    }

    private final class Echo: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        func channelRead(context: ChannelHandlerContext, data: NIOAny) { context.writeAndFlush(data, promise: nil) }
    }

    private static func connect(_ port: Int) async throws -> NIOAsyncChannel<ByteBuffer, ByteBuffer> {
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.certificateVerification = .none
        let context = try NIOSSLContext(configuration: configuration)
        return try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton).connectTimeout(.seconds(300))
            .connect(host: "127.0.0.1", port: port) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(
                        NIOSSLClientHandler(context: context, serverHostname: nil))
                    return try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: channel)
                }
            }
    }

    /// The certificate that a new connection sees.
    private static func shown(_ port: Int) async throws -> NIOSSLCertificate? {
        let channel = try await connect(port)
        return try await channel.executeThenClose { inbound, outbound in
            try await outbound.write(ByteBuffer(string: "?"))
            var reads = inbound.makeAsyncIterator()
            _ = try await reads.next()
            return try await channel.channel.nioSSL_peerCertificate().get()
        }
    }

    /// Whether somebody has taken the signal's place: as long as it is ignored, nobody has.
    private static var hangupIsTaken: Bool {
        var action = sigaction()
        unsafe sigaction(SIGHUP, nil, &action)
        return unsafe unsafeBitCast(action.__sigaction_handler.sa_handler, to: Int.self) > 1
    }

    /// Log lines as they are written.
    private struct Said: LogHandler {
        let heard: AsyncStream<String>.Continuation
        var metadata: Logger.Metadata = [:]
        var logLevel = Logger.Level.info
        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }
        func log(event: LogEvent) { heard.yield("\(event.message)") }
    }

    @Test(.timeLimit(.minutes(15)))
    func `On SIGHUP new connections see the renewed certificate, and open ones go on`() async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "kmsd-hangup-\(getpid())").path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let files = TLSFiles(certificate: folder + "/server.crt", key: folder + "/server.key")
        try await Self.renew(files)
        let first = try Self.certificate(files)
        let (said, heard) = AsyncStream.makeStream(of: String.self)
        let material = try TLSMaterial(files, logger: Logger(label: "test") { _ in Said(heard: heard) })
        let listener = try await Self.listen(material)
        let port = try #require(listener.localAddress?.port)
        // Ignored until the service takes it: else an early one would end the tests.
        signal(SIGHUP, SIG_IGN)
        let running = Task { try await TLSReload(material: material, seconds: 0).run() }
        while !Self.hangupIsTaken {
            try Task.checkCancellation()
            await Task.yield()
        }
        #expect(try await Self.shown(port) == first)
        let old = try await Self.connect(port)
        try await old.executeThenClose { inbound, outbound in
            var reads = inbound.makeAsyncIterator()
            try await outbound.write(ByteBuffer(string: "before"))
            #expect(try await reads.next() == ByteBuffer(string: "before"))
            try await Self.renew(files)
            let second = try Self.certificate(files)
            #expect(second != first)
            // The files alone change nothing where nobody looks at them.
            #expect(try await Self.shown(port) == first)
            kill(getpid(), SIGHUP)
            var lines = said.makeAsyncIterator()
            while let line = await lines.next(), line != "TLS files reloaded" {}
            #expect(try await Self.shown(port) == second)
            try await outbound.write(ByteBuffer(string: "after"))
            #expect(try await reads.next() == ByteBuffer(string: "after"))
        }
        running.cancel()
        try await running.value
        try await listener.close()
    }
}
