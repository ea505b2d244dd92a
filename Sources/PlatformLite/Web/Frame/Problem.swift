import FoundationEssentials
import Hummingbird
import Logging
import MariaDB

/// An answer that says no: a status and a sentence. Under `/v1` it becomes RFC 9457 problem details, elsewhere a page.
struct Problem: Error {
    let status: HTTPResponse.Status
    let detail: String

    init(_ status: HTTPResponse.Status, _ detail: String) {
        self.status = status
        self.detail = detail
    }

    /// The one place where inner errors get their outer words; what is not listed is "internal error" and tells nothing.
    init(_ error: any Error) {
        switch error {
        case let problem as Problem: self = problem
        case let refusal as BackOffice.Refusal: self = Problem(refusal)
        case let failure as VerificationFailure: self = Problem(.serviceUnavailable, failure.description)
        case DatabaseError.busy: self = Problem(.serviceUnavailable, "the database has too much to do")
        case DatabaseError.gone: self = Problem(.serviceUnavailable, "the database is away")
        case DatabaseError.tableFull: self = Problem(.serviceUnavailable, "the database has no room")
        case let error as any HTTPResponseError: self = Problem(error.status, error.status.reasonPhrase)
        default: self = Problem(.internalServerError, "internal error")
        }
    }

    private init(_ refusal: BackOffice.Refusal) {
        switch refusal {
        case .upload(.notUTF8): self.init(.badRequest, "the file is not UTF-8")
        case .upload(.wrongHeader): self.init(.badRequest, "the first line is not: \(RecordCSV.header)")
        case .upload(.empty): self.init(.badRequest, "the file has no records")
        case .upload(.tooManyLines): self.init(.contentTooLarge, "more than \(RecordCSV.maximumLines) records")
        case .badBatchID: self.init(.badRequest, "a batch id is 1 to 64 of A-Z a-z 0-9 . _ -")
        case .batchIDTaken: self.init(.conflict, "this batch id stands for other content")
        case .keyTaken: self.init(.conflict, "this idempotency key stands for something else")
        case .notFound: self.init(.notFound, "there is no such thing")
        case .conflict: self.init(.conflict, "this number is taken, with other content")
        case .merchantUnknown: self.init(.unprocessableContent, "there is no such merchant")
        case .alreadyReversed: self.init(.conflict, "this posting has been reversed already")
        case .notReversible: self.init(.conflict, "a posting of this kind, or one that was moved, cannot be reversed")
        }
    }

    /// `application/problem+json`.
    func response() -> Response {
        struct Details: Encodable {
            let type = "about:blank"
            let title: String
            let status: Int
            let detail: String
        }
        let details = Details(title: status.reasonPhrase, status: status.code, detail: detail)
        var response = JSONAnswer.response(details, status: status)
        response.headers[.contentType] = "application/problem+json"
        if status == .unauthorized { response.headers[.wwwAuthenticate] = "Bearer" }
        return response
    }
}

/// JSON as we write it: snake case, keys in order.
enum JSONAnswer {
    static func response(_ value: some Encodable, status: HTTPResponse.Status = .ok) -> Response {
        let encoder = JSONEncoder()
        encoder.keyEncodingStrategy = .convertToSnakeCase
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        // Our own answers are plain structs of numbers and text; they always encode.
        let data = (try? encoder.encode(value)) ?? Data("{}".utf8)
        return Response(
            status: status, headers: [.contentType: "application/json; charset=utf-8"],
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: Array(data))))
    }
}

/// Turns every error into an answer: problem details for programs, a page for people.
struct ErrorAnswers: RouterMiddleware {
    let pages: Pages

    func handle(
        _ request: Request, context: PlatformContext,
        next: @concurrent (Request, PlatformContext) async throws -> Response
    ) async throws -> Response {
        do {
            return try await next(request, context)
        } catch {
            let problem = Problem(error)
            if problem.status.code >= 500 {
                // Errors of ours never describe data (DatabaseError's promise), so the log may have them.
                context.logger.error("request failed", metadata: ["error": "\(error)", "path": "\(request.uri.path)"])
            }
            if request.uri.path.hasPrefix("/v1") { return problem.response() }
            if problem.status == .unauthorized { return Response(status: .seeOther, headers: [.location: "/login"]) }
            return pages.error(problem, context)
        }
    }
}
