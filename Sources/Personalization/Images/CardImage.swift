internal import HSMBridge
internal import KMS

/// Everything that will be done to one card, computed and checked before the card is touched (卡片映像).
struct CardImage: Sendable, Hashable {
    let profile: String
    let steps: [ImageStep]
    /// Keys that stay on the card, by name, for their check values in the ledger.
    let keys: [CardKey]
    /// Those and the transport keys.
    let allKeys: [CardKey]
    let serial: CommandAPDU
    let challengeLength: Int
    let cipher: CardCipher
    /// Data fields that a step still needs and that must not be stored.
    func secrets(from step: Int) -> Set<String> {
        Set(
            (entry(before: min(step, steps.count - 1)) + steps.dropFirst(step)).compactMap { step in
                switch step.action {
                case .setPIN(_, let field), .verifyPIN(_, let field): field
                default: nil
                }
            })
    }
}

/// A stored key made ready for this card: which one, diversified by what.
struct CardKey: Sendable, Hashable {
    let name: String
    let identity: KeyIdentity
    let derived: DerivedKey
    let isTransport: Bool
}

/// One step: one APDU, with the GET CHALLENGE that it may need.
struct ImageStep: Sendable, Hashable {
    enum Action: Sendable, Hashable {
        /// `answer`: what the card must return beside 9000.
        case command(CommandAPDU, answer: [UInt8]? = nil)
        /// Line-protected command; `header` = CLA INS P1 P2.
        case protected(header: UInt32, data: [UInt8], under: CardKey, encipher: Bool)
        case loadKey(header: UInt32, keyHeader: [UInt8], key: CardKey, under: CardKey)
        case authenticate(header: UInt32, key: CardKey)
        /// `before` = CLA INS P1 P2 and the bytes before the PIN.
        case setPIN(before: [UInt8], field: String)
        case verifyPIN(header: UInt32, field: String)
        case tryLoad(purse: UInt8, keyIndex: UInt8, key: CardKey)
        case tryPurchase(purse: UInt8, keyIndex: UInt8, version: UInt8, algorithm: UInt8)
        case tryPurchaseSAM(
            version: UInt8, algorithm: UInt8, key: CardKey, levels: Int, terminal: UInt64,
            factorOrder: CardOS.FactorOrder)
    }

    /// What may be done when nobody knows whether the step was carried out.
    enum Recovery: Sendable, Hashable {
        /// Doing it again leaves the card as doing it once.
        case `repeat`
        /// Doing it again either succeeds or is refused with this status, which proves that it had been done.
        case repeatAccepting(StatusWord)
        /// If this SELECT finds it, it was done.
        case probeSelect(CommandAPDU)
        /// EXTERNAL AUTHENTICATE tells whether the new key or the old one is in the place.
        case probe(header: UInt32, new: CardKey, old: CardKey)
        /// The card is lost.
        case scrap
    }

    let name: String
    let action: Action
    /// The card is another afterwards.
    let changesCard: Bool
    let recovery: Recovery
    /// For keys: the place that is proved or filled.
    let place: CardKeyPlace?

    /// Puts a session where it was (selection, security state); to be done again after each power-on.
    var isSession: Bool {
        switch action {
        case .authenticate, .verifyPIN: true
        case .command(let command, _): command.ins == 0xA4
        default: false
        }
    }
}

extension CardImage {
    /// The steps that put a fresh session where step `index` expects it: selections and proofs before it, without proofs under
    /// keys that have been replaced since.
    func entry(before index: Int) -> [ImageStep] {
        steps.prefix(index).enumerated().compactMap { position, step in
            guard step.isSession else { return nil }
            if case .authenticate = step.action, let place = step.place {
                // The step itself counts too: nobody knows whether it has replaced the key.
                let isReplaced = steps[(position + 1)...index].contains { later in
                    guard case .loadKey = later.action else { return false }
                    return later.place == place
                }
                if isReplaced { return nil }
            }
            return step
        }
    }
}
