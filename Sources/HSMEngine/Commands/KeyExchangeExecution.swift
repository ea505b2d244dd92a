import HSMBridge

/// A key block protection key opened for one import or export.
enum TransportKey {
    static func opened(
        _ entry: OpenKeyEntry, _ operation: KeyOperation, version: KeyBlockHeader.Version
    ) throws(ModuleRefusal) -> KeyBlockKey {
        try entry.permit(operation)
        do throws(KeyBlockError) { return try KeyBlockKey(entry.secret.bytes, version: version) } catch {
            throw ModuleRefusal(error.moduleError)
        }
    }

    /// The version that is written under a transport key: D under AES, B under TDES (A and C have a four-byte MAC).
    static func version(_ algorithm: KeyAlgorithm) throws(ModuleRefusal) -> KeyBlockHeader.Version {
        switch algorithm {
        case .tripleDES2, .tripleDES3: .b
        case .aes128, .aes192, .aes256: .d
        case .des, .sm4, .rsa: throw ModuleRefusal(.algorithmNotPermitted)
        }
    }

    /// Wraps a key for the outside: attributes as they are, and of the fields of our LMK only a master's levels.
    static func wrap(
        _ key: borrowing SecretBytes, attributes: KeyAttributes, identity: KeyIdentity?, under transport: OpenKeyEntry
    ) throws(ModuleRefusal) -> String {
        let version = try version(transport.attributes.algorithm)
        let protection = try opened(transport, .wrapKeyBlock, version: version)
        try AttributeRules.checkWrapping(attributes.algorithm, under: transport.attributes.algorithm)
        let header = KeyBlockHeader(
            version: version, attributes: attributes, keyVersionText: identity?.versionText ?? "00",
            optionalBlocks: attributes.mode == .derive ? [.levels(attributes.levels)] : [])
        do throws(KeyBlockError) { return try protection.wrap(key, header: header) } catch {
            throw ModuleRefusal(error.moduleError)
        }
    }
}

/// What a block from outside may become here. Nothing is gained on the way in: neither another usage, nor a wider mode, nor
/// a way out.
enum ImportRules {
    static func check(_ wanted: KeyAttributes, against header: KeyBlockHeader) throws(ModuleRefusal) {
        guard isUsage(wanted.usage, allowedBy: header), isMode(wanted, allowedBy: header),
            isExportability(wanted.exportability, allowedBy: header.exportability), isDepth(wanted, allowedBy: header)
        else { throw ModuleRefusal(.attributesContradict) }
    }

    /// A usage that we know must be the same. A numeric one that we do not know is the sender's own; which card role it is, the
    /// importing custodians say.
    private static func isUsage(_ wanted: KeyUsage, allowedBy header: KeyBlockHeader) -> Bool {
        if let known = header.usage { return known == wanted }
        return wanted.isCardRole && header.usageText.utf8.allSatisfy { (0x30...0x39).contains($0) }
    }

    /// Where the sender does not say a master's levels, the importing custodians do; where it does, they agree.
    private static func isDepth(_ wanted: KeyAttributes, allowedBy header: KeyBlockHeader) -> Bool {
        header.optionalBlock(LMKBlockField.levels) == nil || header.levels == wanted.levels
    }

    private static func isMode(_ wanted: KeyAttributes, allowedBy header: KeyBlockHeader) -> Bool {
        guard let mode = header.mode else { return false }
        if mode == wanted.mode { return true }
        switch (mode, wanted.mode) {
        case (.both, .encrypt), (.both, .decrypt), (.calculate, .generate), (.calculate, .verify): return true
        // Our own single card keys have mode N; one of them must not come back as a master.
        case (.unrestricted, _): return !(header.usage?.isCardRole ?? false)
        default: return false
        }
    }

    private static func isExportability(_ wanted: Exportability, allowedBy given: Exportability?) -> Bool {
        switch given {
        case .sensitive: true
        case .exportable: wanted != .sensitive
        case .nonExportable: wanted == .nonExportable
        case nil: false
        }
    }
}

extension ImportKeyBlock: ExecutableCommand {
    func execute(in execution: inout Execution) throws(ModuleRefusal) -> WrappedKey {
        let keyring = try execution.keyring()
        try AttributeRules.check(attributes)
        guard let header = try? KeyBlockHeader(parsing: block) else { throw ModuleRefusal(.keyBlockMalformed) }
        let transport = try execution.key(transportKey)
        let protection = try TransportKey.opened(transport, .unwrapKeyBlock, version: header.version)
        let key: SecretBytes
        do throws(KeyBlockError) {
            let opened = try protection.unwrap(block)
            guard opened.algorithm == attributes.algorithm else { throw .keyAlgorithm }
            key = try Self.copy(opened)
        } catch {
            throw ModuleRefusal(error == .keyAlgorithm ? .attributesContradict : error.moduleError)
        }
        try ImportRules.check(attributes, against: header)
        try AttributeRules.checkWrapping(attributes.algorithm, under: transport.attributes.algorithm)
        return try NewKey(attributes: attributes, identity: identity, key: key, component: header.componentNumber)
            .wrapped(by: keyring)
    }

    private static func copy(_ opened: borrowing OpenedKeyBlock) throws(KeyBlockError) -> SecretBytes {
        do throws(PrimitiveError) { return try SecretBytes(copying: opened.key) } catch { throw .primitive(error) }
    }

    func journalFields() -> [JournalField] { attributes.journalFields(identity) }
    static func journalFields(of reply: WrappedKey) -> [JournalField] { reply.journalFields }
}

extension ImportCryptogram: ExecutableCommand {
    /// What a bare cryptogram may become: the keys that partners without key blocks send, none of which enciphers or deciphers for its
    /// user.
    ///
    /// The form does not say what a key is for. Whoever has a copy of any cryptogram that ever went under the transport key could
    /// bring it as another kind: a transport key as one for data, which deciphers what travelled under it; a card master as a single
    /// card key, whose answer to a challenge is half of the key of the card with that number. So there is no card key here.
    ///
    /// What is left cannot be closed without closing the way: the MAC of one whole block without padding is that block's encipherment,
    /// so a master brought as a MAC key with eight-byte MACs gives card keys away as well. A transport key that has ever carried masters
    /// as bare cryptograms must not be used here; key blocks say what they hold.
    static let openUsages: Set<KeyUsage> = [.mac1, .mac3, .cmac, .cardVerification]

    func execute(in execution: inout Execution) throws(ModuleRefusal) -> WrappedKey {
        let keyring = try execution.keyring()
        try AttributeRules.check(attributes)
        // The form says nothing of what the key may do, so it is given nothing: it stays here.
        guard attributes.exportability == .nonExportable else { throw ModuleRefusal(.attributesContradict) }
        guard attributes.algorithm.isSymmetric, cryptogram.count * 8 == attributes.algorithm.bits else {
            throw ModuleRefusal(.keyLengthInvalid)
        }
        guard Self.openUsages.contains(attributes.usage) else { throw ModuleRefusal(.usageNotPermitted) }
        let transport = try execution.key(transportKey)
        let schedule = try transport.schedule(for: .unwrapCryptogram)
        try AttributeRules.checkWrapping(attributes.algorithm, under: transport.attributes.algorithm)
        let cryptogram = cryptogram
        let key = try primitive { () throws(PrimitiveError) in
            try schedule.decipherSecret(.ecb, cryptogram.span)
        }
        let new = NewKey(attributes: attributes, identity: identity, key: key)
        let wrapped = try new.wrapped(by: keyring)
        guard wrapped.checkValue == checkValue else { throw ModuleRefusal(.checkValueMismatch) }
        return wrapped
    }

    func journalFields() -> [JournalField] { attributes.journalFields(identity) }
    static func journalFields(of reply: WrappedKey) -> [JournalField] { reply.journalFields }
}

extension ExportKeyBlock: ExecutableCommand {
    func execute(in execution: inout Execution) throws(ModuleRefusal) -> WrappedKey {
        let entry = try execution.key(key)
        try entry.permit(.leave)
        let transport = try execution.key(transportKey)
        let block = try TransportKey.wrap(
            entry.secret.bytes, attributes: entry.attributes, identity: entry.description.identity, under: transport)
        return WrappedKey(block: block, checkValue: entry.description.checkValue)
    }

    func journalFields() -> [JournalField] {
        [JournalField("key", key.journalName), JournalField("under", transportKey.journalName)]
    }

    static func journalFields(of reply: WrappedKey) -> [JournalField] { reply.journalFields }
}

extension KeyReference {
    /// How the journal names a key before it is opened: as its caller did, or as its block does, whose MAC is not looked at yet; what is no
    /// identity there is no name. The check value stands in the line after it. A key that came from a master has the master's name: the
    /// factors that its block says, `A/B/C/01+0102030405060708,…`, tell it from the others.
    var journalName: String {
        switch self {
        case .handle(let handle): return "handle:" + String(handle.rawValue, radix: 16)
        case .block(let block, let expected):
            let header = try? KeyBlockHeader(parsing: block)
            let identity = expected ?? header?.optionalBlock(LMKBlockField.identity).flatMap { KeyIdentity($0) }
            let way = header?.factors ?? []
            return (identity?.description ?? "unnamed") + (way.isEmpty ? "" : "+" + JournalField.text(of: way))
        }
    }
}
