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
    /// Plain host commands are taken on loopback only, unless addresses are configured from which they may come.
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
        let listeners: [any Channel]
        let loops: [NIOLoopBound<HostLoop>]
    }

    private enum Phase {
        case new, starting, stopped
        case running(Running)
    }

    private let surroundings: HostLoop.Surroundings
    private let logger: Logger
    private let phase = Mutex(Phase.new)
    /// The loops of a stop under way.
    private let stopping = Mutex<[NIOLoopBound<HostLoop>]>([])
    private let admission: Admission
    /// Answers the requests of other doors, from `start` to `stop`.
    public let responder: Responder

    /// `slowModule` carries what may take long: making, importing and exporting keys. `metrics` is the process's, shared with
    /// its other doors, and so is `admission`.
    public init(
        _ settings: CryptoSettings, centre: KeyCentre, slowModule: any SecurityModule,
        metrics: ServiceMetrics = ServiceMetrics(), admission: Admission? = nil, clocks: Clocks = .system,
        logger: Logger
    ) {
        surroundings = HostLoop.Surroundings(
            settings: settings, directory: centre.directory, counts: centre.counts, failedChecks: centre.failedChecks,
            clocks: clocks,
            slow: SlowCommands(
                module: slowModule, rsa: RSAModules(settings), counts: centre.counts, failedChecks: centre.failedChecks,
                monitoring: Monitoring(metrics: metrics, clocks: clocks, connectionLimit: settings.connectionLimit)),
            metrics: metrics)
        responder = Responder(loops: settings.loops)
        self.admission = admission ?? Admission(settings, centre: centre, metrics: metrics, logger: logger)
        self.logger = logger
    }

    /// What this server counts.
    var metrics: ServiceMetrics { surroundings.metrics }

    /// Connections that are open now.
    public var connections: Int { admission.hostConnections }

    /// The port of the TLS door; nil while it is closed.
    public var tlsPort: Int? {
        phase.withLock { phase in
            guard case .running(let running) = phase, running.listeners.count > 1 else { return nil }
            return running.listeners[1].localAddress?.port
        }
    }

    /// Runs until graceful shutdown or cancellation, then stops; a cancellation gives up what is still open.
    public func run() async throws {
        _ = try await start()
        try? await gracefulShutdown()
        await withTaskCancellationHandler {
            await stop()
        } onCancel: {
            hasten()
        }
    }

    /// Gives up what a stop is still waiting for.
    private func hasten() {
        stopping.withLock { loops in
            for loop in loops { loop.eventLoop.execute { loop.value.hasten() } }
        }
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
        let plain = try Self.address(settings.host, settings.port)
        guard plain.isLoopback || !settings.plainAddresses.isEmpty else { throw .notLoopback(settings.host) }
        let secure = try admission.tls.map { (material) throws(CryptoServerError) in
            (try Self.address(settings.tlsHost, settings.tlsPort), material)
        }
        do {
            let loops = try await makeLoops(responder.group)
            let listener = try await listen(.tcp, plain, loops, nil)
            var listeners = [listener]
            if let (address, material) = secure {
                listeners.append(try await listen(.tls, address, loops, material))
            }
            phase.withLock { $0 = .running(Running(listeners: listeners, loops: Array(loops.values))) }
            responder.open(Array(loops.values))
            Task { [slow = surroundings.slow] in await slow.noteModule() }
            for (listener, door) in zip(listeners, [ServiceDoor.tcp, .tls]) {
                metrics.doorOpened(door, DoorAddress.text(listener.localAddress))
                logger.info("host commands are taken", metadata: ["at": "\(listener.localAddress?.description ?? "")"])
            }
            return listener.localAddress?.port ?? settings.port
        } catch {
            throw .cannotListen(String(describing: error))
        }
    }

    private static func address(_ host: String, _ port: Int) throws(CryptoServerError) -> SocketAddress {
        do { return try SocketAddress.makeAddressResolvingHost(host, port: port) } catch {
            throw .cannotListen("\(host) is no address of this machine")
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
        for listener in running.listeners { try? await listener.close() }
        for door in [ServiceDoor.tcp, .tls] { metrics.doorClosed(door) }
        stopping.withLock { $0 = running.loops }
        // After the loops are on the list, so that a cancellation before it is not missed.
        if Task.isCancelled { hasten() }
        for loop in running.loops {
            try? await loop.eventLoop.flatSubmit { loop.value.stop() }.get()
        }
        stopping.withLock { $0 = [] }
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

    /// Opens one door. Plain connections have their client from the start; those with TLS after the handshake.
    private func listen(
        _ door: ServiceDoor, _ address: SocketAddress, _ loops: [ObjectIdentifier: NIOLoopBound<HostLoop>],
        _ material: TLSMaterial?
    ) async throws -> any Channel {
        try await ServerBootstrap(group: responder.group)
            .serverChannelOption(.backlog, value: 1_024)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            .childChannelOption(.allowRemoteHalfClosure, value: true)
            .childChannelOption(
                .recvAllocator, value: AdaptiveRecvByteBufferAllocator(minimum: 512, initial: 4_096, maximum: 131_072)
            )
            .childChannelInitializer { channel in
                guard let loop = loops[ObjectIdentifier(channel.eventLoop)] else { return channel.close() }
                do throws(AdmissionRefusal) {
                    let peer = try self.admission.enter(channel, door)
                    return channel.eventLoop.makeCompletedFuture { try self.serve(channel, peer, loop, material) }
                } catch { return channel.close() }
            }
            .bind(to: address).get()
    }

    private func serve(
        _ channel: any Channel, _ peer: ConnectedPeer, _ loop: NIOLoopBound<HostLoop>, _ material: TLSMaterial?
    ) throws {
        let pipeline = channel.pipeline.syncOperations
        guard let material else { return try pipeline.addHandler(try connection(of: peer, loop)) }
        try pipeline.addHandlers(
            admission.tlsHandlers(peer, material, on: channel.eventLoop) { [self] context in
                try context.pipeline.syncOperations.addHandler(try connection(of: peer, loop))
            })
    }

    private func connection(of peer: ConnectedPeer, _ loop: NIOLoopBound<HostLoop>) throws -> HostConnection {
        let client = try admission.client(of: peer)
        return HostConnection(
            HostConnection.Identity(client: client.id, origin: peer.origin, door: peer.door, rate: client.rate),
            loop: loop.value, isPlain: peer.door == .tcp)
    }
}

extension SocketAddress {
    /// 127.0.0.0/8 and ::1.
    var isLoopback: Bool {
        guard let address = ipAddress else { return false }
        return address.hasPrefix("127.") || address == "::1" || address.hasPrefix("::ffff:127.")
    }
}
