import CryptoClient
import HSMBridge
import Hummingbird
import KMS
import Synchronization

/// Answers `POST /v1/mac/explain`: a person's right and not a program's, recorded each time, and at a bounded rate.
struct MACExplainDesk: Sendable {
    static let path = "/v1/mac/explain"
    static let bodyLimit = 32_768

    let centre: KeyCentre
    let module: any SecurityModule
    let rate: MACExplainRate

    static let openAPI = OpenAPIOperation(
        path: path, name: "explainMAC", group: .mac, about: "Say with which other reading a MAC would have matched.",
        words: """
            Tries other paddings, algorithms, vectors, key versions, diversifications and byte orders in the module. For an administrator \
            with the role auditor or key: the bearer token is that of a session (kmsd admin login), not of a service client. Each use is \
            recorded in the audit trail; only a few are answered a minute.
            """,
        request: MACExplainRequest.fields, answer: MACExplainRequest.answer,
        example: (
            #"{"key":"canteen/pos/mac","algorithm":"algorithm3","padding":"method2","data":"4E6F77206973207468652074696D6520666F7220616C6C20","mac":"A1C72E74"}"#,
            #"{"result":"verification failed","explanation":"The MAC would have matched with padding method 1 instead of padding method 2.","matches":[{"words":"padding method 1 instead of padding method 2","key":"canteen/pos/mac/01"}],"tried":30}"#
        ), security: [["session": []]])

    func answer(_ request: Request) async throws -> ByteBuffer {
        let actor = try actor(request.headers[.authorization])
        try ContentRules.checkAccept(request.headers[.accept])
        try ContentRules.checkContentType(request.headers[.contentType])
        let text = try await request.body.collect(upTo: Self.bodyLimit)
        let body = try JSONBody(text, MACExplainRequest.fields)
        if let seconds = rate.take(actor.name) {
            throw HTTPProblem.retry(after: seconds, "at most \(rate.limit) explanations a minute")
        }
        let label = body.string(.key) ?? ""
        do {
            // The role is looked at and the record written before the directory is: who may not ask learns of no key.
            return try await centre.perform(.explainMAC, on: "key \(String(label.prefix(80)))", by: actor) {
                let keys = try MACExplainRequest.keys(label, centre.directory.snapshot)
                let command = MACExplainRequest.command(body, keys.map(\.reference))
                let reply: MACExplanation
                do throws(ModuleRefusal) { reply = try await module.execute(command) } catch {
                    throw HTTPProblem(Refusal.module(error.error))
                }
                var writer = JSONWriter()
                MACExplainRequest.write(reply, command, keys, &writer)
                return writer.buffer
            }
        } catch let error as KMSError {
            throw Self.problem(error)
        }
    }

    /// The person whose session it is. Default deny.
    private func actor(_ authorization: String?) throws(HTTPProblem) -> Actor {
        let words = authorization?.split(separator: " ", maxSplits: 1) ?? []
        guard words.count == 2, words[0].lowercased() == "bearer",
            let actor = try? centre.actor(token: String(words[1]), origin: "http explain")
        else {
            throw HTTPProblem(
                .unauthorised, "the token of an administrator's session is needed", code: .commandDisabled)
        }
        return actor
    }

    private static func problem(_ error: KMSError) -> HTTPProblem {
        switch error {
        case .notSignedIn, .sessionEnded: HTTPProblem(.unauthorised, error.message, code: .commandDisabled)
        case .roleMissing:
            HTTPProblem(ProblemKind.of(.functionNotPermitted), error.message, code: .functionNotPermitted)
        default: HTTPProblem(.keys(error))
        }
    }
}

/// How often one person may ask: so that the few thousand readings of each question stay far from a search for a MAC.
final class MACExplainRate: Sendable {
    let limit: Int
    private static let window = Duration.seconds(60)

    private let asked = Mutex<[String: [ContinuousClock.Instant]]>([:])
    private let now: @Sendable () -> ContinuousClock.Instant

    init(limit: Int, now: @escaping @Sendable () -> ContinuousClock.Instant = { .now }) {
        self.limit = limit
        self.now = now
    }

    /// Nil: go on. Else the seconds to wait, at least one.
    func take(_ name: String) -> Int? {
        let now = now()
        return asked.withLock { asked in
            var recent = asked[name, default: []].filter { now - $0 < Self.window }
            defer { asked[name] = recent }
            guard recent.count >= limit, let oldest = recent.first else {
                recent.append(now)
                return nil
            }
            // Whole seconds, rounded up: who comes back after them is answered.
            let wait = (Self.window - (now - oldest)).components
            return Int(wait.seconds) + (wait.attoseconds > 0 ? 1 : 0)
        }
    }
}
