import HSMBridge

/// A master that may give card keys, and where they go: what one card key and many of them have in common. With fewer factors than
/// its levels it gives masters of the levels that are left, as an issuer gives a region its own.
private struct CardKeys {
    let schedule: OpenKeySchedule
    private let keyring: Keyring
    private let identity: KeyIdentity
    private let attributes: KeyAttributes
    /// How the master itself came from one above it.
    private let path: [UInt64]
    private let transport: OpenKeyEntry?

    init(
        of key: KeyReference, levels: Int, under transportKey: KeyReference?, in execution: inout Execution
    ) throws(ModuleRefusal) {
        keyring = try execution.keyring()
        let master = try execution.key(key)
        schedule = try master.schedule(for: .diversify, factors: levels)
        guard let identity = master.description.identity else { throw ModuleRefusal(.internalFault) }
        self.identity = identity
        attributes = master.attributes.diversified(by: levels)
        path = master.factors
        if let transportKey {
            try master.permit(.leave)
            transport = try execution.key(transportKey)
        } else {
            transport = nil
        }
    }

    func wrapped(_ derived: borrowing SecretBytes, factors: [UInt64]) throws(ModuleRefusal) -> WrappedKey {
        let checkValue = try primitive { () throws(PrimitiveError) in
            try KeyCheckValue.calculate(derived, algorithm: attributes.algorithm)
        }
        let block: String
        if let transport {
            block = try TransportKey.wrap(derived, attributes: attributes, identity: identity, under: transport)
        } else {
            block = try keyring.wrap(derived, attributes: attributes, identity: identity, factors: path + factors)
        }
        return WrappedKey(block: block, checkValue: checkValue)
    }
}

extension DiversifyKey: ExecutableCommand {
    func execute(in execution: inout Execution) throws(ModuleRefusal) -> WrappedKey {
        let cards = try CardKeys(of: key.key, levels: key.factors.count, under: transportKey, in: &execution)
        let derived = try primitive { () throws(PrimitiveError) in try cards.schedule.diversified(by: key.factors) }
        return try cards.wrapped(derived, factors: key.factors)
    }

    func journalFields() -> [JournalField] {
        [
            JournalField("key", key.key.journalName), JournalField("factors", JournalField.text(of: key.factors)),
            JournalField("under", transportKey?.journalName ?? "lmk"),
        ]
    }

    static func journalFields(of reply: WrappedKey) -> [JournalField] { reply.journalFields }
}

extension DiversifyKeyBatch: ExecutableCommand {
    func execute(in execution: inout Execution) throws(ModuleRefusal) -> WrappedKeys {
        let levels = Int(levels)
        let cards = try CardKeys(of: key, levels: levels, under: transportKey, in: &execution)
        guard levels > 0, factors.count % levels == 0 else { throw ModuleRefusal(.dataLengthInvalid) }
        var wrapped: [WrappedKey] = []
        wrapped.reserveCapacity(factors.count / levels)
        var refusal: ModuleRefusal?
        try primitive { () throws(PrimitiveError) in
            try cards.schedule.diversify(factors.span, levels: levels) { range, keys throws(PrimitiveError) in
                for (index, card) in range.enumerated() where refusal == nil {
                    let one = try keys.extracting(16 * index..<16 * index + 16)
                    let own = Array(factors[levels * card..<levels * card + levels])
                    do throws(ModuleRefusal) { wrapped.append(try cards.wrapped(one, factors: own)) } catch {
                        refusal = error
                    }
                }
            }
        }
        if let refusal { throw refusal }
        return WrappedKeys(wrapped)
    }

    func journalFields() -> [JournalField] {
        [
            JournalField("key", key.journalName), JournalField("levels", levels),
            JournalField("factors", JournalField.text(of: factors)),
            JournalField("under", transportKey?.journalName ?? "lmk"),
        ]
    }

    static func journalFields(of reply: WrappedKeys) -> [JournalField] {
        [JournalField("kcv", reply.keys.map(\.checkValue.description).joined(separator: ","))]
    }
}
