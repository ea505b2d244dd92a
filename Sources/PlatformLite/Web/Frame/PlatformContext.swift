import Hummingbird

/// What is known about a request while it is answered.
struct PlatformContext: RequestContext {
    var coreContext: CoreRequestContextStorage
    var staff: Staff?
    var language = Language.chinese

    init(source: Source) {
        coreContext = CoreRequestContextStorage(source: source)
    }

    var maxUploadSize: Int { 8 * 1_024 * 1_024 }
}

/// Finds out who asks, by bearer token or session cookie, and in which language. It refuses nobody: routes do.
struct Authentication: RouterMiddleware {
    let tokens: AccessTokens
    let sessions: Sessions
    let clock: @Sendable () -> Timestamp

    static let cookie = "platform_session"

    func handle(
        _ request: Request, context: PlatformContext,
        next: @concurrent (Request, PlatformContext) async throws -> Response
    ) async throws -> Response {
        var context = context
        context.language = Language(of: request)
        if let header = request.headers[.authorization] {
            let words = header.split(separator: " ", maxSplits: 1)
            if words.count == 2, words[0].lowercased() == "bearer" { context.staff = tokens.staff(token: words[1]) }
        } else if let name = request.cookies[Self.cookie]?.value {
            context.staff = sessions.staff(name, now: clock())
            if context.staff != nil, request.method != .get, request.method != .head {
                // A cookie comes along with requests that another site made the browser send.
                try Self.refuseForeign(request)
            }
        }
        return try await next(request, context)
    }

    /// Browsers say where a request comes from; one that does not say, or says "elsewhere", changes nothing here.
    static func refuseForeign(_ request: Request) throws {
        if let site = request.headers[.secFetchSite] {
            guard site == "same-origin" else { throw Problem(.forbidden, "the request comes from another site") }
            return
        }
        guard let origin = request.headers[.origin], let host = request.head.authority,
            origin == "http://\(host)" || origin == "https://\(host)"
        else { throw Problem(.forbidden, "the request does not say that it comes from here") }
    }
}

extension HTTPFields.Element.Name {
    static var secFetchSite: Self { Self("Sec-Fetch-Site") ?? .origin }
    static var idempotencyKey: Self { Self("Idempotency-Key") ?? .ifMatch }
    static var contentSecurityPolicy: Self { Self("Content-Security-Policy") ?? .ifMatch }
    static var referrerPolicy: Self { Self("Referrer-Policy") ?? .ifMatch }
    static var frameOptions: Self { Self("X-Frame-Options") ?? .ifMatch }
    static var openerPolicy: Self { Self("Cross-Origin-Opener-Policy") ?? .ifMatch }
}

/// Headers that every answer carries: nothing runs, nothing is framed, nothing is cached or guessed.
struct SecurityHeaders: RouterMiddleware {
    func handle(
        _ request: Request, context: PlatformContext,
        next: @concurrent (Request, PlatformContext) async throws -> Response
    ) async throws -> Response {
        var response = try await next(request, context)
        response.headers[.contentSecurityPolicy] =
            "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; "
            + "frame-ancestors 'none'"
        response.headers[.xContentTypeOptions] = "nosniff"
        response.headers[.referrerPolicy] = "no-referrer"
        response.headers[.frameOptions] = "DENY"
        response.headers[.openerPolicy] = "same-origin"
        if response.headers[.cacheControl] == nil { response.headers[.cacheControl] = "no-store" }
        return response
    }
}
