import CryptoClient
import Hummingbird

/// An answer that says no, as RFC 9457 problem details with the host error code inside.
struct HTTPProblem: Error, Sendable {
    let kind: ProblemKind
    let code: HostErrorCode
    /// This one case, in words, without data.
    let detail: String
    /// What the status asks for.
    var header: Header?

    enum Header: Sendable, Hashable {
        case allow(String)
        case retryAfter(Int)
    }

    init(_ kind: ProblemKind, _ detail: String, code: HostErrorCode = .inputData) {
        self.kind = kind
        self.detail = detail
        self.code = code
    }

    init(_ refusal: Refusal) {
        self.init(ProblemKind.of(refusal.code), refusal.detail, code: refusal.code)
    }

    /// Who is not let in gets one answer, whatever the reason: a guess is to learn nothing.
    init(_ refusal: AdmissionRefusal) {
        self.init(
            refusal.isOfCredential ? .unauthorised : ProblemKind.of(refusal.hostCode), refusal.detail,
            code: refusal.hostCode)
        header = refusal.retryAfter.map { .retryAfter($0) }
    }

    init(_ fault: JSONFault) { self.init(.malformedBody, fault.detail) }

    static func methodNotAllowed(_ allowed: String) -> HTTPProblem {
        var problem = HTTPProblem(.methodNotAllowed, "allowed here: \(allowed)", code: .commandNotLicensed)
        problem.header = .allow(allowed)
        return problem
    }

    static func retry(after seconds: Int, _ detail: String) -> HTTPProblem {
        var problem = HTTPProblem(.tooManyRequests, detail, code: .fraudDetection)
        problem.header = .retryAfter(max(1, seconds))
        return problem
    }

    /// The one place where errors get their outer words; what is not listed tells nothing.
    init(any error: any Error) {
        switch error {
        case let problem as HTTPProblem: self = problem
        case let refusal as Refusal: self.init(refusal)
        case let refusal as AdmissionRefusal: self.init(refusal)
        case let fault as JSONFault: self.init(fault)
        case let error as any HTTPResponseError where error.status == .contentTooLarge:
            self.init(.bodyTooLong, "the body is longer than the limit", code: .dataLength)
        case let error as any HTTPResponseError where error.status == .notFound:
            self.init(.unknownPath, "no such path", code: .commandNotLicensed)
        case let error as any HTTPResponseError where (400..<500).contains(error.status.code):
            self.init(.malformedHeader, error.status.reasonPhrase)
        default: self.init(.internalFault, "internal error", code: .internalError)
        }
    }

    var status: Int { kind.status }

    var body: ByteBuffer {
        var writer = JSONWriter()
        writer.beginObject()
        for (name, value) in [("type", kind.type), ("title", kind.title)] {
            writer.name(name)
            writer.value(value)
        }
        writer.name("status")
        writer.value(kind.status)
        for (name, value) in [("detail", detail), ("code", code.rawValue), ("next", kind.next)] {
            writer.name(name)
            writer.value(value)
        }
        writer.endObject()
        return writer.buffer
    }

    func response() -> Response {
        var headers: HTTPFields = [.contentType: "application/problem+json", .cacheControl: "no-store"]
        if kind.status == 401 { headers[.wwwAuthenticate] = "Bearer" }
        switch header {
        case .allow(let methods): headers[.allow] = methods
        case .retryAfter(let seconds): headers[.retryAfter] = String(seconds)
        case nil: break
        }
        return Response(
            status: .init(code: kind.status), headers: headers, body: ResponseBody(byteBuffer: body))
    }
}
