import Hummingbird
import KMS

/// One door of the admin API. A route cannot be written down without saying who may come in.
struct Route: Sendable {
    enum Access: Sendable {
        /// Without a session: bootstrap, sign-in, health.
        case open(@Sendable (Request, ConsoleContext) async throws -> Response)
        /// With a session; which role is needed is decided by `KeyCentre` for each operation anew.
        case session(@Sendable (Request, ConsoleContext, Actor) async throws -> Response)
    }

    let method: HTTPRequest.Method
    let path: String
    /// Takes long enough to be counted against `slowWorkLimit`.
    let isSlow: Bool
    let access: Access

    var needsSession: Bool { if case .session = access { true } else { false } }

    static func open(
        _ method: HTTPRequest.Method, _ path: String,
        _ action: @escaping @Sendable (Request, ConsoleContext) async throws -> Response
    ) -> Route {
        Route(method: method, path: path, isSlow: false, access: .open(action))
    }

    static func session(
        _ method: HTTPRequest.Method, _ path: String, isSlow: Bool = false,
        _ action: @escaping @Sendable (Request, ConsoleContext, Actor) async throws -> Response
    ) -> Route {
        Route(method: method, path: "/admin/v1" + path, isSlow: isSlow, access: .session(action))
    }

    /// Puts the route into a router, behind its session check.
    func add(to router: Router<ConsoleContext>, slowWork: SlowWork) {
        let (access, isSlow) = (access, isSlow)
        router.on(RouterPath(path), method: method) { request, context in
            switch access {
            case .open(let action): return try await action(request, context)
            case .session(let action):
                let actor = try context.requireActor()
                guard isSlow else { return try await action(request, context, actor) }
                return try await slowWork.whileHolding { try await action(request, context, actor) }
            }
        }
    }
}
