import Hummingbird
import KMS

/// People and their roles.
struct AdministratorRoutes {
    let centre: KeyCentre

    var routes: [Route] {
        let centre = centre
        return [
            .session(.get, "/administrators") { _, _, actor in
                JSONAnswer.response(try await centre.administrators(by: actor).map { AdministratorMessage($0) })
            },
            .session(.post, "/administrators") { request, _, actor in
                let (name, fullName) = (try request.query("name"), try request.query("fullName"))
                let hash = try await centre.hash(try await Self.onePassword(request))
                try await centre.createAdministrator(name, fullName: fullName, password: hash, by: actor)
                return try await one(name, actor, .created)
            },
            .session(.post, "/administrators/{name}/roles") { request, context, actor in
                let grant = try await request.json(RoleGrantMessage.self)
                let name = try context.part("name")
                try await centre.grantRole(
                    try SessionRoutes.role(grant.role), to: name, approval: grant.approval, by: actor)
                return try await one(name, actor)
            },
            .session(.delete, "/administrators/{name}/roles/{role}") { _, context, actor in
                let name = try context.part("name")
                try await centre.revokeRole(try SessionRoutes.role(try context.part("role")), from: name, by: actor)
                return try await one(name, actor)
            },
            .session(.post, "/administrators/{name}/password") { request, context, actor in
                let name = try context.part("name")
                let approval: ApprovalID = try request.number("approval", default: 0)
                let hash = try await centre.hash(try await Self.onePassword(request))
                try await centre.resetPassword(of: name, to: hash, approval: approval, by: actor)
                return try await one(name, actor)
            },
            .session(.post, "/administrators/{name}/disable") { _, context, actor in
                let name = try context.part("name")
                try await centre.disableAdministrator(name, by: actor)
                return try await one(name, actor)
            },
            .session(.post, "/administrators/{name}/enable") { _, context, actor in
                let name = try context.part("name")
                try await centre.enableAdministrator(name, by: actor)
                return try await one(name, actor)
            },
            .session(.post, "/administrators/{name}/unlock") { _, context, actor in
                let name = try context.part("name")
                try await centre.unlockAdministrator(name, by: actor)
                return try await one(name, actor)
            },
        ]
    }

    private func one(_ name: String, _ actor: Actor, _ status: HTTPResponse.Status = .ok) async throws -> Response {
        guard let person = try await centre.administrators(by: actor).first(where: { $0.name == name }) else {
            throw KMSError.notFound("administrator \(name)")
        }
        return JSONAnswer.response(AdministratorMessage(person), status: status)
    }

    private static func onePassword(_ request: Request) async throws -> Password {
        let body = try await SecretBody.take(from: request)
        guard body.lineCount == 1 else { throw Problem.malformed("the body must be the password and nothing else") }
        return try body.password(0)
    }
}
