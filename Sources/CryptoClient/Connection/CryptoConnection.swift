public import NIOCore
import NIOPosix

/// One connection to a crypto service, with many requests under way at once.
///
/// Requests are sent as they come and answered in that order; the client header carries a number that must come back with
/// the answer. Safe to use from many tasks. A connection that has failed stays failed: making a new one is the caller's.
///
///     let connection = try await CryptoConnection.connect(host: "127.0.0.1", port: 1500)
///     let answer = try await connection.run(DiagnosticsRequest())
public final class CryptoConnection: Sendable {
    /// What client and server must agree on, and the client's own limits.
    public struct Settings: Sendable {
        /// Bytes of client header; as the server has it.
        public var headerLength = 4
        /// Requests sent and not yet answered; more are held back.
        public var maximumInFlight = 64
        /// Requests held back; more fail with `busy`.
        public var maximumWaiting = 16_384
        public var connectTimeout = Duration.seconds(5)
        /// From sending to answer.
        public var replyTimeout = Duration.seconds(10)

        public init() {}
    }

    private let channel: any Channel
    private let pipeline: NIOLoopBound<RequestPipeline>

    private init(channel: any Channel, pipeline: NIOLoopBound<RequestPipeline>) {
        self.channel = channel
        self.pipeline = pipeline
    }

    deinit {
        channel.close(promise: nil)
    }

    /// Connects over plain TCP, on NIO's shared event loops unless a group is given.
    public static func connect(
        host: String, port: Int, settings: Settings = Settings(), on group: (any EventLoopGroup)? = nil
    ) async throws(CryptoClientError) -> CryptoConnection {
        let bootstrap = ClientBootstrap(group: group ?? MultiThreadedEventLoopGroup.singleton)
            .connectTimeout(TimeAmount(settings.connectTimeout))
        do {
            return try await bootstrap.connect(host: host, port: port) { channel in
                Self.setUp(channel, settings)
            }
        } catch let error as CryptoClientError {
            throw error
        } catch {
            throw .cannotConnect(String(describing: error))
        }
    }

    /// Sends one command with its fields as they are; the answer is not interpreted beyond its error code.
    public func send(command: String, body: [UInt8]) async throws(CryptoClientError) -> HostReply {
        guard let code = HostCommandCode(command) else { throw .refused(.commandNotLicensed) }
        return try await send(code, body: ByteBuffer(bytes: body), trailerLength: nil)
    }

    /// Sends a typed request. Any code but 00 is thrown as `refused`.
    public func run<Command: HostCommand>(
        _ command: Command, end: MessageEnd = .none
    ) async throws(CryptoClientError) -> Command.Reply {
        let reply = try await send(
            Command.code, body: command.body(end: end), trailerLength: end.trailer?.readableBytes)
        guard reply.error == .noError else { throw .refused(reply.error) }
        do throws(FieldError) {
            return try Command.Reply.parse(reply.body)
        } catch {
            throw .malformedReply(error)
        }
    }

    /// Closes at once; requests without an answer fail with `closed`.
    public func close() async {
        try? await channel.close()
    }

    /// True until the connection has ended.
    public var isOpen: Bool { channel.isActive }

    private func send(
        _ command: HostCommandCode, body: ByteBuffer, trailerLength: Int?
    ) async throws(CryptoClientError) -> HostReply {
        let pipeline = pipeline
        let outcome: RequestPipeline.Outcome = await withCheckedContinuation { continuation in
            let request = RequestPipeline.Request(
                command: command, body: body, trailerLength: trailerLength, continuation: continuation)
            channel.eventLoop.execute { pipeline.value.submit(request) }
        }
        return try outcome.get()
    }

    private static func setUp(_ channel: any Channel, _ settings: Settings) -> EventLoopFuture<CryptoConnection> {
        channel.eventLoop.makeCompletedFuture {
            let pipeline = RequestPipeline(settings)
            try channel.pipeline.syncOperations.addHandler(pipeline)
            return CryptoConnection(
                channel: channel, pipeline: NIOLoopBound(pipeline, eventLoop: channel.eventLoop))
        }
    }
}
