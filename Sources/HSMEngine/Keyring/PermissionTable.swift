import HSMBridge

/// Which key may do what: the only place that says so. What is not here is refused.
///
/// Two rules stand behind the card rows. A *master* (mode X) calculates only for a card, diversified by at least one factor:
/// any block enciphered under the master itself would be half of the key of the card whose factor that block is. A *single*
/// key (mode N) is never diversified, so its blocks are nobody's key. The one use of a bare master is to be loaded onto a
/// PSAM, which does the diversification itself.
enum PermissionTable {
    /// One cell: the modes of use that allow the operation, each with the numbers of factors it may be used with.
    struct Grant: Sendable {
        let modes: [ModeOfUse: ClosedRange<Int>]

        fileprivate init(_ modes: [ModeOfUse: ClosedRange<Int>]) { self.modes = modes }
    }

    private static let none = 0...0
    private static let levels = 1...DerivedKey.maximumLevels
    private static let any = 0...DerivedKey.maximumLevels

    /// A master for the card whose factors are given, or a single key.
    private static let onCard = Grant([.derive: levels, .unrestricted: none])
    /// A master itself too: it goes onto a PSAM.
    private static let ontoPSAM = Grant([.derive: any, .unrestricted: none])
    private static let masterOnly = Grant([.derive: levels])
    private static let vendor = Grant([.derive: any, .unrestricted: none])
    private static let generating = Grant([.calculate: none, .generate: none])
    private static let verifying = Grant([.calculate: none, .verify: none])
    private static let wrapping = Grant([.both: none, .encrypt: none])
    private static let unwrapping = Grant([.both: none, .decrypt: none])
    /// An issuer master for the one card of a request.
    private static let perCard = Grant([.derive: 1...1, .unrestricted: 1...1])
    private static let leaving = Grant(Dictionary(uniqueKeysWithValues: ModeOfUse.allCases.map { ($0, none) }))

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
                .respondUnderCardKey: Grant([.unrestricted: 1...1]), .leave: leaving,
            ]
        case .scriptIntegrity: [.verifyIssuerData: perCard, .leave: leaving]
        // Nothing here deciphers with RSA, so mode T signs and no more. The public half checks whatever the mode.
        case .signature:
            [
                .sign: Grant([.sign: none, .signAndDecrypt: none]),
                .verifySignature: Grant([.sign: none, .signAndDecrypt: none, .verify: none]),
            ]
        case .purchase: card([.purchaseMAC: onCard, .loadOntoCard: ontoPSAM])
        case .load: card([.authoriseLoad: onCard])
        case .tac: card([.verifyTAC: onCard, .loadOntoCard: ontoPSAM])
        case .unload: card([.unload: onCard])
        case .overdraft: card([:])
        case .applicationMaintenance: card([.protectCommand: onCard, .loadOntoCard: ontoPSAM])
        case .pinUnblock, .pinReload: card([.loadOntoCard: ontoPSAM])
        // No `protectCommand`: the MAC of any command under this key could be made one that loads a key, for its initial vector is
        // the caller's and is xored onto the header. Nor is it loaded bare: a card maker's key has a value that others know.
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
        guard let range = grant.modes[attributes.mode], range.contains(factors) else { return .modeNotPermitted }
        if operation == .leave, attributes.exportability == .nonExportable { return .notExportable }
        return nil
    }
}
