import CryptoClient
public import HSMBridge
public import KMS
public import Logging
import NIOCore
import NIOPosix
public import ServiceLifecycle
import Synchronization

/// Why the host-command port did not open.
public enum CryptoServerError: Error, Sendable, Hashable {
    /// Plain host commands are taken on loopback addresses only.
    case notLoopback(String)
    /// The system's reason.
    case cannotListen(String)
    /// A server runs once.
    case usedUp
}

/// Host commands over TCP: the calculation service's first door.
///
/// The module need not be there: without it every request is answered with its code at once, and with it again as soon as it is
/// back. Keys, grants and states come from the centre's directory; `KeyCentre.run` has to run beside this.
public final class CryptoServer: Service, Sendable {
    private struct Running {
        let listener: any Channel
        let loops: [NIOLoopBound<HostLoop>]
    }

    private enum Phase {
        case new, starting, stopped
        case running(Running)
    }

    private let surroundings: HostLoop.Surroundings
    private let logger: Logger
    private let phase = Mutex(Phase.new)
    private let connectionCount = Atomic<Int>(0)
    /// Answers the requests of other doors, from `start` to `stop`.
    public let responder: Responder

    /// `slowModule` carries what may take long: making, importing and exporting keys. `metrics` is the process's, shared with
    /// its other doors.
    public init(
        _ settings: CryptoSettings, centre: KeyCentre, slowModule: any SecurityModule,
        metrics: ServiceMetrics = ServiceMetrics(), logger: Logger
    ) {
        surroundings = HostLoop.Surroundings(
            settings: settings, directory: centre.directory, counts: centre.counts, failedChecks: centre.failedChecks,
            clocks: .system, slow: SlowCommands(module: slowModule, counts: centre.counts), metrics: metrics)
        responder = Responder(loops: settings.loops)
        self.logger = logger
    }

    /// Connections that are open now.
    public var connections: Int { connectionCount.load(ordering: .relaxed) }

    /// Runs until graceful shutdown or cancellation, then stops.
    public func run() async throws {
        _ = try await start()
        try? await gracefulShutdown()
        await stop()
    }

    /// Opens the port, and answers which it is.
    public func start() async throws(CryptoServerError) -> Int {
        let isNew = phase.withLock { phase in
            guard case .new = phase else { return false }
            phase = .starting
            return true
        }
        guard isNew else { throw .usedUp }
        let settings = surroundings.settings
        guard let address = try? SocketAddress.makeAddressResolvingHost(settings.host, port: settings.port),
            address.isLoopback
        else { throw .notLoopback(settings.host) }
        let group = responder.group
        do {
            let loops = try await makeLoops(group)
            let listener = try await listen(address, group, loops)
            phase.withLock { $0 = .running(Running(listener: listener, loops: Array(loops.values))) }
            responder.open(Array(loops.values))
            let port = listener.localAddress?.port ?? settings.port
            logger.info("host commands are taken", metadata: ["host": "\(settings.host)", "port": "\(port)"])
            return port
        } catch {
            throw .cannotListen(String(describing: error))
        }
    }

    /// Takes no more connections, answers what was accepted, and ends.
    public func stop() async {
        let (running, wasStopped) = phase.withLock { phase -> (Running?, Bool) in
            defer { phase = .stopped }
            switch phase {
            case .running(let running): return (running, false)
            case .new, .starting: return (nil, false)
            case .stopped: return (nil, true)
            }
        }
        guard !wasStopped else { return }
        responder.close()
        guard let running else {
            try? await responder.group.shutdownGracefully()
            return
        }
        try? await running.listener.close()
        for loop in running.loops {
            try? await loop.eventLoop.flatSubmit { loop.value.stop() }.get()
        }
        try? await responder.group.shutdownGracefully()
        logger.info("host commands have stopped")
    }

    private func makeLoops(
        _ group: MultiThreadedEventLoopGroup
    ) async throws -> [ObjectIdentifier: NIOLoopBound<HostLoop>] {
        var loops: [ObjectIdentifier: NIOLoopBound<HostLoop>] = [:]
        for eventLoop in group.makeIterator() {
            let surroundings = surroundings
            let loop = try await eventLoop.submit {
                NIOLoopBound(HostLoop(surroundings, eventLoop: eventLoop), eventLoop: eventLoop)
            }.get()
            try await eventLoop.flatSubmit { loop.value.start() }.get()
            loops[ObjectIdentifier(eventLoop)] = loop
        }
        return loops
    }

    private func listen(
        _ address: SocketAddress, _ group: MultiThreadedEventLoopGroup,
        _ loops: [ObjectIdentifier: NIOLoopBound<HostLoop>]
    ) async throws -> any Channel {
        let settings = surroundings.settings
        return try await ServerBootstrap(group: group)
            .serverChannelOption(.backlog, value: 1_024)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            .childChannelOption(.allowRemoteHalfClosure, value: true)
            .childChannelOption(
                .recvAllocator, value: AdaptiveRecvByteBufferAllocator(minimum: 512, initial: 4_096, maximum: 131_072)
            )
            .childChannelInitializer { channel in
                self.accept(
                    channel, loops, HostConnection.Identity(client: settings.plainClient, origin: Self.origin(channel)))
            }
            .bind(to: address).get()
    }

    /// The seam for other ways in: a TLS port brings an identity from the certificate and its handlers before this.
    private func accept(
        _ channel: any Channel, _ loops: [ObjectIdentifier: NIOLoopBound<HostLoop>], _ identity: HostConnection.Identity
    ) -> EventLoopFuture<Void> {
        guard channel.remoteAddress?.isLoopback == true, let loop = loops[ObjectIdentifier(channel.eventLoop)] else {
            return channel.close()
        }
        let open = connectionCount.wrappingAdd(1, ordering: .relaxed).newValue
        channel.closeFuture.whenComplete { _ in self.connectionCount.wrappingSubtract(1, ordering: .relaxed) }
        guard open <= surroundings.settings.connectionLimit else { return channel.close() }
        return channel.eventLoop.makeCompletedFuture {
            try channel.pipeline.syncOperations.addHandler(HostConnection(identity, loop: loop.value, isPlain: true))
        }
    }

    private static func origin(_ channel: any Channel) -> String {
        "tcp " + (channel.remoteAddress?.ipAddress ?? "unknown")
    }
}

extension SocketAddress {
    /// 127.0.0.0/8 and ::1.
    var isLoopback: Bool {
        guard let address = ipAddress else { return false }
        return address.hasPrefix("127.") || address == "::1" || address.hasPrefix("::ffff:127.")
    }
}
