import HSMBridge
import Hummingbird
import KMS

/// The second person: asking, approving, refusing.
struct ApprovalRoutes {
    let centre: KeyCentre

    var routes: [Route] {
        let (centre, naming) = (centre, KeyNaming(centre: centre))
        return [
            .session(.get, "/approvals") { _, _, actor in
                JSONAnswer.response(try await centre.approvals(by: actor).map { ApprovalMessage($0) })
            },
            .session(.post, "/approvals") { request, _, actor in
                let asked = try await request.json(ApprovalRequestMessage.self)
                let intent = try await Self.intent(asked, naming, actor)
                let id = try await centre.requestApproval(intent, by: actor)
                return JSONAnswer.response(ApprovalNumberMessage(id: id), status: .created)
            },
            .session(.post, "/approvals/{id}/approve") { _, context, actor in
                try await centre.approve(try context.number("id"), by: actor)
                return try await one(try context.number("id"), actor)
            },
            .session(.post, "/approvals/{id}/refuse") { _, context, actor in
                try await centre.refuse(try context.number("id"), by: actor)
                return try await one(try context.number("id"), actor)
            },
        ]
    }

    private func one(_ id: ApprovalID, _ actor: Actor) async throws -> Response {
        guard let approval = try await centre.approvals(by: actor).first(where: { $0.id == id }) else {
            throw KMSError.approvalNotFound
        }
        return JSONAnswer.response(ApprovalMessage(approval))
    }

    private static func intent(_ asked: ApprovalRequestMessage, _ naming: KeyNaming, _ actor: Actor) async throws
        -> Intent
    {
        switch Operation(rawValue: asked.operation) {
        case .exportKey:
            return .exportKey(
                try await naming.identity(try need(asked.key, "key"), actor),
                under: try await naming.identity(try need(asked.under, "under"), actor))
        case .destroyKey: return .destroyKey(try await naming.identity(try need(asked.key, "key"), actor))
        case .compromiseKey: return .compromiseKey(try await naming.identity(try need(asked.key, "key"), actor))
        case .grantRole:
            return .grantRole(try SessionRoutes.role(try need(asked.role, "role")), to: try need(asked.name, "name"))
        case .resetPassword: return .resetPassword(of: try need(asked.name, "name"))
        case .writeOffStock:
            return .writeOffStock(
                kind: try need(asked.kind, "kind"), count: try need(asked.count, "count"),
                reason: try need(asked.reason, "reason"))
        case .restore: return .restore(archiveDigest: try need(asked.digest, "digest"))
        default: throw KMSError.invalidInput("operation (one that needs two people)")
        }
    }

    private static func need<T>(_ value: T?, _ name: String) throws -> T {
        guard let value else { throw Problem.malformed("member \(name) is missing") }
        return value
    }
}
