import HSMBridge

extension KeyBlockHeader {
    /// The number of a component, from its key version number `c1` to `c9`; nil for a key.
    var componentNumber: Int? {
        guard keyVersionText.utf8.count == 2, keyVersionText.hasPrefix("c"),
            let number = Int(keyVersionText.dropFirst()),
            number > 0
        else { return nil }
        return number
    }
}

extension FormKey: ExecutableCommand {
    func execute(in execution: inout Execution) throws(ModuleRefusal) -> WrappedKey {
        let keyring = try execution.keyring()
        try AttributeRules.check(attributes)
        guard Self.counts.contains(components.count), attributes.algorithm.isSymmetric else {
            throw ModuleRefusal(.parameterInvalid)
        }
        var numbers: Set<Int> = []
        var entries: [OpenKeyEntry] = []
        for reference in components {
            let entry = try execution.key(reference)
            guard let number = entry.component, numbers.insert(number).inserted, entry.attributes == attributes else {
                throw ModuleRefusal(.attributesContradict)
            }
            entries.append(entry)
        }
        let key = try primitive { () throws(PrimitiveError) in try Self.xored(entries, attributes.algorithm) }
        return try NewKey(attributes: attributes, identity: identity, key: key).wrapped(by: keyring)
    }

    /// DES keys get odd parity: an even number of odd components has even parity.
    private static func xored(
        _ entries: [OpenKeyEntry], _ algorithm: KeyAlgorithm
    ) throws(PrimitiveError) -> SecretBytes {
        var key = try SecretBytes(count: algorithm.bits / 8)
        for entry in entries { try key.xor(with: entry.secret.bytes) }
        if OpenKeySchedule.isDES(algorithm) { DESParity.adjust(&key) }
        return key
    }

    func journalFields() -> [JournalField] {
        attributes.journalFields(identity)
            + [JournalField("components", components.map(\.journalName).joined(separator: ","))]
    }

    static func journalFields(of reply: WrappedKey) -> [JournalField] { reply.journalFields }
}

extension RewrapKey: ExecutableCommand {
    func execute(in execution: inout Execution) throws(ModuleRefusal) -> WrappedKey {
        let keyring = try execution.keyring()
        guard case .block = key else { throw ModuleRefusal(.parameterInvalid) }
        let entry = try execution.key(key)
        guard let identity = entry.description.identity else { throw ModuleRefusal(.internalFault) }
        let fresh = try keyring.wrap(
            entry.secret.bytes, attributes: entry.attributes, identity: identity, factors: entry.factors,
            component: entry.component)
        return WrappedKey(block: fresh, checkValue: entry.description.checkValue)
    }

    func journalFields() -> [JournalField] { [JournalField("key", key.journalName)] }
    static func journalFields(of reply: WrappedKey) -> [JournalField] { reply.journalFields }
}
