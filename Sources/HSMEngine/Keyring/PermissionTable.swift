import HSMBridge

/// Which key may do what: the only place that says so. What is not here is refused.
///
/// One command looks further than it was permitted: `ExplainMAC` asks the table whether the key's own MACs may be checked, and
/// then compares the MAC that its caller brought with those of other depths, orders of factors and halves of the key too, since
/// these are the mistakes it is to find. It gives no MAC, only the name of a reading that fits.
///
/// Three rules stand behind the card rows. A *master* (mode X) calculates only for a card, never itself: any block enciphered
/// under the master would be half of the key of the card whose factor that block is. It calculates for a card with exactly as
/// many factors as its block says (`KeyAttributes.levels`): with one fewer, the key above the card's would be a master in the
/// same sense. A *single* key (mode N) is never diversified, so its blocks are nobody's key. The one use of a bare master, or
/// of one at less than its depth, is to be loaded onto a PSAM, which does the rest of the diversification itself, or to be
/// wrapped as a master of fewer levels.
enum PermissionTable {
    /// How many factors an operation takes.
    enum Factors: Sendable {
        case none
        /// As many as the master has levels.
        case all
        /// Some levels, or all.
        case some
        /// The master itself, or after some levels or all.
        case noneOrSome
        /// One factor: the card that an EMV issuer key is asked about. Of mode X that key has just this one level; of mode N it has
        /// none and takes the card all the same, for EMV's way to a card's key is not a level of PBOC.
        case one
        /// Any number: the value is known to others in any case.
        case any

        func contains(_ count: Int, levels: Int) -> Bool {
            switch self {
            case .none: count == 0
            case .all: count == levels && count > 0
            case .some: (1...max(1, levels)).contains(count)
            case .noneOrSome: (0...levels).contains(count)
            case .one: count == 1
            case .any: (0...DerivedKey.maximumLevels).contains(count)
            }
        }
    }

    /// One cell: the modes of use that allow the operation, each with the numbers of factors it may be used with.
    struct Grant: Sendable {
        let modes: [ModeOfUse: Factors]

        fileprivate init(_ modes: [ModeOfUse: Factors]) { self.modes = modes }
    }

    /// A master for the card whose factors are given, or a single key.
    private static let onCard = Grant([.derive: .all, .unrestricted: .none])
    /// A master itself too, or what some of its levels leave: it goes onto a PSAM.
    private static let ontoPSAM = Grant([.derive: .noneOrSome, .unrestricted: .none])
    private static let masterOnly = Grant([.derive: .some])
    private static let vendor = Grant([.derive: .any, .unrestricted: .none])
    private static let generating = Grant([.calculate: .none, .generate: .none])
    private static let verifying = Grant([.calculate: .none, .verify: .none])
    private static let wrapping = Grant([.both: .none, .encrypt: .none])
    private static let unwrapping = Grant([.both: .none, .decrypt: .none])
    /// An issuer master for the one card of a request.
    private static let perCard = Grant([.derive: .one, .unrestricted: .one])
    private static let leaving = Grant(Dictionary(uniqueKeysWithValues: ModeOfUse.allCases.map { ($0, Factors.none) }))

    /// What every key with a card role may do.
    private static let cardRole: [KeyOperation: Grant] = [
        .leave: leaving, .diversify: masterOnly, .loadOntoCard: onCard, .derivedCheckValue: ontoPSAM,
    ]

    private static func card(_ own: [KeyOperation: Grant]) -> [KeyOperation: Grant] {
        cardRole.merging(own) { _, own in own }
    }

    /// The table. Computed once; a usage without a row cannot exist (the switch is complete).
    static let rows: [KeyUsage: [KeyOperation: Grant]] = Dictionary(
        uniqueKeysWithValues: KeyUsage.allCases.map { ($0, row($0)) })

    private static func row(_ usage: KeyUsage) -> [KeyOperation: Grant] {
        switch usage {
        case .keyEncryption:
            [.wrapKeyBlock: wrapping, .unwrapKeyBlock: unwrapping, .unwrapCryptogram: unwrapping, .leave: leaving]
        case .keyBlockProtection: [.wrapKeyBlock: wrapping, .unwrapKeyBlock: unwrapping, .leave: leaving]
        case .dataEncryption: [.encipherData: wrapping, .decipherData: unwrapping, .leave: leaving]
        // UnionPay's field-64 MAC is algorithm 1 over a folded message; X9.143 has no usage of its own for it.
        case .mac1:
            [
                .generateMAC1: generating, .verifyMAC1: verifying, .generateUnionPayMAC: generating,
                .verifyUnionPayMAC: verifying, .leave: leaving,
            ]
        case .mac3: [.generateMAC3: generating, .verifyMAC3: verifying, .leave: leaving]
        case .cmac: [.generateCMAC: generating, .verifyCMAC: verifying, .leave: leaving]
        case .cardVerification: [.generateCardCode: generating, .verifyCardCode: verifying, .leave: leaving]
        // Under the card's own key a response enciphers what the caller likes, also what session keys are made of.
        case .applicationCryptogram:
            [
                .verifyCryptogram: perCard, .respondToCryptogram: perCard,
                .respondUnderCardKey: Grant([.unrestricted: .one]), .leave: leaving,
            ]
        case .scriptIntegrity: [.verifyIssuerData: perCard, .leave: leaving]
        // Nothing here deciphers with RSA, so mode T signs and no more. The public half checks whatever the mode.
        case .signature:
            [
                .sign: Grant([.sign: .none, .signAndDecrypt: .none]),
                .verifySignature: Grant([.sign: .none, .signAndDecrypt: .none, .verify: .none]),
            ]
        case .purchase: card([.purchaseMAC: onCard, .loadOntoCard: ontoPSAM])
        case .load: card([.authoriseLoad: onCard])
        case .tac: card([.verifyTAC: onCard, .loadOntoCard: ontoPSAM])
        case .unload: card([.unload: onCard])
        case .overdraft: card([:])
        case .applicationMaintenance: card([.protectCommand: onCard, .loadOntoCard: ontoPSAM])
        case .pinUnblock, .pinReload: card([.loadOntoCard: ontoPSAM])
        // No `protectCommand`: the MAC of any command under this key could be made one that loads a key, for its initial vector is
        // the caller's and is xored onto the header. For the same reason `CardCryptogram` takes challenges of four bytes for it, never
        // a whole block. What its holder can do all the same is load keys of the module onto the card (`controlKeyLoad`).
        // Nor is it loaded bare: a card maker's key has a value that others know.
        case .cardControl: card([.controlKeyLoad: onCard, .cardCryptogram: onCard])
        case .cardMaintenance: card([.protectCommand: onCard, .loadOntoCard: ontoPSAM])
        case .internalAuthentication: card([.loadOntoCard: ontoPSAM])
        case .externalAuthentication: card([.cardCryptogram: onCard, .loadOntoCard: ontoPSAM])
        case .psamCipher: card([.loadOntoCard: ontoPSAM])
        // A card maker's key may wash a card and nothing else. Its value is the maker's, so the rule about bare masters does
        // not apply to it.
        case .vendorTransport: [.wash: vendor, .cardCryptogram: vendor, .derivedCheckValue: vendor]
        }
    }

    /// Nil where a key of these attributes may do the operation with this many factors.
    static func refusal(_ attributes: KeyAttributes, _ operation: KeyOperation, factors: Int) -> ModuleError? {
        guard let grant = rows[attributes.usage]?[operation] else { return .usageNotPermitted }
        guard let allowed = grant.modes[attributes.mode], allowed.contains(factors, levels: attributes.levels) else {
            return .modeNotPermitted
        }
        if operation == .leave, attributes.exportability == .nonExportable { return .notExportable }
        return nil
    }
}
