import Hummingbird
import Mustache

/// Renders pages: a template, its values, and the frame around both.
struct Pages: Sendable {
    let offsetMinutes: Int
    private let library: MustacheLibrary

    init(offsetMinutes: Int) throws {
        var templates: [String: MustacheTemplate] = [:]
        for (name, text) in Templates.all { templates[name] = try MustacheTemplate(string: text) }
        library = MustacheLibrary(templates: templates)
        self.offsetMinutes = offsetMinutes
    }

    func page(
        _ template: String, title: String, _ values: [String: Any], _ context: PlatformContext,
        status: HTTPResponse.Status = .ok
    ) -> Response {
        let language = context.language
        let phrases = Phrases.all(in: language)
        var values = values
        values["t"] = phrases
        var frame: [String: Any] = [
            "t": phrases, "tag": language.tag, "title": title, "other": language.other.rawValue,
            "otherName": language.other.ownName,
            "content": library.render(values, withTemplate: template) ?? "",
        ]
        if let staff = context.staff { frame["staff"] = ["name": staff.name, "role": staff.role.rawValue] }
        var response = Response(
            status: status,
            headers: [.contentType: "text/html; charset=utf-8", .contentLanguage: language.tag],
            body: ResponseBody(byteBuffer: ByteBuffer(string: library.render(frame, withTemplate: "frame") ?? "")))
        response.setCookie(
            Cookie(name: Language.cookie, value: language.rawValue, path: "/", httpOnly: true, sameSite: .strict))
        return response
    }

    func login(isRefused: Bool, _ context: PlatformContext) -> Response {
        page(
            "login", title: Phrases.text("login", in: context.language), ["refused": isRefused], context,
            status: isRefused ? .unauthorized : .ok)
    }

    func error(_ problem: Problem, _ context: PlatformContext) -> Response {
        page(
            "error", title: Phrases.text("error", in: context.language),
            ["status": "\(problem.status.code) \(problem.status.reasonPhrase)", "detail": problem.detail], context,
            status: problem.status)
    }

    func batch(_ status: BatchStatus, _ language: Language) -> [String: Any] {
        var values: [String: Any] = [
            "id": status.id, "short": String(status.id.prefix(16)),
            "state": Phrases.text(status.state.rawValue, in: language), "lines": status.lines,
            "verified": status.verified, "posted": status.posted, "suspended": status.suspended,
            "rejected": status.rejected, "done": status.posted + status.suspended + status.rejected,
            "received": status.receivedAt.text(offsetMinutes: offsetMinutes), "by": status.receivedBy,
            "unfinished": status.state != .complete,
        ]
        // A section of Mustache is drawn for an empty text too, so what is not there stays out.
        if let problem = status.problem { values["problem"] = problem }
        return values
    }

    func bad(_ lines: [BadLine], _ language: Language) -> [[String: Any]] {
        lines.map { line in
            [
                "batch": line.batch, "line": line.line, "fault": Phrases.text(line.fault.rawValue, in: language),
                "detail": line.detail ?? "", "record": line.text,
            ]
        }
    }

    func sums(_ totals: Statement.Totals, label: String = "") -> [String: Any] {
        [
            "label": label, "records": totals.records, "gross": totals.gross.grouped, "fee": totals.fee.grouped,
            "net": totals.net.grouped,
        ]
    }

    static func percent(_ rate: FeeRate) -> String {
        "\(rate.basisPoints / 100).\(TwoDigits(Int(rate.basisPoints % 100))) %"
    }
}
