import KMS

/// A program that is to use the crypto service.
public struct NewClientMessage: Codable, Sendable {
    public var id: String
    public var description: String?

    public init(id: String, description: String) {
        self.id = id
        self.description = description
    }
}

/// A client's bearer token. Shown once; only its digest is kept.
public struct ClientTokenMessage: Codable, Sendable {
    public var id: String
    public var token: String
}

/// What a client may ask for on which keys: scope `issuer/product/label`, `issuer/product/*` or `*` (blocks it brings along).
public struct GrantMessage: Codable, Sendable, Hashable {
    public var scope: String
    public var operations: [String]

    public init(scope: String, operations: [String]) {
        self.scope = scope
        self.operations = operations
    }
}

/// A service client and its grants.
public struct ServiceClientMessage: Codable, Sendable, Hashable {
    public var id: String
    public var description: String
    public var enabled: Bool
    public var grants: [GrantMessage]

    init(_ client: ServiceClient) {
        id = client.id
        description = client.description
        enabled = client.enabled
        grants = Dictionary(grouping: client.grants, by: \.scope.description).sorted { $0.key < $1.key }
            .map { GrantMessage(scope: $0.key, operations: $0.value.map(\.operation.rawValue).sorted()) }
    }
}
