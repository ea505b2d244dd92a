import FoundationEssentials
import Hummingbird

/// `/v1/batches` and `/v1/records`: offline records come in, and what became of them goes out.
struct BatchRoutes {
    let office: BackOffice
    let wake: @Sendable () -> Void

    struct BatchAnswer: Encodable {
        let id: String
        let contentSha256: String
        let source: String
        let state: String
        let problem: String?
        let isNew: Bool?
        let message: String?
        let lines: Int
        let verified: Int
        let posted: Int
        let suspended: Int
        let rejected: Int
        let receivedBy: String

        init(_ status: BatchStatus, isNew: Bool? = nil) {
            id = status.id
            contentSha256 = status.contentSHA256
            source = status.source
            state = status.state.rawValue
            problem = status.problem
            self.isNew = isNew
            message = isNew == false ? "this content was uploaded before; nothing has changed" : nil
            lines = status.lines
            verified = status.verified
            posted = status.posted
            suspended = status.suspended
            rejected = status.rejected
            receivedBy = status.receivedBy
        }
    }

    private struct BadAnswer: Encodable {
        let line: Int
        let fault: String
        let detail: String?
        let record: String
    }

    private struct RecordAnswer: Encodable {
        let batch: String
        let outcome: String
        let fault: String?
        let detail: String?
        let isNew: Bool
    }

    func add(to door: Door) {
        door.post("/v1/batches", .upload) { request, context in try await upload(request, context) }
        door.get("/v1/batches", .read) { _, _ in
            JSONAnswer.response(try await office.latestBatches().map { BatchAnswer($0) })
        }
        door.get("/v1/batches/:id", .read) { _, context in
            JSONAnswer.response(BatchAnswer(try await batch(context)))
        }
        door.get("/v1/batches/:id/bad", .read) { _, context in
            let bad = try await office.badLines(of: batch(context).id)
            return JSONAnswer.response(bad.map(Self.answer))
        }
        door.get("/v1/batches/:id/bad.csv", .read) { _, context in
            let status = try await batch(context)
            return .csv(Self.csv(try await office.badLines(of: status.id)), name: "bad-records.csv")
        }
        door.post("/v1/batches/:id/continue", .upload) { _, context in
            let status = try await batch(context)
            wake()
            return JSONAnswer.response(BatchAnswer(status), status: .accepted)
        }
        door.post("/v1/records", .upload) { request, context in try await record(request, context) }
    }

    static func csv(_ lines: [BadLine]) -> String {
        var rows = ["batch_id,line,fault,detail,record"]
        for line in lines {
            let cells = [line.batch, "\(line.line)", line.fault.rawValue, line.detail ?? "", line.text]
            rows.append(cells.map(CSVCell.text).joined(separator: ","))
        }
        return rows.joined(separator: "\r\n") + "\r\n"
    }

    private static func answer(_ line: BadLine) -> BadAnswer {
        BadAnswer(line: line.line, fault: line.fault.rawValue, detail: line.detail, record: line.text)
    }

    private func batch(_ context: PlatformContext) async throws -> BatchStatus {
        guard let id = context.parameters.get("id"), Identifier.isValid(id, upTo: 64),
            let status = try await office.batch(id)
        else { throw Problem(.notFound, "there is no such batch") }
        return status
    }

    private func upload(_ request: Request, _ context: PlatformContext) async throws -> Response {
        guard request.isCSV else { throw Problem(.unsupportedMediaType, "the content type is text/csv") }
        let upload = try await office.upload(
            try await request.bytes(context), id: request.headers[.idempotencyKey], by: context.name)
        wake()
        var response = JSONAnswer.response(
            BatchAnswer(upload.status, isNew: upload.isNew), status: upload.isNew ? .accepted : .ok)
        response.headers[.location] = "/v1/batches/\(upload.status.id)"
        return response
    }

    /// One record: a batch of one line, verified and posted before the answer.
    private func record(_ request: Request, _ context: PlatformContext) async throws -> Response {
        let fields = try await request.json([String: Field].self, context)
        let cells = try RecordCSV.columns.map { column in
            guard let field = fields[column], !field.text.contains(where: { ",\r\n".contains($0) }) else {
                throw Problem(.unprocessableContent, "\(column) is missing or malformed")
            }
            return field.text
        }
        let line = RecordCSV.line(number: 1, cells.joined(separator: ","))
        if case .failure(let malformed) = line.content {
            throw Problem(.unprocessableContent, "\(malformed.column) is malformed")
        }
        let content = Array((RecordCSV.header + "\n" + cells.joined(separator: ",") + "\n").utf8)
        let upload = try await office.upload(content, id: nil, source: "online", by: context.name)
        try await office.process(upload.status.id)
        guard let status = try await office.batch(upload.status.id) else { throw Problem(.notFound, "gone") }
        let bad = try await office.badLines(of: status.id).first
        let outcome = status.posted > 0 ? "posted" : status.suspended > 0 ? "suspended" : "rejected"
        return JSONAnswer.response(
            RecordAnswer(
                batch: status.id, outcome: outcome, fault: bad?.fault.rawValue, detail: bad?.detail, isNew: upload.isNew
            ),
            status: upload.isNew ? .created : .ok)
    }

    /// A field of a record in JSON: text or a whole number.
    private struct Field: Decodable {
        let text: String

        init(from decoder: any Decoder) throws {
            let container = try decoder.singleValueContainer()
            text =
                if let number = try? container.decode(Int64.self) { "\(number)" } else {
                    try container.decode(String.self)
                }
        }
    }
}
