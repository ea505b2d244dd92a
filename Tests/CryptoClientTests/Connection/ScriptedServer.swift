import CryptoClient
import NIOCore
import NIOPosix

/// A server on loopback that answers as a test tells it to: all requests of one read go to the script together.
final class ScriptedServer: Sendable {
    /// What the script wants written, and whether the connection is to be closed behind it.
    struct Answer: Sendable {
        var bytes = ByteBuffer()
        var closes = false
    }

    typealias Script = @Sendable ([HostFrame]) -> Answer

    let port: Int
    private let channel: any Channel

    init(headerLength: Int = 4, script: @escaping Script) async throws {
        let format = HostFrameFormat(headerLength: headerLength)
        channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { child in
                child.eventLoop.makeCompletedFuture {
                    try child.pipeline.syncOperations.addHandler(Handler(format, script))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        port = channel.localAddress?.port ?? 0
    }

    /// Answers each request by itself: with fields, or with an error code.
    convenience init(
        headerLength: Int = 4, each: @escaping @Sendable (HostFrame, inout HostAnswerWriter) -> Void
    ) async throws {
        try await self.init(headerLength: headerLength) { frames in
            var answers = HostAnswerWriter()
            for frame in frames { each(frame, &answers) }
            return Answer(bytes: answers.take())
        }
    }

    /// On a machine that runs many tests at once anything may take long; only what the server does shall decide.
    static let patient: CryptoConnection.Settings = {
        var settings = CryptoConnection.Settings()
        settings.connectTimeout = .seconds(300)
        settings.replyTimeout = .seconds(300)
        return settings
    }()

    func connect(_ settings: CryptoConnection.Settings = patient) async throws(CryptoClientError) -> CryptoConnection {
        try await CryptoConnection.connect(host: "127.0.0.1", port: port, settings: settings)
    }

    func stop() async {
        try? await channel.close()
    }

    private final class Handler: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        typealias OutboundOut = ByteBuffer

        private var stream: HostFrameStream
        private let script: Script
        private var isDone = false

        init(_ format: HostFrameFormat, _ script: @escaping Script) {
            stream = HostFrameStream(format)
            self.script = script
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            stream.receive(unwrapInboundIn(data))
            var frames: [HostFrame] = []
            while let frame = try? stream.next() { frames.append(frame) }
            guard !frames.isEmpty, !isDone else { return }
            let answer = script(frames)
            context.writeAndFlush(wrapOutboundOut(answer.bytes), promise: nil)
            guard answer.closes else { return }
            // What the client still sends is read and dropped: the system would answer it with a reset behind a full close, which
            // may overtake the bytes that were written.
            isDone = true
            context.close(mode: .output, promise: nil)
        }
    }
}
