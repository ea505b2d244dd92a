import AcceptedConnections
import CryptoClient
public import HSMBridge
public import Hummingbird
import HummingbirdCore
public import KMS
public import Logging
import NIOCore
public import ServiceLifecycle

/// The calculation service's second door: the operations of the host commands as HTTP/JSON under `/v1`.
public struct CryptoHTTPServer: Service {
    private let settings: CryptoSettings
    private let desk: OperationDesk
    private let watch: ServiceWatch
    private let module: any SecurityModule
    private let explain: MACExplainDesk
    private let directory: KeyDirectory
    private let logger: Logger
    private let admission: Admission
    private let door: ServiceDoor
    private let onReady: @Sendable (Int) -> Void

    /// `responder` is the one of the host-command port: both doors ask the same. `onReady` is told the port once requests are
    /// answered. `admission` and `metrics` are the process's.
    public init(
        _ settings: CryptoSettings, centre: KeyCentre, module: any SecurityModule, responder: Responder,
        metrics: ServiceMetrics = ServiceMetrics(), admission: Admission? = nil, logger: Logger,
        onReady: @escaping @Sendable (Int) -> Void = { _ in }
    ) {
        self.settings = settings
        self.module = module
        directory = centre.directory
        explain = MACExplainDesk(
            centre: centre, module: module, rate: MACExplainRate(limit: settings.explanationsPerMinute))
        let admission = admission ?? Admission(settings, centre: centre, metrics: metrics, logger: logger)
        self.admission = admission
        desk = OperationDesk(responder: responder, created: IdempotencyStore(), admission: admission)
        watch = ServiceWatch(
            settings: settings, metrics: metrics, module: ModuleWatch(module: module), directory: centre.directory,
            counts: centre.counts)
        door = .http
        self.logger = logger
        self.onReady = onReady
    }

    /// The same service behind another door, with the same memory of what was created: `.https` for the TLS port.
    public func behind(_ door: ServiceDoor, onReady: @escaping @Sendable (Int) -> Void = { _ in }) -> CryptoHTTPServer {
        CryptoHTTPServer(self, door, onReady)
    }

    private init(_ other: CryptoHTTPServer, _ door: ServiceDoor, _ onReady: @escaping @Sendable (Int) -> Void) {
        settings = other.settings
        desk = other.desk
        watch = other.watch
        module = other.module
        explain = other.explain
        directory = other.directory
        logger = other.logger
        admission = other.admission
        self.door = door
        self.onReady = onReady
    }

    /// Runs until graceful shutdown or cancellation.
    public func run() async throws { try await application().run() }

    /// The application, for those who run it themselves.
    public func application() -> some ApplicationProtocol {
        let ready = onReady
        let isPlain = door == .http
        let (desk, door, admission, rules) = (desk, door, admission, rules)
        return Application(
            router: router(),
            server: HTTPServerBuilder { responder in
                DoorChannel(
                    admission: admission, door: door,
                    base: OperationChannel(
                        base: AcceptedHTTP1Channel(HTTP1Channel(responder: responder)), desk: desk, rules: rules))
            },
            configuration: ApplicationConfiguration(
                address: .hostname(
                    isPlain ? settings.httpHost : settings.httpsHost,
                    port: isPlain ? settings.httpPort : settings.httpsPort), serverName: nil),
            onServerRunning: { [metrics = watch.metrics, door] channel in
                metrics.doorOpened(door, DoorAddress.text(channel.localAddress))
                ready(channel.localAddress?.port ?? 0)
            },
            eventLoopGroupProvider: .shared(desk.responder.group), logger: logger)
    }

    private func router() -> Router<CryptoContext> {
        let router = Router(context: CryptoContext.self, options: .autoGenerateHeadEndpoints)
        let allowed = AllowedMethods()
        router.add(middleware: ProblemAnswers(allowed: allowed))
        OperationRoutes(watch: watch, admission: admission).add(to: router)
        router.get(RouterPath(OpenAPIDocument.path)) { request, _ in
            try ContentRules.checkAccept(request.headers[.accept])
            return Self.response(OpenAPIDocument.bytes)
        }
        let admission = admission
        router.get("/v1/status") { request, _ in
            let client = try Self.client(request, admission)
            try ContentRules.checkAccept(request.headers[.accept])
            return try await Self.response(status(client))
        }
        for resource in MonitorResource.all { add(resource, to: router) }
        let explain = explain
        router.post(RouterPath(MACExplainDesk.path)) { request, _ in Self.response(try await explain.answer(request)) }
        allowed.learn(router.routes.map { ($0.path.description, $0.method.rawValue) })
        allowed.learn(ServiceRoute.all.map { ($0.path, "POST") })
        return router
    }

    /// One of the resources that a host command answers.
    private func add(_ resource: MonitorResource, to router: Router<CryptoContext>) {
        let (admission, responder) = (admission, desk.responder)
        router.get(RouterPath(resource.path)) { request, _ in
            let peer = try Self.peer()
            let client = try admission.admit(authorization: request.headers[.authorization], peer).id
            try ContentRules.checkAccept(request.headers[.accept])
            let answer = await responder.answer(
                resource.request, client: client, origin: peer.origin, door: peer.door)
            return Self.response(try resource.text(answer))
        }
    }

    /// Where no time is set. Clients of HTTP connect again by themselves, so none is kept for ever.
    static let usualSilence = 60

    private var rules: OperationIntake.Rules {
        let admission = admission
        func seconds(_ number: Int?) -> TimeAmount { .seconds(Int64(number ?? Self.usualSilence)) }
        return OperationIntake.Rules(
            bodyLimit: settings.bodyLimit, bodyTime: seconds(settings.frameSeconds),
            idleTime: seconds(settings.idleSeconds), firstByteTime: seconds(settings.firstByteSeconds),
            answerTime: seconds(nil), stopTime: seconds(settings.stopSeconds)
        ) { authorization, peer throws(HTTPProblem) in
            do throws(AdmissionRefusal) { return try admission.admit(authorization: authorization, peer) } catch {
                throw HTTPProblem(error)
            }
        }
    }

    /// The service client of a request that Hummingbird answers. Default deny; its place in the client's rate is taken here.
    private static func client(_ request: Request, _ admission: Admission) throws(AdmissionRefusal) -> String {
        try admission.admit(authorization: request.headers[.authorization], peer()).id
    }

    private static func peer() throws(AdmissionRefusal) -> ConnectedPeer {
        // Without a connection (tests) there is no address either, and no rule for addresses lets it in.
        guard let peer = ConnectedPeer.current ?? SourceAddress("0.0.0.0").map({ ConnectedPeer(.http, $0) }) else {
            throw .noCredential
        }
        return peer
    }

    private func status(_ client: String) async throws -> JSONValue {
        let status: ModuleStatus
        do throws(ModuleRefusal) { status = try await module.execute(GetStatus()) } catch {
            throw HTTPProblem(Refusal.module(error.error))
        }
        return [
            "client": .text(client), "module": .text(status.state.name), "firmware": .text(status.firmware),
            "lmk_check_value": .text(status.lmkCheckValue?.description ?? ""),
            "directory": .text(directory.isStale ? "stale" : "current"),
        ]
    }

    private static func response(_ value: JSONValue, status: HTTPResponse.Status = .ok) -> Response {
        response(value.encoded, status: status)
    }

    private static func response(_ body: ByteBuffer, status: HTTPResponse.Status = .ok) -> Response {
        Response(
            status: status, headers: [.contentType: "application/json", .cacheControl: "no-store"],
            body: ResponseBody(byteBuffer: body))
    }
}

/// What is known about a request while it is answered.
struct CryptoContext: RequestContext {
    var coreContext: CoreRequestContextStorage
    /// Where the request comes from; nil without a network.
    let address: SocketAddress?

    init(source: Source) {
        coreContext = CoreRequestContextStorage(source: source)
        address = source.channel.remoteAddress
    }
}
