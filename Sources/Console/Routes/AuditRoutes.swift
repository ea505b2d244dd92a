import Hummingbird
import KMS

/// The audit trail: checked, read, signed.
struct AuditRoutes {
    let centre: KeyCentre

    /// Records in one answer.
    static let recordLimit = 1_000

    var routes: [Route] {
        let (centre, naming) = (centre, KeyNaming(centre: centre))
        return [
            .session(.post, "/audit/verification", isSlow: true) { _, _, actor in
                JSONAnswer.response(AuditVerificationMessage(try await centre.verifyAudit(by: actor)))
            },
            .session(.get, "/audit/records") { request, _, actor in
                let limit = min(max(1, try request.number("limit", default: 100)), Self.recordLimit)
                let from: UInt64 = try request.number("from", default: Self.tail(centre.audit.head.sequence, limit))
                let records = try await centre.auditRecords(from: from, limit: limit, by: actor)
                return JSONAnswer.response(records.map { AuditRecordMessage($0) })
            },
            .session(.get, "/audit/checkpoints") { _, _, actor in
                JSONAnswer.response(try await centre.checkpoints(by: actor).map { CheckpointMessage($0) })
            },
            .session(.post, "/audit/checkpoints") { request, _, actor in
                let key = try await naming.identity(try await request.json(NewCheckpointMessage.self).key, actor)
                let checkpoint = try await centre.checkpoint(signedWith: key, by: actor)
                return JSONAnswer.response(CheckpointMessage(checkpoint), status: .created)
            },
        ]
    }

    /// Where the last `limit` records begin.
    private static func tail(_ head: UInt64, _ limit: Int) -> UInt64 {
        head > UInt64(limit) ? head - UInt64(limit) + 1 : 1
    }
}
