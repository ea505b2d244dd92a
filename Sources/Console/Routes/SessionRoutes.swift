import Hummingbird
import KMS

/// Bootstrap, signing in and out, one's own account.
struct SessionRoutes {
    let centre: KeyCentre

    var routes: [Route] {
        [
            .open(.post, "/admin/v1/bootstrap", bootstrap),
            .open(.post, "/admin/v1/sessions", signIn),
            .session(.delete, "/sessions/mine", signOut),
            .session(.get, "/me", me),
            .session(.post, "/me/password", changePassword),
        ]
    }

    /// Query: `person=NAME=ROLE+ROLE` (percent-encoded) for each; body: the token's line, then a password line for each person.
    @Sendable private func bootstrap(_ request: Request, _ context: ConsoleContext) async throws -> Response {
        let people = try request.uri.queryParameters[values: "person"].map { try Self.person($0) }
        let body = try await SecretBody.take(from: request)
        guard (1...16).contains(people.count), body.lineCount == people.count + 1 else {
            throw Problem.malformed(
                "the body must be the token's line and one password line for each person of the query")
        }
        var administrators: [NewAdministrator] = []
        for (index, person) in people.enumerated() {
            let hash = try await centre.hash(try body.password(index + 1))
            administrators.append(
                NewAdministrator(name: person.name, fullName: person.name, roles: person.roles, password: hash))
        }
        try await centre.bootstrap(token: try body.password(0), administrators, origin: context.origin)
        return JSONAnswer.response(people.map(\.name), status: .created)
    }

    private static func person(_ text: Substring) throws -> (name: String, roles: Set<Role>) {
        let parts = text.split(separator: "=", omittingEmptySubsequences: false)
        guard parts.count == 2 else { throw Problem.malformed("query item person is not NAME=ROLE+ROLE") }
        let roles = try parts[1].split(separator: "+").map { try Self.role(String($0)) }
        return (String(parts[0]), Set(roles))
    }

    static func role(_ text: String) throws -> Role {
        guard let role = Role(rawValue: text) else {
            throw KMSError.invalidInput("role (\(Role.allCases.map(\.rawValue).joined(separator: ", ")))")
        }
        return role
    }

    @Sendable private func signIn(_ request: Request, _ context: ConsoleContext) async throws -> Response {
        let name = try request.query("name")
        let body = try await SecretBody.take(from: request)
        guard body.lineCount == 1 else { throw Problem.malformed("the body must be the password and nothing else") }
        let session = try await centre.signIn(name: name, password: try body.password(0), origin: context.origin)
        let message = SessionMessage(
            token: session.token, administrator: session.administrator, roles: session.roles.map(\.rawValue).sorted())
        return JSONAnswer.response(message, status: .created)
    }

    @Sendable private func signOut(_ request: Request, _ context: ConsoleContext, _ actor: Actor) async throws
        -> Response
    {
        if let token = context.token { await centre.signOut(token: token) }
        return JSONAnswer.nothing
    }

    @Sendable private func me(_ request: Request, _ context: ConsoleContext, _ actor: Actor) async throws -> Response {
        guard let person = try await centre.administrators(by: actor).first(where: { $0.name == actor.name }) else {
            throw KMSError.sessionEnded
        }
        return JSONAnswer.response(AdministratorMessage(person))
    }

    /// Body: the present password's line, then the new one's.
    @Sendable private func changePassword(
        _ request: Request, _ context: ConsoleContext, _ actor: Actor
    ) async throws -> Response {
        let body = try await SecretBody.take(from: request)
        guard body.lineCount == 2 else {
            throw Problem.malformed("the body must be two lines: present and new password")
        }
        try await centre.changePassword(of: actor, current: try body.password(0), new: try body.password(1))
        return JSONAnswer.nothing
    }
}
