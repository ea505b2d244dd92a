import KMS

/// An issuer.
public struct IssuerMessage: Codable, Sendable, Hashable {
    public var code: String
    public var name: String
    public var description: String?

    public init(code: String, name: String, description: String) {
        self.code = code
        self.name = name
        self.description = description
    }

    init(_ issuer: Issuer) { self.init(code: issuer.code, name: issuer.name, description: issuer.description) }
}

/// A key product.
public struct ProductMessage: Codable, Sendable, Hashable {
    /// Taken from the path where a product is made.
    public var issuer: String?
    public var code: String
    public var name: String
    public var kind: String
    public var description: String?

    public init(issuer: String, code: String, name: String, kind: String, description: String) {
        self.issuer = issuer
        self.code = code
        self.name = name
        self.kind = kind
        self.description = description
    }

    init(_ product: KeyProduct) {
        self.init(
            issuer: product.issuer, code: product.code, name: product.name, kind: product.kind,
            description: product.description)
    }
}

/// A certification authority.
public struct AuthorityMessage: Codable, Sendable, Hashable {
    public var code: String
    public var name: String
    public var kind: String
    public var description: String?

    init(_ authority: Authority) {
        code = authority.code
        name = authority.name
        kind = authority.kind
        description = authority.description
    }
}
