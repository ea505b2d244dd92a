import CryptoClient
import KMS
import NIOCore

/// One operation over HTTP, a POST: from it come the router, the checks of requests, and the OpenAPI document.
///
/// A route turns JSON into requests of host commands and their answers into JSON, and nothing else: who may do what with
/// which key, what is counted and what an error is called is decided where host commands are carried out.
struct ServiceRoute: Sendable {
    enum Group: String, Sendable, CaseIterable {
        case mac = "MAC", purse = "E-purse", tac = "TAC", keys = "Keys", data = "Data", rsa = "RSA", card = "Card",
            bank = "Bank card", unionPay = "UnionPay", service = "Service"
    }

    let path: String
    /// The operation's name for programs.
    let name: String
    let group: Group
    /// One sentence.
    let about: String
    /// The host command that does it, for those who know the other door.
    let command: String
    /// What the client must be granted; nil: to exist is enough.
    let grant: ServiceOperation?
    let request: [JSONField]
    let answer: [JSONField]
    /// A request and its answer that a reader can compare with; JSON texts.
    let example: (request: String, answer: String)
    /// Makes something new each time it is asked, so that a second try needs an idempotency key.
    let isCreating: Bool
    let commands: @Sendable (JSONBody) throws(Refusal) -> HostRequests
    let reply: @Sendable (JSONBody, [HostAnswer], inout JSONWriter) throws(Refusal) -> Void

    init(
        _ path: String, _ name: String, _ group: Group, _ about: String, command: String, grant: ServiceOperation?,
        request: [JSONField], answer: [JSONField], example: (request: String, answer: String), isCreating: Bool = false,
        commands: @escaping @Sendable (JSONBody) throws(Refusal) -> HostRequests,
        reply: @escaping @Sendable (JSONBody, [HostAnswer], inout JSONWriter) throws(Refusal) -> Void
    ) {
        self.path = path
        self.name = name
        self.group = group
        self.about = about
        self.command = command
        self.grant = grant
        self.request = request
        self.answer = answer
        self.example = example
        self.isCreating = isCreating
        self.commands = commands
        self.reply = reply
    }

    /// All of them.
    static let all: [ServiceRoute] = [
        macs, unionPay, data, rsa, purse, tacs, keys, keyForms, lineProtection, cardCodes, cryptograms, service,
    ].flatMap { $0 }

    /// Host commands that need no path of their own, with the one that does the same.
    static let sameAs: [(command: String, path: String, reason: String)] = [
        ("MS", "/v1/mac/generate", "algorithm3, method1, 8 bytes: MS is an older way to ask M6 for that"),
        ("B0", "/v1/keys/translate", "there is one scheme, so that B0 does what BW does"),
    ]

    static let byPath: [String: ServiceRoute] = Dictionary(
        all.map { ($0.path, $0) }, uniquingKeysWith: { first, _ in first })
}

/// What a request becomes: one host command, or for a batch several that go to the module together.
enum HostRequests: Sendable {
    case one(HostRequest)
    case many([HostRequest])
    /// YD for many cards of one master, which the module does side by side.
    case diversify(DiversificationBatch)

    /// How many places in the client's rate they take: one for each record.
    var places: Int {
        switch self {
        case .one(let request): request.places
        case .many(let requests): requests.reduce(0) { $0 + $1.places }
        case .diversify(let batch): batch.paths.count
        }
    }

    /// Of a batch: the host command of its records.
    var batchCommand: HostCommandCode? {
        switch self {
        case .one: nil
        case .many(let requests): requests.first.map { type(of: $0.command).code }
        case .diversify: .diversifyKey
        }
    }
}

extension HostRequest {
    /// How many places in the client's rate it takes.
    var places: Int {
        if case .verifyTACBatch(let batch) = self { max(1, batch.count) } else { 1 }
    }
}

// MARK: - Answers that several routes give

extension ServiceRoute {
    /// `result`: a check that ran and said no is an answer.
    static func verdict(_ answer: HostAnswer) throws(Refusal) -> String {
        switch answer {
        case .done: return JSONField.verdicts[0]
        case .refused(.verificationFailed): return JSONField.verdicts[1]
        case .refused(let code): throw .host(code)
        default: throw .host(.internalError)
        }
    }

    static func writeVerdict(_ answers: [HostAnswer], _ writer: inout JSONWriter) throws(Refusal) {
        writer.field(.result, try verdict(first(answers)))
    }

    /// The verdicts of several commands, one each.
    static func writeVerdicts(_ answers: [HostAnswer], _ writer: inout JSONWriter) throws(Refusal) {
        writer.name(JSONField.results.name)
        writer.beginList()
        for answer in answers { writer.value(try verdict(answer)) }
        writer.endList()
    }

    static func writeBytes(
        _ field: JSONField, _ answers: [HostAnswer], _ writer: inout JSONWriter
    ) throws(Refusal) {
        switch try first(answers) {
        case .bytes(let bytes), .mac(let bytes): writer.field(field, hexadecimal: bytes)
        case .refused(let code): throw .host(code)
        default: throw .host(.internalError)
        }
    }

    static func writePurseMAC(_ field: JSONField, _ answers: [HostAnswer], _ writer: inout JSONWriter) throws(Refusal) {
        switch try first(answers) {
        case .purseMAC(let mac): writer.field(field, hexadecimal: .init(integer: mac))
        case .refused(let code): throw .host(code)
        default: throw .host(.internalError)
        }
    }

    /// `block`, `check_value`, and `transport_block` where there is a second copy.
    static func writeKey(_ answer: HostAnswer, _ writer: inout JSONWriter) throws(Refusal) {
        switch answer {
        case .key(let reply):
            writer.field(.block, String(buffer: reply.key.text))
            if let copy = reply.keyUnderTransport { writer.field(.transportBlock, String(buffer: copy.text)) }
            writer.field(.checkValue, reply.checkValue)
        case .refused(let code): throw .host(code)
        default: throw .host(.internalError)
        }
    }

    /// The host command's own refusal of a value.
    static func host<Value>(_ make: () throws(FieldError) -> Value) throws(Refusal) -> Value {
        do throws(FieldError) { return try make() } catch { throw .host(error.code) }
    }

    /// An answer of its own type.
    static func reply<Reply: HostReplyFields>(
        _ answer: HostAnswer, as type: Reply.Type = Reply.self
    ) throws(Refusal) -> Reply {
        switch answer {
        case .reply(let fields):
            guard let reply = fields as? Reply else { throw .host(.internalError) }
            return reply
        case .refused(let code): throw .host(code)
        default: throw .host(.internalError)
        }
    }

    static func first(_ answers: [HostAnswer]) throws(Refusal) -> HostAnswer {
        guard let answer = answers.first else { throw .host(.internalError) }
        return answer
    }
}
