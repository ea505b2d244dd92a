internal import MariaDB

/// How a client shows who it is, from where it may come, and how much it may ask.
extension KeyCentre {
    /// A new token; the old ones end.
    public func renewToken(of id: String, by actor: Actor) async throws(KMSError) -> String {
        try await newToken(of: id, until: nil, replacing: true, by: actor)
    }

    /// A new token, shown once. `replacing`: the old ones end now; else they go on, for a change-over.
    public func newToken(
        of id: String, until: Timestamp?, replacing: Bool, by actor: Actor
    ) async throws(KMSError) -> String {
        let (token, text) = ServiceToken.make()
        let now = clocks.wall()
        var fields: [AuditField: String] = [.client: id, .tokenPrefix: token.prefix]
        if let until { fields[.validUntil] = until.text }
        try await changingClient(.renewClientToken, "client \(id)", fields, actor) { () throws(KMSError) in
            try self.requireFuture(until)
            return { connection in
                guard try ServiceClientTable.exists(id, &connection) else { return false }
                if replacing { try ServiceTokenTable.deleteAll(of: id, &connection) }
                guard try ServiceTokenTable.count(of: id, &connection) < ClientLimits.tokens else {
                    throw KMSError.inUse("\(ClientLimits.tokens) tokens")
                }
                try ServiceTokenTable.insert(token, of: id, until: until, by: actor.name, now: now, &connection)
                return true
            }
        }
        return text
    }

    /// Ends the token that is named by its first part.
    public func revokeToken(_ prefix: String, of id: String, by actor: Actor) async throws(KMSError) {
        try await changingClient(
            .revokeClientToken, "token of client \(id)", [.client: id, .tokenPrefix: String(prefix.prefix(8))], actor
        ) {
            { connection in try ServiceTokenTable.delete(prefix, of: id, &connection) }
        }
    }

    /// The client may come with this certificate from now on.
    public func addCertificate(
        _ certificate: ClientCertificate, to id: String, by actor: Actor
    ) async throws(KMSError) {
        let now = clocks.wall()
        var fields: [AuditField: String] = [.client: id, .digest: certificate.fingerprint.description]
        if let until = certificate.validity.until { fields[.validUntil] = until.text }
        try await changingClient(.addClientCertificate, "client \(id)", fields, actor) { () throws(KMSError) in
            try Input.text(certificate.subject, "certificate subject", 0...500)
            guard !certificate.validity.hasEnded(now) else { throw .invalidInput("certificate (it has expired)") }
            return { connection in
                guard try ServiceClientTable.exists(id, &connection) else { return false }
                guard try ServiceCertificateTable.count(of: id, &connection) < ClientLimits.certificates else {
                    throw KMSError.inUse("\(ClientLimits.certificates) certificates")
                }
                try ServiceCertificateTable.insert(certificate, of: id, by: actor.name, now: now, &connection)
                return true
            }
        }
    }

    /// Connections that came with it are closed within two seconds, on every node.
    public func removeCertificate(
        _ fingerprint: CertificateFingerprint, from id: String, by actor: Actor
    ) async throws(KMSError) {
        try await changingClient(
            .removeClientCertificate, "certificate of client \(id)",
            [.client: id, .digest: fingerprint.description], actor
        ) {
            { connection in try ServiceCertificateTable.delete(fingerprint, of: id, &connection) }
        }
    }

    /// Nil: as many requests as it likes.
    public func limit(_ id: String, to limit: RequestLimit?, by actor: Actor) async throws(KMSError) {
        let text = limit.map { "\($0.perSecond)/s, burst \($0.burst)" } ?? "none"
        try await changingClient(.limitClient, "client \(id)", [.client: id, .rate: text], actor) {
            { connection in try ServiceClientTable.setLimit(id, limit, &connection) }
        }
    }

    /// Empty: from everywhere.
    public func restrict(_ id: String, to addresses: [AddressRange], by actor: Actor) async throws(KMSError) {
        let text = addresses.map(\.description).joined(separator: " ")
        try await changingClient(
            .limitClient, "client \(id)", [.client: id, .addresses: text.isEmpty ? "all" : text], actor
        ) { () throws(KMSError) in
            guard addresses.count <= ClientLimits.addresses else {
                throw .invalidInput("addresses (at most \(ClientLimits.addresses))")
            }
            return { connection in try ServiceClientTable.setAddresses(id, addresses, &connection) }
        }
    }
}
