import FoundationEssentials
import HSMBridge
import Hummingbird
import KMS
import Logging
import Personalization

/// An answer that says no, as RFC 9457 problem details: status, code, and what to do next in two languages.
struct Problem: Error {
    let status: HTTPResponse.Status
    let code: String
    let english: String
    let chinese: String
    var retryAfter: Int?

    init(_ status: HTTPResponse.Status, _ code: String, _ english: String, _ chinese: String) {
        self.status = status
        self.code = code
        self.english = english
        self.chinese = chinese
    }

    /// The request itself is not understood; `what` names the rule, never the value.
    static func malformed(_ what: String) -> Problem {
        Problem(.badRequest, "C-400", "The request is malformed: \(what).", "请求格式错误：\(what)。")
    }

    /// The one place where inner errors get their outer words; what is not listed is an internal fault and tells nothing.
    init(_ error: any Error) {
        switch error {
        case let problem as Problem: self = problem
        case let error as KMSError: self.init(error)
        case let error as IssuingError: self.init(error)
        case let error as any HTTPResponseError: self.init(status: error.status)
        default: self.init(KMSError.internalFault("console"))
        }
    }

    init(_ error: KMSError) {
        self.init(Self.status(error), error.code, error.message, error.chinese)
        switch error {
        case .accountLocked(let seconds): retryAfter = seconds
        case .busy: retryAfter = 2
        default: break
        }
    }

    init(_ error: IssuingError) {
        if case .kms(let inner) = error {
            self.init(inner)
        } else {
            self.init(Self.status(error), error.code, error.message, error.chinese)
            if case .tooManyJobs = error { retryAfter = 10 }
        }
    }

    private init(status: HTTPResponse.Status) {
        switch status {
        case .notFound: self.init(status, "C-404", "There is nothing at this address.", "没有此地址。")
        case .contentTooLarge: self.init(status, "C-413", "The body is too large.", "请求内容过大。")
        default: self.init(status, "C-\(status.code)", "\(status.reasonPhrase).", "\(status.reasonPhrase)。")
        }
    }

    private static func status(_ error: KMSError) -> HTTPResponse.Status {
        switch error {
        case .notSignedIn, .sessionEnded, .signInRefused: .unauthorized
        case .accountLocked: .tooManyRequests
        case .bootstrapTokenWrong, .roleMissing, .approvalNeeded, .approvalNotForThis, .approvalBySamePerson,
            .grantMissing:
            .forbidden
        case .approvalNotFound, .clientUnknown, .notFound: .notFound
        case .passwordTooShort, .passwordUnacceptable, .invalidInput: .unprocessableContent
        case .bootstrapClosed, .approvalExpired, .approvalUsed, .exists, .inUse, .keyHasNoValue, .keyHasValue,
            .keyStateForbids, .keyNotYetValid, .keyExpired, .moveNotAllowed, .storedKeyRefused:
            .conflict
        case .module(let error): status(error)
        case .busy, .directoryStale, .auditUnavailable, .databaseUnavailable: .serviceUnavailable
        // Not 503: that would invite a retry, and it may have been done.
        case .outcomeNotRecorded, .databaseOutcomeUnknown, .databaseRefused, .internalFault: .internalServerError
        }
    }

    private static func status(_ error: IssuingError) -> HTTPResponse.Status {
        switch error {
        case .unknownProfile, .jobUnknown, .card(.readerUnknown): .notFound
        case .unknownField, .dataField, .invalidIssuer, .invalidCount, .invalidText: .unprocessableContent
        case .keyMissing, .keyUnusable, .keyUnfit, .imageInvalid, .readerBusy, .noStock, .notContinuable, .otherCard,
            .cardInUse, .card:
            .conflict
        case .tooManyJobs, .database: .serviceUnavailable
        case .module(let error): status(error)
        case .kms(let error): status(error)
        }
    }

    private static func status(_ error: ModuleError) -> HTTPResponse.Status {
        switch error {
        case .uninitialised, .sealed, .ceremonyOpen, .failed, .busy, .unavailable, .journalUnavailable:
            .serviceUnavailable
        default: .unprocessableContent
        }
    }

    /// `application/problem+json`.
    func response(in language: ConsoleContext.Language) -> Response {
        let message = ProblemMessage(
            type: "urn:kmsd:problem:\(code)", title: status.reasonPhrase, status: status.code,
            detail: language == .chinese ? chinese : english, code: code, english: english, chinese: chinese)
        var response = JSONAnswer.response(message, status: status)
        response.headers[.contentType] = "application/problem+json"
        if status == .unauthorized { response.headers[.wwwAuthenticate] = "Bearer" }
        if let retryAfter { response.headers[.retryAfter] = String(retryAfter) }
        return response
    }
}

/// Turns every error into an answer.
struct ErrorAnswers: RouterMiddleware {
    func handle(
        _ request: Request, context: ConsoleContext,
        next: @concurrent (Request, ConsoleContext) async throws -> Response
    ) async throws -> Response {
        do {
            return try await next(request, context)
        } catch {
            let problem = Problem(error)
            if problem.status.code >= 500 {
                // The code and text of our own errors name things and never show data.
                context.logger.error(
                    "request failed", metadata: ["code": "\(problem.code)", "reason": "\(problem.english)"])
            }
            return problem.response(in: context.language)
        }
    }
}
