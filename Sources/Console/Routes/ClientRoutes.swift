import Hummingbird
import KMS

/// Programs that use the crypto service, and what they may ask for.
struct ClientRoutes {
    let centre: KeyCentre

    var routes: [Route] {
        let centre = centre
        return [
            .session(.get, "/clients") { _, _, actor in
                JSONAnswer.response(try await centre.clients(by: actor).map { ServiceClientMessage($0) })
            },
            .session(.post, "/clients") { request, _, actor in
                let new = try await request.json(NewClientMessage.self)
                let token = try await centre.createClient(new.id, description: new.description ?? "", by: actor)
                return JSONAnswer.response(ClientTokenMessage(id: new.id, token: token), status: .created)
            },
            .session(.post, "/clients/{id}/token") { _, context, actor in
                let id = try context.part("id")
                return JSONAnswer.response(
                    ClientTokenMessage(id: id, token: try await centre.renewToken(of: id, by: actor)), status: .created)
            },
            .session(.post, "/clients/{id}/disable") { _, context, actor in
                let id = try context.part("id")
                try await centre.disableClient(id, by: actor)
                return try await one(id, actor)
            },
            .session(.post, "/clients/{id}/enable") { _, context, actor in
                let id = try context.part("id")
                try await centre.enableClient(id, by: actor)
                return try await one(id, actor)
            },
            .session(.post, "/clients/{id}/grants") { request, context, actor in
                let (scope, operations) = try Self.grant(try await request.json(GrantMessage.self))
                let id = try context.part("id")
                try await centre.grant(scope, operations, to: id, by: actor)
                return try await one(id, actor)
            },
            .session(.post, "/clients/{id}/grants/revoke") { request, context, actor in
                let (scope, operations) = try Self.grant(try await request.json(GrantMessage.self))
                let id = try context.part("id")
                try await centre.revoke(scope, operations, from: id, by: actor)
                return try await one(id, actor)
            },
        ]
    }

    private func one(_ id: String, _ actor: Actor) async throws -> Response {
        guard let client = try await centre.clients(by: actor).first(where: { $0.id == id }) else {
            throw KMSError.notFound("client \(id)")
        }
        return JSONAnswer.response(ServiceClientMessage(client))
    }

    private static func grant(_ message: GrantMessage) throws -> (GrantScope, Set<ServiceOperation>) {
        guard let scope = GrantScope(message.scope) else {
            throw KMSError.invalidInput("scope (issuer/product/label, issuer/product/*, *)")
        }
        let operations = try message.operations.map { word in
            guard let operation = ServiceOperation(rawValue: word) else {
                throw KMSError.invalidInput(
                    "operations (\(ServiceOperation.allCases.map(\.rawValue).joined(separator: ", ")))")
            }
            return operation
        }
        return (scope, Set(operations))
    }
}
