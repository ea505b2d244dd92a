import HSMBridge
import Synchronization

/// An unsealed module: the LMK ready for use and the keys opened with it. Immutable but for the cache; taken out of the module's
/// lock as a whole, and void from the moment the module is sealed.
final class Keyring: Sendable {
    let term: UInt8
    let epoch: UInt32
    let cache: OpenKeyCache
    private let masterKey: KeyBlockKey
    private let void = Atomic<Bool>(false)

    /// `lmk`: 32 bytes.
    init(lmk: borrowing SecretBytes, term: UInt8, epoch: UInt32, openKeyLimit: Int) throws(ModuleRefusal) {
        do throws(KeyBlockError) {
            masterKey = try KeyBlockKey(lmk, version: .d)
        } catch {
            throw ModuleRefusal(error.moduleError)
        }
        self.term = term
        self.epoch = epoch
        cache = OpenKeyCache(epoch: epoch, limit: openKeyLimit)
    }

    /// Commands that hold this keyring stop at their next item.
    func makeVoid() { void.store(true, ordering: .sequentiallyConsistent) }
    var isVoid: Bool { void.load(ordering: .relaxed) }

    // MARK: Wrapping under the LMK

    func wrap(
        _ key: borrowing SecretBytes, attributes: KeyAttributes, identity: KeyIdentity, factors: [UInt64] = [],
        component: Int? = nil
    ) throws(ModuleRefusal) -> String {
        var fields = [
            KeyBlockHeader.OptionalBlock(id: LMKBlockField.term, data: Hex.encode([term])),
            KeyBlockHeader.OptionalBlock(id: LMKBlockField.identity, data: identity.description),
        ]
        if !factors.isEmpty { fields.append(.factors(factors)) }
        if attributes.mode == .derive { fields.append(.levels(attributes.levels)) }
        let header = KeyBlockHeader(
            version: .d, attributes: attributes, keyVersionText: component.map { "c\($0)" } ?? identity.versionText,
            optionalBlocks: fields)
        do throws(KeyBlockError) { return try masterKey.wrap(key, header: header) } catch {
            throw ModuleRefusal(error.moduleError)
        }
    }

    // MARK: Opening

    /// The open key that a reference names, opening it if it is not open yet.
    func key(_ reference: KeyReference) throws(ModuleRefusal) -> (handle: KeyHandle, entry: OpenKeyEntry) {
        switch reference {
        case .handle(let handle): return (handle, try cache.entry(handle))
        case .block(let block, let expected):
            let found: (handle: KeyHandle, entry: OpenKeyEntry)
            if let cached = cache.entry(ofBlock: block) {
                found = cached
            } else {
                found = try cache.insert(try open(block), block: block)
            }
            if let expected, found.entry.description.identity != expected {
                throw ModuleRefusal(.keyIdentityMismatch)
            }
            return found
        }
    }

    /// Checks everything that a block says of itself: the term before the MAC (so that an old LMK's block is not called a
    /// forgery), all the rest after it.
    private func open(_ block: String) throws(ModuleRefusal) -> OpenKeyEntry {
        guard block.utf8.count <= KeyBlockHeader.maximumBlockLength, let header = try? KeyBlockHeader(parsing: block),
            header.version == .d, let blockTerm = header.optionalBlock(LMKBlockField.term).flatMap(Self.term)
        else { throw ModuleRefusal(.keyBlockMalformed) }
        guard blockTerm == term else { throw ModuleRefusal(.lmkTermUnknown) }
        do throws(KeyBlockError) {
            let opened = try masterKey.unwrap(block)
            return try entry(opened)
        } catch {
            throw ModuleRefusal(error.moduleError)
        }
    }

    private func entry(_ opened: borrowing OpenedKeyBlock) throws(KeyBlockError) -> OpenKeyEntry {
        guard let usage = opened.header.usage, let mode = opened.header.mode,
            let exportability = opened.header.exportability
        else { throw .header(.fieldInvalid) }
        // A master that does not say its levels is not opened: no number taken for granted would be safe.
        let attributes = KeyAttributes(
            usage: usage, algorithm: opened.algorithm, mode: mode, exportability: exportability,
            levels: opened.header.levels ?? 0)
        guard let identity = opened.header.optionalBlock(LMKBlockField.identity).flatMap({ KeyIdentity($0) }),
            identity.versionText == opened.header.keyVersionText || opened.header.componentNumber != nil,
            let factors = opened.header.factors, (try? AttributeRules.check(attributes)) != nil
        else { throw .header(.fieldInvalid) }
        do throws(PrimitiveError) {
            let checkValue = try OpenKeyValue.checkValue(opened.key, attributes: attributes)
            let secret = SecretBox(try SecretBytes(copying: opened.key))
            let description = KeyDescription(
                attributes: attributes, identity: identity, term: term, checkValue: checkValue)
            guard opened.algorithm.isSymmetric else {
                let rsa = try OpenKeyValue.rsa(opened.key, attributes: attributes)
                try rsa.warmUp()
                return OpenKeyEntry(description: description, secret: secret, rsa: rsa)
            }
            let schedule = try OpenKeySchedule(opened.key, algorithm: opened.algorithm)
            return OpenKeyEntry(
                description: description, secret: secret, schedule: schedule, factors: factors,
                component: opened.header.componentNumber)
        } catch {
            throw .primitive(error)
        }
    }

    private static func term(_ text: String) -> UInt8? {
        guard let bytes = Hex.decode(text), bytes.count == 1 else { return nil }
        return bytes[0]
    }
}

extension KeyBlockHeader.OptionalBlock {
    /// The depth of a master.
    static func levels(_ levels: Int) -> Self {
        Self(id: LMKBlockField.levels, data: Hex.encode([UInt8(clamping: levels)]))
    }

    /// The way from a master to a key made of it.
    static func factors(_ factors: [UInt64]) -> Self {
        Self(id: LMKBlockField.factors, data: factors.map { Hex.encode(BigEndian.bytes($0)) }.joined())
    }
}

extension KeyBlockHeader {
    /// The way that the key came from a master, none for any other; nil where it is not written as we write it.
    var factors: [UInt64]? {
        guard let text = optionalBlock(LMKBlockField.factors) else { return [] }
        guard let bytes = Hex.decode(text), bytes.count % 8 == 0, bytes.count <= 8 * DerivedKey.maximumLevels else {
            return nil
        }
        return stride(from: 0, to: bytes.count, by: 8).map { at in bytes[at..<at + 8].reduce(0) { $0 << 8 | UInt64($1) }
        }
    }
}

/// Check values of keys of any kind.
enum OpenKeyValue {
    static func checkValue(
        _ key: borrowing SecretBytes, attributes: KeyAttributes
    ) throws(PrimitiveError) -> KeyCheckValue {
        guard !attributes.algorithm.isSymmetric else {
            return try KeyCheckValue.calculate(key, algorithm: attributes.algorithm)
        }
        guard attributes.mode != .verify else {
            return try RSA.checkValue(ofPublicKey: try rsa(key, attributes: attributes).publicDER())
        }
        // The numbers of a private key are checked for belonging together.
        let pair = try RSA.load(key)
        return try RSA.checkValue(ofPublicKey: pair.publicKey)
    }

    /// A public key where the mode is to verify, else a private one.
    static func rsa(
        _ key: borrowing SecretBytes, attributes: KeyAttributes
    ) throws(PrimitiveError) -> OpenRSAKey {
        attributes.mode == .verify ? try OpenRSAKey(publicKeyPKCS1: key) : try OpenRSAKey(key)
    }
}

/// Fields of card messages.
enum BigEndian {
    static func bytes(_ value: UInt64) -> [UInt8] { (0..<8).map { UInt8(truncatingIfNeeded: value >> (56 - 8 * $0)) } }
    static func bytes(_ value: UInt32) -> [UInt8] { (0..<4).map { UInt8(truncatingIfNeeded: value >> (24 - 8 * $0)) } }
}
