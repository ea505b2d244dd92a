internal import HSMBridge

/// What a client of the crypto service may ask for.
public enum ServiceOperation: String, Sendable, Hashable, CaseIterable {
    case generateMAC, verifyMAC, checkValue, encrypt, decrypt, generateKey, importKey, exportKey, diversify
    case purseLoad, pursePurchase, purseVerify, verifyTAC, sign, random
    /// Reads the service's figures (`/metrics`, `/statusz`); granted with `*`.
    case readMetrics
    case verifySignature, generateKeyPair, importPublicKey, hash, monitor
    case generateCardCode, verifyCardCode
    /// Check a cryptogram; check it and answer the card; answer the card without having checked.
    case verifyCryptogram, answerCryptogram, respondUnchecked
    case purseUnload, protectCommand, formKey, translateKey

    /// Makes something new under the key, so that the key must be active and in its dates; the others also work with a
    /// retired or expired key, which still checks what it once protected.
    public var isProtecting: Bool {
        switch self {
        case .verifyMAC, .checkValue, .decrypt, .purseVerify, .verifyTAC, .verifyCardCode, .verifyCryptogram,
            .readMetrics, .verifySignature:
            false
        case .generateCardCode, .answerCryptogram, .respondUnchecked, .purseUnload, .protectCommand, .formKey,
            .translateKey:
            true
        case .generateMAC, .encrypt, .generateKey, .importKey, .exportKey, .diversify, .purseLoad, .pursePurchase,
            .sign, .random, .generateKeyPair, .importPublicKey, .hash, .monitor:
            true
        }
    }
}

/// What a grant is for.
public enum GrantScope: Sendable, Hashable, CustomStringConvertible {
    /// All versions of one application key.
    case key(KeyName)
    /// All keys of one key product.
    case product(issuer: String, product: String)
    /// Key blocks that the client brings along, and commands without a key.
    case presentedBlocks

    /// `issuer/product/label`, `issuer/product/*`, `*`.
    public var description: String {
        switch self {
        case .key(let name): name.description
        case .product(let issuer, let product): "\(issuer)/\(product)/*"
        case .presentedBlocks: "*"
        }
    }

    public init?(_ text: String) {
        if text == "*" {
            self = .presentedBlocks
        } else if text.hasSuffix("/*") {
            let parts = text.dropLast(2).split(separator: "/", omittingEmptySubsequences: false).map(String.init)
            guard parts.count == 2, parts.allSatisfy(KeyIdentity.isValidPart) else { return nil }
            self = .product(issuer: parts[0], product: parts[1])
        } else if let name = KeyName(text) {
            self = .key(name)
        } else {
            return nil
        }
    }
}

/// One allowed operation of one client.
public struct ServiceGrant: Sendable, Hashable {
    public let scope: GrantScope
    public let operation: ServiceOperation
    /// From here on it allows nothing; nil for no end.
    public let until: Timestamp?

    public init(scope: GrantScope, operation: ServiceOperation, until: Timestamp? = nil) {
        self.scope = scope
        self.operation = operation
        self.until = until
    }
}

/// A program that uses the crypto service (服务客户端): a POS front end, a card system, the back office.
public struct ServiceClient: Sendable, Hashable {
    public let id: String
    public let description: String
    public let enabled: Bool
    public let grants: [ServiceGrant]
    /// Nil: as many requests as it likes.
    public let limit: RequestLimit?
    /// Where it may come from; empty: from everywhere.
    public let addresses: [AddressRange]
    public let certificates: [ClientCertificate]
    public let tokens: [ClientToken]

    private struct Allowance: Hashable {
        let scope: GrantScope
        let operation: ServiceOperation
    }
    /// The end of each grant.
    private let allowed: [Allowance: Timestamp]

    init(
        id: String, description: String, enabled: Bool, grants: [ServiceGrant], limit: RequestLimit? = nil,
        addresses: [AddressRange] = [], certificates: [ClientCertificate] = [], tokens: [ClientToken] = []
    ) {
        self.id = id
        self.description = description
        self.enabled = enabled
        self.grants = grants
        self.limit = limit
        self.addresses = addresses
        self.certificates = certificates
        self.tokens = tokens
        allowed = Dictionary(
            grants.map {
                (Allowance(scope: $0.scope, operation: $0.operation), $0.until ?? Timestamp(microseconds: .max))
            },
            uniquingKeysWith: max)
    }

    /// Default deny.
    func mayDo(_ operation: ServiceOperation, in scope: GrantScope, now: Timestamp) -> Bool {
        allowed[Allowance(scope: scope, operation: operation)].map { now < $0 } ?? false
    }

    public func mayComeFrom(_ address: SourceAddress) -> Bool {
        addresses.isEmpty || addresses.contains { $0.contains(address) }
    }
}
