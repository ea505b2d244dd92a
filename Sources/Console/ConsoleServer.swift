import AcceptedConnections
public import Hummingbird
import HummingbirdCore
public import KMS
public import Logging
public import Personalization
public import ServiceLifecycle

/// The administrators' door: the admin API, JSON over HTTP, under `/admin/v1`.
///
/// Everything but bootstrap, sign-in and the health pages needs a session; which role an operation needs is `KMS`'s to say.
public struct ConsoleServer: Service {
    private let settings: ConsoleSettings
    private let centre: KeyCentre
    private let issuing: CardIssuing
    private let logger: Logger
    private let onReady: @Sendable (Int) -> Void

    /// `onReady` is told the port once requests are answered.
    public init(
        _ settings: ConsoleSettings, centre: KeyCentre, issuing: CardIssuing, logger: Logger,
        onReady: @escaping @Sendable (Int) -> Void = { _ in }
    ) {
        self.settings = settings
        self.centre = centre
        self.issuing = issuing
        self.logger = logger
        self.onReady = onReady
    }

    /// Why the door stays shut.
    public enum Fault: Error, CustomStringConvertible {
        /// The admin API speaks plain HTTP: only this machine may reach it.
        case notLoopback(String)

        public var description: String {
            switch self {
            case .notLoopback(let host): "The admin API listens on loopback addresses only, not on \(host)."
            }
        }
    }

    /// Runs until the process is asked to end or the task is cancelled.
    public func run() async throws {
        guard ["127.0.0.1", "::1", "localhost"].contains(settings.host) else { throw Fault.notLoopback(settings.host) }
        try await application().run()
    }

    /// The application, for a test client.
    public func application() -> some ApplicationProtocol {
        let ready = onReady
        let http = HTTP1Channel.Configuration(
            idleTimeout: .seconds(Int64(settings.idleSeconds)),
            httpDecoderConfiguration: .init(
                maxHeaderFieldSize: 8_192, maxHeaderListSize: 16_384, maxHeaderFieldCount: 64))
        return Application(
            router: router,
            server: HTTPServerBuilder { responder in
                AcceptedHTTP1Channel(HTTP1Channel(responder: responder, configuration: http))
            },
            configuration: ApplicationConfiguration(
                address: .hostname(settings.host, port: settings.port), serverName: nil,
                availableConnectionsDelegate: MaximumAvailableConnections(settings.connectionLimit)),
            onServerRunning: { channel in ready(channel.localAddress?.port ?? 0) },
            logger: logger)
    }

    /// Every door there is; the tests walk through this list.
    var routes: [Route] {
        HealthRoutes(centre: centre).routes + SessionRoutes(centre: centre).routes
            + AdministratorRoutes(centre: centre).routes + HierarchyRoutes(centre: centre).routes
            + KeyRoutes(centre: centre).routes + KeyValueRoutes(centre: centre).routes
            + ApprovalRoutes(centre: centre).routes + ClientRoutes(centre: centre).routes
            + AuditRoutes(centre: centre).routes
            + CardRoutes(issuing: issuing).routes
    }

    private var router: Router<ConsoleContext> {
        let router = Router(context: ConsoleContext.self)
        router.add(middleware: SecurityHeaders())
        router.add(middleware: Authentication(centre: centre))
        router.add(middleware: RequestLog())
        router.add(middleware: ErrorAnswers())
        let slowWork = SlowWork(limit: settings.slowWorkLimit)
        for route in routes { route.add(to: router, slowWork: slowWork) }
        return router
    }
}
