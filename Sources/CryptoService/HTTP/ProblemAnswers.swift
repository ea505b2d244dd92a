import CryptoClient
import Hummingbird
import Logging
import Synchronization

/// Which methods each path has, as the router has them: what tells 405 from 404.
final class AllowedMethods: Sendable {
    private let byPath = Mutex<[String: Set<String>]>([:])

    func learn(_ routes: [(path: String, method: String)]) {
        byPath.withLock { byPath in
            for (path, method) in routes {
                byPath[path, default: []].insert(method)
                if method == "GET" { byPath[path, default: []].insert("HEAD") }
            }
        }
    }

    /// For the `Allow` header; nil for a path that does not exist.
    func methods(_ path: String) -> String? {
        byPath.withLock { $0[path] }.map { $0.sorted().joined(separator: ", ") }
    }
}

/// Turns every error into problem details.
struct ProblemAnswers: RouterMiddleware {
    let allowed: AllowedMethods

    @concurrent
    func handle(
        _ request: Request, context: CryptoContext,
        next: @concurrent (Request, CryptoContext) async throws -> Response
    ) async throws -> Response {
        do { return try await next(request, context) } catch {
            var problem = HTTPProblem(any: error)
            if problem.kind == .unknownPath, let methods = allowed.methods(request.uri.path) {
                problem = .methodNotAllowed(methods)
            }
            if problem.status >= 500 {
                context.logger.warning(
                    "request failed", metadata: ["code": "\(problem.code.rawValue)", "path": "\(request.uri.path)"])
            }
            return problem.response()
        }
    }
}
