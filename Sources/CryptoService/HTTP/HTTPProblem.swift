import CryptoClient
import Hummingbird

/// An answer that says no, as RFC 9457 problem details with the host error code inside.
struct HTTPProblem: Error, Sendable {
    let status: HTTPResponse.Status
    let code: HostErrorCode
    let detail: String

    init(_ status: HTTPResponse.Status, _ detail: String, code: HostErrorCode = .inputData) {
        self.status = status
        self.detail = detail
        self.code = code
    }

    init(_ refusal: Refusal) {
        self.init(Self.status(refusal.code), refusal.detail, code: refusal.code)
    }

    /// The one place where errors get their outer words; what is not listed tells nothing.
    init(any error: any Error) {
        switch error {
        case let problem as HTTPProblem: self = problem
        case let refusal as Refusal: self.init(refusal)
        case let error as any HTTPResponseError where error.status == .contentTooLarge:
            self.init(.contentTooLarge, "the body is too long", code: .dataLength)
        case let error as any HTTPResponseError: self.init(error.status, error.status.reasonPhrase)
        default: self.init(.internalServerError, "internal error", code: .internalError)
        }
    }

    static func status(_ code: HostErrorCode) -> HTTPResponse.Status {
        switch code {
        case .functionNotPermitted, .commandDisabled, .notAuthorised, .keyUsage, .modeOfUse, .exportability: .forbidden
        case .indexValue: .notFound
        case .lmkIdentifier, .internalError: .serviceUnavailable
        case .keyBlockOther, .startDate, .endDate: .conflict
        default: .unprocessableContent
        }
    }

    func response() -> Response {
        let body = JSONValue.object([
            "type": .text("about:blank"), "title": .text(status.reasonPhrase), "status": .integer(status.code),
            "detail": .text(detail), "code": .text(code.rawValue),
        ])
        var headers: HTTPFields = [.contentType: "application/problem+json"]
        if status == .unauthorized { headers[.wwwAuthenticate] = "Bearer" }
        return Response(
            status: status, headers: headers, body: ResponseBody(byteBuffer: ByteBuffer(bytes: body.encoded)))
    }
}
