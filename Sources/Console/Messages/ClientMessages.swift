import KMS

/// A program that is to use the crypto service.
public struct NewClientMessage: Codable, Sendable {
    public var id: String
    public var description: String?
    /// False: it comes with a certificate or over a plain connection. Default true.
    public var token: Bool?

    public init(id: String, description: String, token: Bool = true) {
        self.id = id
        self.description = description
        self.token = token
    }
}

/// A client's bearer token. Shown once; only its digest is kept.
public struct ClientTokenMessage: Codable, Sendable {
    public var id: String
    /// Absent where none was wanted.
    public var token: String?
}

/// A token that is wanted: until when it counts, and whether the old ones end at once.
public struct NewTokenMessage: Codable, Sendable {
    public var until: String?
    public var replacing: Bool?

    public init(until: String?, replacing: Bool) {
        self.until = until
        self.replacing = replacing
    }
}

/// A token by its first part.
public struct TokenNameMessage: Codable, Sendable, Hashable {
    public var prefix: String
    /// The end, where it has one.
    public var until: String?

    public init(prefix: String, until: String? = nil) {
        self.prefix = prefix
        self.until = until
    }
}

/// A certificate in PEM, to be added.
public struct NewCertificateMessage: Codable, Sendable {
    public var pem: String

    public init(pem: String) { self.pem = pem }
}

/// A certificate by its SHA-256 fingerprint.
public struct CertificateNameMessage: Codable, Sendable, Hashable {
    public var fingerprint: String
    public var subject: String?
    public var validFrom: String?
    public var validUntil: String?

    public init(fingerprint: String) { self.fingerprint = fingerprint }

    init(_ certificate: ClientCertificate) {
        fingerprint = certificate.fingerprint.description
        subject = certificate.subject
        validFrom = certificate.validity.from?.text
        validUntil = certificate.validity.until?.text
    }
}

/// How much a client may ask; both absent: as much as it likes.
public struct RateMessage: Codable, Sendable, Hashable {
    public var perSecond: Int?
    public var burst: Int?

    public init(perSecond: Int?, burst: Int?) {
        self.perSecond = perSecond
        self.burst = burst
    }
}

/// Where a client may come from; empty: from everywhere.
public struct AddressesMessage: Codable, Sendable, Hashable {
    public var addresses: [String]

    public init(addresses: [String]) { self.addresses = addresses }
}

/// What a client may ask for on which keys: scope `issuer/product/label`, `issuer/product/*` or `*` (blocks it brings along).
public struct GrantMessage: Codable, Sendable, Hashable {
    public var scope: String
    public var operations: [String]
    /// The end, where it has one.
    public var until: String?

    public init(scope: String, operations: [String], until: String? = nil) {
        self.scope = scope
        self.operations = operations
        self.until = until
    }
}

/// A service client: what it may, and how it shows who it is.
public struct ServiceClientMessage: Codable, Sendable, Hashable {
    public var id: String
    public var description: String
    public var enabled: Bool
    public var grants: [GrantMessage]
    public var rate: RateMessage?
    public var addresses: [String]
    public var certificates: [CertificateNameMessage]
    public var tokens: [TokenNameMessage]

    init(_ client: ServiceClient) {
        id = client.id
        description = client.description
        enabled = client.enabled
        struct Row: Hashable {
            let scope: String
            let until: String?
        }
        grants = Dictionary(grouping: client.grants) { Row(scope: $0.scope.description, until: $0.until?.text) }
            .sorted { ($0.key.scope, $0.key.until ?? "") < ($1.key.scope, $1.key.until ?? "") }
            .map {
                GrantMessage(
                    scope: $0.key.scope, operations: $0.value.map(\.operation.rawValue).sorted(), until: $0.key.until)
            }
        rate = client.limit.map { RateMessage(perSecond: $0.perSecond, burst: $0.burst) }
        addresses = client.addresses.map(\.description)
        certificates = client.certificates.map { CertificateNameMessage($0) }
        tokens = client.tokens.map { TokenNameMessage(prefix: $0.prefix, until: $0.until?.text) }
    }
}
