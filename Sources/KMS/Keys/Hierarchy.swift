public import HSMBridge

/// Who issues cards (发卡行); owner of key products.
public struct Issuer: Sendable, Hashable {
    /// Part of the key identities under it, so it never changes.
    public let code: String
    public let name: String
    public let description: String
}

/// A group of application keys of one kind (密钥产品), for example the keys of one card product.
public struct KeyProduct: Sendable, Hashable {
    public let issuer: String
    public let code: String
    public let name: String
    public let kind: String
    public let description: String
}

/// A certification authority (认证机构).
public struct Authority: Sendable, Hashable {
    public let code: String
    public let name: String
    public let kind: String
    public let description: String
}

/// What a key is for, decided before it has a value (应用密钥); its versions have values.
public struct ApplicationKey: Sendable, Hashable {
    public let name: KeyName
    public let attributes: KeyAttributes
    public let validity: Validity
    public let description: String
}

/// How a value came here.
public enum ValueOrigin: String, Sendable, Hashable, CaseIterable {
    case generated, components, keyBlock, cryptogram
}

/// One version of an application key, with or without its value.
public struct KeyVersion: Sendable, Hashable {
    public let identity: KeyIdentity
    public let attributes: KeyAttributes
    public let state: KeyState
    /// Kept after destruction.
    public let checkValue: KeyCheckValue?
    /// X9.143 version D under the LMK.
    public let block: String?
    /// SubjectPublicKeyInfo of an RSA key.
    public let publicKey: [UInt8]?
    public let validity: Validity
    public let origin: ValueOrigin?
    public let madeBy: String?
    public let madeAt: Timestamp?
    /// Other versions with the same check value and algorithm: probably the same key twice, which is to be looked into.
    public var sameValueAs: [KeyIdentity] = []

    /// The key as the hot path wants it, nil while there is no value.
    public var stored: StoredKey? {
        guard let block, let checkValue else { return nil }
        return StoredKey(
            identity: identity, attributes: attributes, state: state, validity: validity,
            key: WrappedKey(block: block, checkValue: checkValue), publicKey: publicKey)
    }
}

/// A key version with a value.
public struct StoredKey: Sendable, Hashable {
    public let identity: KeyIdentity
    public let attributes: KeyAttributes
    public let state: KeyState
    public let validity: Validity
    public let key: WrappedKey
    public let publicKey: [UInt8]?

    public init(
        identity: KeyIdentity, attributes: KeyAttributes, state: KeyState, validity: Validity, key: WrappedKey,
        publicKey: [UInt8]? = nil
    ) {
        self.identity = identity
        self.attributes = attributes
        self.state = state
        self.validity = validity
        self.key = key
        self.publicKey = publicKey
    }

    /// The only way to name a stored key to the module: with the identity of the row it was read from, so that the module
    /// refuses a block that was moved between rows.
    public var reference: KeyReference { .block(key.block, expected: identity) }
    public var checkValue: KeyCheckValue { key.checkValue }

    /// Refuses an operation that state or dates forbid.
    public func requireUsable(protecting: Bool, now: Timestamp) throws(KMSError) {
        guard protecting ? state.mayProtect : state.mayVerify else {
            throw .keyStateForbids(identity.description, state)
        }
        guard validity.hasBegun(now) else { throw .keyNotYetValid(identity.description) }
        if protecting, validity.hasEnded(now) { throw .keyExpired(identity.description) }
    }
}
