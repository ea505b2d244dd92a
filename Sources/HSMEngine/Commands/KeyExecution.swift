import HSMBridge

/// A new key that is to become a block under the LMK: every way in passes here, so that no check is forgotten on one of them.
struct NewKey: ~Copyable {
    let attributes: KeyAttributes
    let identity: KeyIdentity
    let key: SecretBytes
    /// The number of a component; nil for a key.
    let component: Int?

    init(attributes: KeyAttributes, identity: KeyIdentity, key: consuming SecretBytes, component: Int? = nil) {
        self.attributes = attributes
        self.identity = identity
        self.key = key
        self.component = component
    }

    func wrapped(by keyring: Keyring) throws(ModuleRefusal) -> WrappedKey {
        try AttributeRules.check(attributes)
        try refuseWeakValue()
        let checkValue = try primitive { () throws(PrimitiveError) in
            try OpenKeyValue.checkValue(key, attributes: attributes)
        }
        let block = try keyring.wrap(key, attributes: attributes, identity: identity, component: component)
        return WrappedKey(block: block, checkValue: checkValue)
    }

    /// A card maker's transport key has the value that its maker gave it, known or not; it can do nothing but wash a card.
    private func refuseWeakValue() throws(ModuleRefusal) {
        guard attributes.usage != .vendorTransport, attributes.algorithm.isSymmetric else { return }
        let weakness = try primitive { () throws(PrimitiveError) in
            try WeakKeys.weakness(of: key, algorithm: attributes.algorithm)
        }
        if let weakness { throw ModuleRefusal(weakness.moduleError) }
    }
}

extension KeyAttributes {
    func journalFields(_ identity: KeyIdentity) -> [JournalField] {
        let fields = [
            JournalField("key", identity), JournalField("usage", usage.rawValue), JournalField("alg", algorithm.name),
            JournalField("mode", String(mode.rawValue)), JournalField("export", String(exportability.rawValue)),
        ]
        return mode == .derive ? fields + [JournalField("levels", levels)] : fields
    }
}

extension WrappedKey {
    var journalFields: [JournalField] { [JournalField("kcv", checkValue)] }
}

extension GenerateKey: ExecutableCommand {
    func execute(in execution: inout Execution) throws(ModuleRefusal) -> WrappedKey {
        let keyring = try execution.keyring()
        try AttributeRules.check(attributes)
        guard attributes.algorithm.isSymmetric else { throw ModuleRefusal(.algorithmNotPermitted) }
        let key = try primitive { () throws(PrimitiveError) in try KeyMaterial.generate(attributes.algorithm) }
        let number = component == 0 ? nil : Int(component)
        return try NewKey(attributes: attributes, identity: identity, key: key, component: number)
            .wrapped(by: keyring)
    }

    func journalFields() -> [JournalField] { attributes.journalFields(identity) }
    static func journalFields(of reply: WrappedKey) -> [JournalField] { reply.journalFields }
}

extension GenerateKeyPair: ExecutableCommand {
    func execute(in execution: inout Execution) throws(ModuleRefusal) -> KeyPair {
        let keyring = try execution.keyring()
        try AttributeRules.check(attributes)
        guard case .rsa(let bits) = attributes.algorithm, attributes.mode != .verify else {
            throw ModuleRefusal(.algorithmNotPermitted)
        }
        guard RSA.newLengths.contains(bits) else { throw ModuleRefusal(.keyLengthInvalid) }
        guard let exponent = RSAExponent(rawValue: UInt(exponent)) else { throw ModuleRefusal(.parameterInvalid) }
        let pair = try primitive { () throws(PrimitiveError) in try RSA.generate(bits: bits, exponent: exponent) }
        let checkValue = try primitive { () throws(PrimitiveError) in
            try RSA.checkValue(ofPublicKey: pair.publicKey)
        }
        let block = try keyring.wrap(pair.privateKey, attributes: attributes, identity: identity)
        return KeyPair(privateKey: WrappedKey(block: block, checkValue: checkValue), publicKey: pair.publicKey)
    }

    func journalFields() -> [JournalField] { attributes.journalFields(identity) }
    static func journalFields(of reply: KeyPair) -> [JournalField] { reply.privateKey.journalFields }
}

extension InspectKey: ExecutableCommand {
    func execute(in execution: inout Execution) throws(ModuleRefusal) -> KeyDescription {
        try execution.key(key).description
    }
}

extension OpenKey: ExecutableCommand {
    func execute(in execution: inout Execution) throws(ModuleRefusal) -> OpenedKey {
        let (handle, entry) = try execution.keyring().key(key)
        return OpenedKey(handle: handle, description: entry.description)
    }
}

extension CloseKey: ExecutableCommand {
    func execute(in execution: inout Execution) throws(ModuleRefusal) -> Done {
        try execution.keyring().cache.close(handle)
        execution.refresh()
        return Done()
    }
}

extension CheckValue: ExecutableCommand {
    func execute(in execution: inout Execution) throws(ModuleRefusal) -> KeyCheckValue {
        try execution.key(key).description.checkValue
    }
}

extension RandomBytes: ExecutableCommand {
    func execute(in execution: inout Execution) throws(ModuleRefusal) -> HSMBridge.MACValue {
        guard (1...1_024).contains(count) else { throw ModuleRefusal(.parameterInvalid) }
        let bytes = try primitive { () throws(PrimitiveError) in try SecureRandom.bytes(count: Int(count)) }
        return HSMBridge.MACValue(bytes: bytes)
    }
}
