import CryptoClient
public import HSMBridge
public import Hummingbird
public import KMS
public import Logging
public import ServiceLifecycle

/// The calculation service's second door: the operations of the host commands as HTTP/JSON under `/v1`.
public struct CryptoHTTPServer: Service {
    private let settings: CryptoSettings
    private let desk: ServiceDesk
    private let logger: Logger
    private let onReady: @Sendable (Int) -> Void

    /// `onReady` is told the port once requests are answered.
    public init(
        _ settings: CryptoSettings, centre: KeyCentre, module: any SecurityModule, logger: Logger,
        onReady: @escaping @Sendable (Int) -> Void = { _ in }
    ) {
        self.settings = settings
        desk = ServiceDesk(
            module: module, directory: centre.directory, counts: centre.counts, failedChecks: centre.failedChecks,
            clocks: .system)
        self.logger = logger
        self.onReady = onReady
    }

    /// Runs until graceful shutdown or cancellation.
    public func run() async throws { try await application().run() }

    /// The application, for those who run it themselves.
    public func application() -> some ApplicationProtocol {
        let ready = onReady
        return Application(
            router: router(),
            configuration: ApplicationConfiguration(
                address: .hostname(settings.httpHost, port: settings.httpPort), serverName: nil),
            onServerRunning: { channel in ready(channel.localAddress?.port ?? 0) },
            logger: logger)
    }

    private func router() -> Router<CryptoContext> {
        let router = Router(context: CryptoContext.self)
        router.add(middleware: ProblemAnswers())
        router.get("/healthz") { _, _ in Self.response(["status": .text("ok")]) }
        router.get("/readyz") { _, _ in await readiness() }
        router.get("/v1/openapi.json") { _, _ in
            Self.response(OpenAPIDocument.document(ServiceRoute.all))
        }
        let desk = desk
        let limit = settings.bodyLimit
        router.get("/v1/status") { request, _ in
            let client = try Self.client(request, desk)
            return try await Self.response(status(client))
        }
        for route in ServiceRoute.all {
            router.post(RouterPath(route.path)) { request, _ in
                let client = try Self.client(request, desk)
                let bytes = try await request.body.collect(upTo: limit)
                let body = try JSONBody(Array(bytes.readableBytesView), route.request)
                let answer = try await route.work(ServiceCall(desk: desk, client: client, body: body))
                return Self.response(answer)
            }
        }
        return router
    }

    /// The service client whose token this is. Default deny.
    private static func client(_ request: Request, _ desk: ServiceDesk) throws -> String {
        let words = request.headers[.authorization]?.split(separator: " ", maxSplits: 1) ?? []
        guard words.count == 2, words[0].lowercased() == "bearer",
            let client = desk.directory.snapshot.client(token: String(words[1]), now: desk.clocks.wall())
        else {
            throw HTTPProblem(.unauthorized, "a bearer token of a service client is needed", code: .commandDisabled)
        }
        return client.id
    }

    private func status(_ client: String) async throws -> [String: JSONValue] {
        let status = try await desk.execute(GetStatus())
        return [
            "client": .text(client), "module": .text(status.state.name), "firmware": .text(status.firmware),
            "lmk_check_value": .text(status.lmkCheckValue?.description ?? ""),
            "directory": .text(desk.directory.isStale ? "stale" : "current"),
        ]
    }

    private func readiness() async -> Response {
        let state = try? await desk.execute(GetStatus()).state
        let isReady = state == .operational && !desk.directory.isStale
        return Self.response(
            ["status": .text(isReady ? "ready" : "not ready"), "module": .text(state?.name ?? "away")],
            status: isReady ? .ok : .serviceUnavailable)
    }

    private static func response(_ values: [String: JSONValue], status: HTTPResponse.Status = .ok) -> Response {
        response(.object(values), status: status)
    }

    private static func response(_ value: JSONValue, status: HTTPResponse.Status = .ok) -> Response {
        Response(
            status: status, headers: [.contentType: "application/json", .cacheControl: "no-store"],
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: value.encoded)))
    }
}

/// What is known about a request while it is answered: nothing beyond Hummingbird's own.
struct CryptoContext: RequestContext {
    var coreContext: CoreRequestContextStorage

    init(source: Source) { coreContext = CoreRequestContextStorage(source: source) }
}

/// Turns every error into problem details.
struct ProblemAnswers: RouterMiddleware {
    @concurrent
    func handle(
        _ request: Request, context: CryptoContext,
        next: @concurrent (Request, CryptoContext) async throws -> Response
    ) async throws -> Response {
        do { return try await next(request, context) } catch {
            let problem = HTTPProblem(any: error)
            if problem.status.code >= 500 {
                context.logger.warning(
                    "request failed", metadata: ["code": "\(problem.code.rawValue)", "path": "\(request.uri.path)"])
            }
            return problem.response()
        }
    }
}
