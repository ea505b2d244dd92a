import AcceptedConnections
import Hummingbird
import HummingbirdCore
public import Logging
public import ServiceLifecycle

/// The back office as a running program: the web door and the worker behind it.
public struct PlatformService: Service {
    private let settings: PlatformSettings
    private let office: BackOffice
    private let tokens: AccessTokens
    private let logger: Logger
    private let onReady: @Sendable (Int) -> Void

    /// `onReady` is told the port once requests are answered.
    public init(
        _ settings: PlatformSettings, office: BackOffice, tokens: AccessTokens, logger: Logger,
        onReady: @escaping @Sendable (Int) -> Void = { _ in }
    ) {
        self.settings = settings
        self.office = office
        self.tokens = tokens
        self.logger = logger
        self.onReady = onReady
    }

    /// Runs until the process is asked to end or the task is cancelled.
    public func run() async throws {
        try await application().run()
    }

    func application() throws -> some ApplicationProtocol {
        let worker = BatchWorker(office, retrySeconds: settings.retrySeconds, logger: logger)
        let router = try Self.router(settings, office, tokens, wake: { worker.wake() })
        let ready = onReady
        return Application(
            router: router,
            server: HTTPServerBuilder { responder in AcceptedHTTP1Channel(HTTP1Channel(responder: responder)) },
            configuration: ApplicationConfiguration(
                address: .hostname(settings.host, port: settings.port), serverName: nil),
            services: [worker],
            onServerRunning: { channel in ready(channel.localAddress?.port ?? 0) },
            logger: logger
        )
    }

    static func router(
        _ settings: PlatformSettings, _ office: BackOffice, _ tokens: AccessTokens, wake: @escaping @Sendable () -> Void
    ) throws -> Router<PlatformContext> {
        let router = Router(context: PlatformContext.self)
        let sessions = Sessions(hours: settings.sessionHours)
        let pages = try Pages(offsetMinutes: settings.offsetMinutes)
        router.add(middleware: SecurityHeaders())
        router.add(middleware: ErrorAnswers(pages: pages))
        router.add(middleware: Authentication(tokens: tokens, sessions: sessions, clock: office.clock))
        let door = Door(router: router)
        HealthRoutes(office: office).add(to: door)
        PartyRoutes(office: office).add(to: door)
        BatchRoutes(office: office, wake: wake).add(to: door)
        LedgerRoutes(office: office).add(to: door)
        LoginRoutes(settings: settings, tokens: tokens, sessions: sessions, clock: office.clock, pages: pages).add(
            to: door)
        PageRoutes(office: office, pages: pages, wake: wake).add(to: door)
        return router
    }
}
