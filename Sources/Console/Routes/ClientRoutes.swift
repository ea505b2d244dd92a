import CryptoService
import Hummingbird
import KMS

/// Programs that use the crypto service: what they may ask for, and how they show who they are.
struct ClientRoutes {
    let centre: KeyCentre

    var routes: [Route] { clients + grants + credentials + limits }

    private var clients: [Route] {
        let centre = centre
        return [
            .session(.get, "/clients") { _, _, actor in
                JSONAnswer.response(try await centre.clients(by: actor).map { ServiceClientMessage($0) })
            },
            .session(.get, "/clients/{id}") { _, context, actor in try await one(try context.part("id"), actor) },
            .session(.post, "/clients") { request, _, actor in
                let new = try await request.json(NewClientMessage.self)
                let description = new.description ?? ""
                var made = ClientTokenMessage(id: new.id)
                if new.token ?? true {
                    made.token = try await centre.createClient(new.id, description: description, by: actor)
                } else {
                    try await centre.createClientWithoutToken(new.id, description: description, by: actor)
                }
                return JSONAnswer.response(made, status: .created)
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
        ]
    }

    private var grants: [Route] {
        let centre = centre
        return [
            .session(.post, "/clients/{id}/grants") { request, context, actor in
                let message = try await request.json(GrantMessage.self)
                let (scope, operations) = try Self.grant(message)
                let id = try context.part("id")
                let until = try message.until.map { try KeyRoutes.time($0) }
                try await centre.grant(scope, operations, to: id, until: until, by: actor)
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

    private var credentials: [Route] {
        let centre = centre
        return [
            .session(.post, "/clients/{id}/tokens") { request, context, actor in
                let wanted = try await request.json(NewTokenMessage.self)
                let id = try context.part("id")
                let token = try await centre.newToken(
                    of: id, until: try wanted.until.map { try KeyRoutes.time($0) }, replacing: wanted.replacing ?? true,
                    by: actor)
                return JSONAnswer.response(ClientTokenMessage(id: id, token: token), status: .created)
            },
            .session(.post, "/clients/{id}/tokens/revoke") { request, context, actor in
                let named = try await request.json(TokenNameMessage.self)
                let id = try context.part("id")
                try await centre.revokeToken(named.prefix, of: id, by: actor)
                return try await one(id, actor)
            },
            .session(.post, "/clients/{id}/certificates") { request, context, actor in
                let certificate = try CertificateText.read(try await request.json(NewCertificateMessage.self).pem)
                let id = try context.part("id")
                try await centre.addCertificate(certificate, to: id, by: actor)
                return try await one(id, actor)
            },
            .session(.post, "/clients/{id}/certificates/remove") { request, context, actor in
                let named = try await request.json(CertificateNameMessage.self)
                guard let fingerprint = CertificateFingerprint(named.fingerprint) else {
                    throw KMSError.invalidInput("fingerprint (SHA-256, 64 hexadecimal digits)")
                }
                let id = try context.part("id")
                try await centre.removeCertificate(fingerprint, from: id, by: actor)
                return try await one(id, actor)
            },
        ]
    }

    private var limits: [Route] {
        let centre = centre
        return [
            .session(.post, "/clients/{id}/rate") { request, context, actor in
                let wanted = try await request.json(RateMessage.self)
                let id = try context.part("id")
                var limit: RequestLimit?
                if let perSecond = wanted.perSecond {
                    limit = RequestLimit(perSecond: perSecond, burst: wanted.burst ?? perSecond)
                    guard limit != nil else { throw KMSError.invalidInput("rate and burst (1 to 1000000)") }
                } else if wanted.burst != nil {
                    throw KMSError.invalidInput("rate (a burst needs one)")
                }
                try await centre.limit(id, to: limit, by: actor)
                return try await one(id, actor)
            },
            .session(.post, "/clients/{id}/addresses") { request, context, actor in
                let wanted = try await request.json(AddressesMessage.self)
                let id = try context.part("id")
                let addresses = try wanted.addresses.map { text in
                    guard let range = AddressRange(text) else {
                        throw KMSError.invalidInput("address (192.0.2.7, 192.0.2.0/24, 2001:db8::/32)")
                    }
                    return range
                }
                try await centre.restrict(id, to: addresses, by: actor)
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
