internal import HSMBridge
internal import MariaDB

extension KeyCentre {
    // MARK: Issuers

    public func createIssuer(
        _ code: String, name: String, description: String, by actor: Actor
    ) async throws(KMSError) {
        try await changing(.createIssuer, "issuer \(code)", actor) { () throws(KMSError) in
            try Input.code(code, "issuer code")
            // A key of that issuer needs no row to be used by its block.
            guard code != KeyIdentity.hostIssuer else { throw .invalidInput("issuer code (host is the service's own)") }
            let issuer = try Self.issuer(code, name, description)
            return { connection in
                try IssuerTable.insert(issuer, &connection)
                return true
            }
        }
    }

    public func changeIssuer(
        _ code: String, name: String, description: String, by actor: Actor
    ) async throws(KMSError) {
        try await changing(.changeIssuer, "issuer \(code)", actor) { () throws(KMSError) in
            let issuer = try Self.issuer(code, name, description)
            return { connection in try IssuerTable.update(issuer, &connection) }
        }
    }

    public func deleteIssuer(_ code: String, by actor: Actor) async throws(KMSError) {
        try await changing(.deleteIssuer, "issuer \(code)", actor) {
            { connection in
                try IssuerTable.delete(code, &connection)
            }
        }
    }

    public func issuers(by actor: Actor) async throws(KMSError) -> [Issuer] {
        try await authorise(.read, by: actor)
        return try await read { connection in try IssuerTable.all(&connection) }
    }

    // MARK: Key products

    public func createProduct(
        _ code: String, issuer: String, name: String, kind: String, description: String, by actor: Actor
    ) async throws(KMSError) {
        try await changing(.createProduct, "product \(issuer)/\(code)", actor) { () throws(KMSError) in
            try Input.code(code, "product code")
            let product = try Self.product(code, issuer, name, kind, description)
            return { connection in
                try KeyProductTable.insert(product, &connection)
                return true
            }
        }
    }

    public func changeProduct(
        _ code: String, issuer: String, name: String, kind: String, description: String, by actor: Actor
    ) async throws(KMSError) {
        try await changing(.changeProduct, "product \(issuer)/\(code)", actor) { () throws(KMSError) in
            let product = try Self.product(code, issuer, name, kind, description)
            return { connection in try KeyProductTable.update(product, &connection) }
        }
    }

    public func deleteProduct(_ code: String, issuer: String, by actor: Actor) async throws(KMSError) {
        try await changing(.deleteProduct, "product \(issuer)/\(code)", actor) {
            { connection in
                try KeyProductTable.delete(code, issuer: issuer, &connection)
            }
        }
    }

    public func products(of issuer: String, by actor: Actor) async throws(KMSError) -> [KeyProduct] {
        try await authorise(.read, by: actor)
        return try await read { connection in try KeyProductTable.all(of: issuer, &connection) }
    }

    // MARK: Certification authorities

    public func createAuthority(
        _ code: String, name: String, kind: String, description: String, by actor: Actor
    ) async throws(KMSError) {
        try await changing(.createAuthority, "authority \(code)", actor) { () throws(KMSError) in
            try Input.code(code, "authority code")
            let authority = try Self.authority(code, name, kind, description)
            return { connection in
                try AuthorityTable.insert(authority, &connection)
                return true
            }
        }
    }

    public func changeAuthority(
        _ code: String, name: String, kind: String, description: String, by actor: Actor
    ) async throws(KMSError) {
        try await changing(.changeAuthority, "authority \(code)", actor) { () throws(KMSError) in
            let authority = try Self.authority(code, name, kind, description)
            return { connection in try AuthorityTable.update(authority, &connection) }
        }
    }

    public func deleteAuthority(_ code: String, by actor: Actor) async throws(KMSError) {
        try await changing(.deleteAuthority, "authority \(code)", actor) {
            { connection in
                try AuthorityTable.delete(code, &connection)
            }
        }
    }

    public func authorities(by actor: Actor) async throws(KMSError) -> [Authority] {
        try await authorise(.read, by: actor)
        return try await read { connection in try AuthorityTable.all(&connection) }
    }

    // MARK: -

    typealias RowChange = @Sendable (inout Connection) throws -> Bool

    /// One change of one row, whose input `prepare` checks; false of the change = there is no such row.
    func changing(
        _ operation: Operation, _ object: String, fields: [AuditField: String] = [:], touchesKeys: Bool = true,
        _ actor: Actor, _ prepare: () throws(KMSError) -> RowChange
    ) async throws(KMSError) {
        try await carryOut(operation, on: object, fields: fields, by: actor) { (_) async throws(KMSError) in
            let work = try prepare()
            guard try await self.change(touchesKeys: touchesKeys, { connection in try work(&connection) })
            else { throw .notFound(object) }
        }
    }

    private static func issuer(_ code: String, _ name: String, _ text: String) throws(KMSError) -> Issuer {
        try Input.text(name, "name", 1...100)
        try Input.text(text, "description", 0...500)
        return Issuer(code: code, name: name, description: text)
    }

    private static func product(
        _ code: String, _ issuer: String, _ name: String, _ kind: String, _ text: String
    ) throws(KMSError) -> KeyProduct {
        try Input.text(name, "name", 1...100)
        try Input.text(kind, "kind", 0...50)
        try Input.text(text, "description", 0...500)
        return KeyProduct(issuer: issuer, code: code, name: name, kind: kind, description: text)
    }

    private static func authority(
        _ code: String, _ name: String, _ kind: String, _ text: String
    ) throws(KMSError) -> Authority {
        try Input.text(name, "name", 1...100)
        try Input.text(kind, "kind", 0...50)
        try Input.text(text, "description", 0...500)
        return Authority(code: code, name: name, kind: kind, description: text)
    }
}
