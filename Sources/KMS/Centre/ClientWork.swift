internal import MariaDB

extension KeyCentre {
    /// A new program, without any grant. The token is shown once and kept as a digest.
    public func createClient(_ id: String, description: String, by actor: Actor) async throws(KMSError) -> String {
        let token = RandomToken.make()
        try await changing(.createClient, "client \(id)", fields: [.client: id], actor) { () throws(KMSError) in
            try Input.account(id)
            try Input.text(description, "description", 0...500)
            return { connection in
                try ServiceClientTable.insert(id, description, tokenHash: RandomToken.digest(token), &connection)
                return true
            }
        }
        return token
    }

    public func disableClient(_ id: String, by actor: Actor) async throws(KMSError) {
        try await changing(.disableClient, "client \(id)", fields: [.client: id], actor) {
            { connection in
                try ServiceClientTable.setEnabled(id, false, &connection)
            }
        }
    }

    public func enableClient(_ id: String, by actor: Actor) async throws(KMSError) {
        try await changing(.enableClient, "client \(id)", fields: [.client: id], actor) {
            { connection in
                try ServiceClientTable.setEnabled(id, true, &connection)
            }
        }
    }

    /// A new token; the old one ends.
    public func renewToken(of id: String, by actor: Actor) async throws(KMSError) -> String {
        let token = RandomToken.make()
        try await changing(.renewClientToken, "client \(id)", fields: [.client: id], actor) {
            { connection in
                try ServiceClientTable.setToken(id, hash: RandomToken.digest(token), &connection)
            }
        }
        return token
    }

    public func grant(
        _ scope: GrantScope, _ operations: Set<ServiceOperation>, to client: String, by actor: Actor
    ) async throws(KMSError) {
        try await changing(.grantToClient, "client \(client)", fields: Self.fields(scope, operations, client), actor) {
            () throws(KMSError) in
            guard !operations.isEmpty else { throw .invalidInput("operations") }
            return { connection in
                try ServiceGrantTable.insert(scope, operations, to: client, &connection)
                return true
            }
        }
    }

    public func revoke(
        _ scope: GrantScope, _ operations: Set<ServiceOperation>, from client: String, by actor: Actor
    ) async throws(KMSError) {
        try await changing(
            .revokeFromClient, "grant of client \(client)", fields: Self.fields(scope, operations, client), actor
        ) {
            { connection in
                try ServiceGrantTable.delete(scope, operations, from: client, &connection) > 0
            }
        }
    }

    /// As the directory has them.
    public func clients(by actor: Actor) async throws(KMSError) -> [ServiceClient] {
        try await authorise(.read, by: actor)
        return try await read { connection in
            let grants = try ServiceGrantTable.all(&connection)
            return try ServiceClientTable.all(&connection).map {
                ServiceClient(
                    id: $0.id, description: $0.description, enabled: $0.enabled, grants: grants[$0.id, default: []])
            }
        }
    }

    private static func fields(
        _ scope: GrantScope, _ operations: Set<ServiceOperation>, _ client: String
    ) -> [AuditField: String] {
        [
            .client: client, .scope: scope.description,
            .operations: operations.map(\.rawValue).sorted().joined(separator: " "),
        ]
    }
}
