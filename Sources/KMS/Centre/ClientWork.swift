internal import MariaDB

/// Service clients and what they may ask for. What each may be, and how it shows who it is, stands in two more files.
extension KeyCentre {
    /// How much one client may have of each thing.
    enum ClientLimits {
        static let tokens = 8
        static let certificates = 16
        static let addresses = 32
    }

    /// A new program, without any grant. The token is shown once and kept as a digest.
    public func createClient(_ id: String, description: String, by actor: Actor) async throws(KMSError) -> String {
        let (token, text) = ServiceToken.make()
        try await create(id, description, token, actor)
        return text
    }

    /// A new program that comes with a certificate or as a plain connection; it gets a token when it needs one.
    public func createClientWithoutToken(
        _ id: String, description: String, by actor: Actor
    ) async throws(KMSError) {
        try await create(id, description, nil, actor)
    }

    private func create(
        _ id: String, _ description: String, _ token: ServiceToken?, _ actor: Actor
    ) async throws(KMSError) {
        let now = clocks.wall()
        var fields: [AuditField: String] = [.client: id]
        if let token { fields[.tokenPrefix] = token.prefix }
        try await changingClient(.createClient, "client \(id)", fields, actor) { () throws(KMSError) in
            try Input.account(id)
            try Input.text(description, "description", 0...500)
            return { connection in
                try ServiceClientTable.insert(id, description, &connection)
                if let token {
                    try ServiceTokenTable.insert(token, of: id, until: nil, by: actor.name, now: now, &connection)
                }
                return true
            }
        }
    }

    public func disableClient(_ id: String, by actor: Actor) async throws(KMSError) {
        try await changingClient(.disableClient, "client \(id)", [.client: id], actor) {
            { connection in
                try ServiceClientTable.setEnabled(id, false, &connection)
            }
        }
    }

    public func enableClient(_ id: String, by actor: Actor) async throws(KMSError) {
        try await changingClient(.enableClient, "client \(id)", [.client: id], actor) {
            { connection in
                try ServiceClientTable.setEnabled(id, true, &connection)
            }
        }
    }

    /// `until` nil: for good. What is granted already gets the new end.
    public func grant(
        _ scope: GrantScope, _ operations: Set<ServiceOperation>, to client: String, until: Timestamp? = nil,
        by actor: Actor
    ) async throws(KMSError) {
        var fields = Self.fields(scope, operations, client)
        if let until { fields[.validUntil] = until.text }
        try await changingClient(.grantToClient, "client \(client)", fields, actor) { () throws(KMSError) in
            guard !operations.isEmpty else { throw .invalidInput("operations") }
            try self.requireFuture(until)
            return { connection in
                try ServiceGrantTable.insert(scope, operations, to: client, until: until, &connection)
                return true
            }
        }
    }

    public func revoke(
        _ scope: GrantScope, _ operations: Set<ServiceOperation>, from client: String, by actor: Actor
    ) async throws(KMSError) {
        try await changingClient(
            .revokeFromClient, "grant of client \(client)", Self.fields(scope, operations, client), actor
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
            try ServiceClient.all(tokens: ServiceTokenTable.all(&connection), &connection)
        }
    }

    /// A change that leaves the keys alone.
    func changingClient(
        _ operation: Operation, _ object: String, _ fields: [AuditField: String], _ actor: Actor,
        _ prepare: () throws(KMSError) -> RowChange
    ) async throws(KMSError) {
        try await changing(operation, object, fields: fields, touchesKeys: false, actor, prepare)
    }

    /// An end that has passed already is a slip of the hand.
    func requireFuture(_ until: Timestamp?) throws(KMSError) {
        if let until, until <= clocks.wall() { throw .invalidInput("end (it has passed already)") }
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
