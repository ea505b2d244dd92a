import Hummingbird
import KMS
import NIOCore

/// What is known about a request while it is answered.
struct ConsoleContext: RequestContext {
    var coreContext: CoreRequestContextStorage
    /// Address of the other end, for the audit trail.
    let origin: String
    var language = Language.english
    /// Who asks, or why that is not known.
    var visitor: Result<Actor, KMSError> = .failure(.notSignedIn)
    /// The session's token, to end it.
    var token: String?

    init(source: Source) {
        coreContext = CoreRequestContextStorage(source: source)
        origin = source.channel.remoteAddress?.ipAddress ?? "local"
    }

    func requireActor() throws(KMSError) -> Actor { try visitor.get() }

    /// The language of an error's `detail`; both are always in the body.
    enum Language: Sendable {
        case english, chinese

        /// From `Accept-Language`: the first of the two that is named.
        init(accepting header: String?) {
            for word in (header ?? "").lowercased().split(separator: ",") {
                let tag = word.drop { $0 == " " }
                if tag.hasPrefix("zh") { self = .chinese; return }
                if tag.hasPrefix("en") { break }
            }
            self = .english
        }
    }
}

/// Finds out who asks, by the bearer token of a session. It refuses nobody: routes do.
struct Authentication: RouterMiddleware {
    let centre: KeyCentre

    func handle(
        _ request: Request, context: ConsoleContext,
        next: @concurrent (Request, ConsoleContext) async throws -> Response
    ) async throws -> Response {
        var context = context
        context.language = ConsoleContext.Language(accepting: request.headers[.acceptLanguage])
        if let header = request.headers[.authorization] {
            let words = header.split(separator: " ", maxSplits: 1)
            if words.count == 2, words[0].lowercased() == "bearer" {
                let token = String(words[1])
                context.token = token
                do throws(KMSError) {
                    context.visitor = .success(try centre.actor(token: token, origin: context.origin))
                } catch { context.visitor = .failure(error) }
            }
        }
        return try await next(request, context)
    }
}
