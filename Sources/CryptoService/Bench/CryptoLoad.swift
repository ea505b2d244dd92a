import NIOCore
import NIOPosix

/// A load generator that asks the host-command port and a redis server in exactly the same way, for `kmsd bench`.
///
/// Each connection keeps `depth` requests under way and sends one more for each answer, all of a read in one write.
public enum CryptoLoad {
    /// Who is asked, and for what.
    public enum Target: Sendable {
        /// One whole frame, length included, sent over and over.
        case hostCommand(port: Int, frame: [UInt8])
        /// Inline `PING`.
        case redisPing(port: Int)

        var port: Int {
            switch self {
            case .hostCommand(let port, _), .redisPing(let port): port
            }
        }

        var request: [UInt8] {
            switch self {
            case .hostCommand(_, let frame): frame
            case .redisPing: Array("PING\r\n".utf8)
            }
        }
    }

    /// What was measured.
    public struct Outcome: Sendable {
        public let answers: Int
        /// Answers with another code than 00.
        public let refusals: Int
        public let nanoseconds: Int64

        public var perSecond: Double { Double(answers) * 1e9 / Double(max(nanoseconds, 1)) }
    }

    /// Why there is no measurement.
    public enum Failure: Error { case connectionLost }

    /// Runs on one event loop for a time, connections all open before it begins.
    public static func run(
        _ target: Target, connections: Int, depth: Int, seconds: Double
    ) async throws -> Outcome {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        do {
            let outcome = try await run(target, connections, depth, seconds, group)
            try await group.shutdownGracefully()
            return outcome
        } catch {
            try? await group.shutdownGracefully()
            throw error
        }
    }

    private static func run(
        _ target: Target, _ connections: Int, _ depth: Int, _ seconds: Double, _ group: MultiThreadedEventLoopGroup
    ) async throws -> Outcome {
        let time = TimeAmount.nanoseconds(Int64(seconds * 1e9))
        var channels: [any Channel] = []
        var drivers: [NIOLoopBound<LoadDriver>] = []
        let eventLoop = group.next()
        for _ in 0..<connections {
            let (channel, driver) = try await ClientBootstrap(group: eventLoop)
                .channelOption(.tcpOption(.tcp_nodelay), value: 1)
                .connect(host: "127.0.0.1", port: target.port) { channel in
                    channel.eventLoop.makeCompletedFuture {
                        let driver = LoadDriver(target, depth: depth)
                        try channel.pipeline.syncOperations.addHandler(driver)
                        return (channel, NIOLoopBound(driver, eventLoop: channel.eventLoop))
                    }
                }
            channels.append(channel)
            drivers.append(driver)
        }
        let all = drivers
        let outcome = try await eventLoop.flatSubmit {
            let start = NIODeadline.now()
            for driver in all { driver.value.begin() }
            return eventLoop.scheduleTask(in: time) {
                var answers = 0
                var refusals = 0
                var isWhole = true
                for driver in all {
                    driver.value.stop()
                    answers += driver.value.answers
                    refusals += driver.value.refusals
                    isWhole = isWhole && !driver.value.isLost
                }
                let elapsed = (NIODeadline.now() - start).nanoseconds
                return (Outcome(answers: answers, refusals: refusals, nanoseconds: elapsed), isWhole)
            }.futureResult
        }.get()
        for channel in channels { try? await channel.close() }
        guard outcome.1 else { throw Failure.connectionLost }
        return outcome.0
    }
}

/// One connection of the generator.
private final class LoadDriver: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let isRedis: Bool
    private let requestLength: Int
    /// `depth` requests, of which a prefix is sent.
    private let requests: ByteBuffer
    private var pending = ByteBuffer()
    private var context: ChannelHandlerContext?
    private var isStopped = false
    private(set) var answers = 0
    private(set) var refusals = 0
    private(set) var isLost = false

    init(_ target: CryptoLoad.Target, depth: Int) {
        if case .redisPing = target { isRedis = true } else { isRedis = false }
        requestLength = target.request.count
        var requests = ByteBuffer()
        for _ in 0..<depth { requests.writeBytes(target.request) }
        self.requests = requests
    }

    func begin() { context?.writeAndFlush(NIOAny(requests), promise: nil) }

    func stop() { isStopped = true }

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }

    func channelInactive(context: ChannelHandlerContext) {
        if !isStopped { isLost = true }
        self.context = nil
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let read = unwrapInboundIn(data)
        if pending.readableBytes == 0 {
            pending = read
        } else {
            pending.discardReadBytes()
            pending.writeImmutableBuffer(read)
        }
        let count = isRedis ? takePongs() : takeFrames()
        answers += count
        guard !isStopped, count > 0,
            let next = requests.getSlice(at: requests.readerIndex, length: count * requestLength)
        else { return }
        context.writeAndFlush(NIOAny(next), promise: nil)
    }

    /// `+PONG\r\n` each.
    private func takePongs() -> Int {
        let count = pending.readableBytes / 7
        pending.moveReaderIndex(forwardBy: 7 * count)
        return count
    }

    /// Length 2 | header 4 | answer code 2 | error 2 | ….
    private func takeFrames() -> Int {
        var count = 0
        while let length = pending.getInteger(at: pending.readerIndex, as: UInt16.self),
            pending.readableBytes >= 2 + Int(length)
        {
            if pending.getInteger(at: pending.readerIndex + 8, as: UInt16.self) != 0x3030 { refusals += 1 }
            pending.moveReaderIndex(forwardBy: 2 + Int(length))
            count += 1
        }
        return count
    }
}
