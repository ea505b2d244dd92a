import HSMBridge

/// What a ceremony (密钥仪式) has gathered so far. A value: the module takes it out, a card changes a copy, and it is put back
/// if the ceremony is still the same. Components are wiped with the last copy.
struct Ceremony: Sendable {
    let kind: CeremonyKind
    let term: UInt8
    let lmkCheckValue: KeyCheckValue
    /// Of the three components, in the custodians' order.
    let checkValues: [KeyCheckValue]
    /// Serials of the cards that the components were written to; empty while they are being made.
    let cardSerials: [String]
    /// Generation: components not yet on a card. Loading: components read. By custodian.
    private(set) var components: [Custodian: SecretBox] = [:]
    private(set) var presented: [AdminCardInfo] = []

    static let firstTerm: UInt8 = 1

    /// Makes three random components of the LMK's full length: two of them say nothing about the LMK.
    static func generating() throws(ModuleRefusal) -> Ceremony {
        try primitive { () throws(PrimitiveError) in
            var components: [Custodian: SecretBox] = [:]
            var checkValues: [KeyCheckValue] = []
            var lmk = try SecretBytes(count: AdminCard.componentLength)
            for custodian in Custodian.allCases {
                let component = try SecureRandom.secret(count: AdminCard.componentLength)
                checkValues.append(try KeyCheckValue.calculate(component, algorithm: .aes256))
                try lmk.xor(with: component)
                components[custodian] = SecretBox(component)
            }
            return Ceremony(
                kind: .generate, term: firstTerm, lmkCheckValue: try KeyCheckValue.calculate(lmk, algorithm: .aes256),
                checkValues: checkValues, cardSerials: [], components: components)
        }
    }

    static func loading(_ key: StateRecord.MasterKey) -> Ceremony {
        Ceremony(
            kind: .load, term: key.term, lmkCheckValue: key.checkValue, checkValues: key.components.map(\.checkValue),
            cardSerials: key.components.map(\.cardSerial))
    }

    var isComplete: Bool { presented.count == Custodian.allCases.count }

    func checkValue(of custodian: Custodian) -> KeyCheckValue { checkValues[Int(custodian.rawValue) - 1] }

    /// One custodian's card. Whatever is wrong, the card's part is not taken, and what was taken before stays.
    mutating func present(_ card: AdminCard, pin: borrowing SecretBytes) throws(ModuleRefusal) {
        let info = try card.information()
        guard !presented.contains(where: { $0.serial == info.serial }) else {
            throw ModuleRefusal(.componentRepeated)
        }
        guard !presented.contains(where: { $0.custodian == info.custodian }) else {
            throw ModuleRefusal(.custodianUnexpected)
        }
        switch kind {
        case .generate: try write(to: card, info, pin: pin)
        case .load: try read(from: card, info, pin: pin)
        }
    }

    private mutating func write(
        to card: AdminCard, _ info: AdminCardInfo, pin: borrowing SecretBytes
    ) throws(ModuleRefusal) {
        guard let component = components[info.custodian] else { throw ModuleRefusal(.internalFault) }
        let written = AdminCardInfo(
            custodian: info.custodian, serial: info.serial, term: term,
            componentCheckValue: checkValue(of: info.custodian),
            lmkCheckValue: lmkCheckValue)
        // A card that this ceremony has written and lost before the answer came may be presented again.
        guard info.term == 0 || info == written else { throw ModuleRefusal(.cardBlankExpected) }
        try card.verify(pin)
        try card.write(component: component.bytes)
        try card.write(written)
        guard try card.information() == written else { throw ModuleRefusal(.cardFault) }
        presented.append(written)
        // From now on the component exists on its card alone.
        components[info.custodian] = nil
    }

    private mutating func read(
        from card: AdminCard, _ info: AdminCardInfo, pin: borrowing SecretBytes
    ) throws(ModuleRefusal) {
        // What can be seen without the PIN is checked first: a card of another LMK costs no try.
        let expected = checkValue(of: info.custodian)
        guard info.term == term, info.componentCheckValue == expected, info.lmkCheckValue == lmkCheckValue,
            info.serial == cardSerials[Int(info.custodian.rawValue) - 1]
        else { throw ModuleRefusal(.componentMismatch) }
        try card.verify(pin)
        let component = try card.readComponent()
        for other in components.values where other.bytes.isEqual(to: component) {
            throw ModuleRefusal(.componentRepeated)
        }
        let actual = try primitive { () throws(PrimitiveError) in
            try KeyCheckValue.calculate(component, algorithm: .aes256)
        }
        guard actual == expected else { throw ModuleRefusal(.componentMismatch) }
        components[info.custodian] = SecretBox(component)
        presented.append(info)
    }

    /// The LMK out of three components; refused where its check value is not the recorded one.
    func masterKey() throws(ModuleRefusal) -> SecretBytes {
        guard kind == .load, isComplete else { throw ModuleRefusal(.ceremonyIncomplete) }
        let lmk = try primitive { () throws(PrimitiveError) in
            var lmk = try SecretBytes(count: AdminCard.componentLength)
            for component in components.values { try lmk.xor(with: component.bytes) }
            return lmk
        }
        let actual = try primitive { () throws(PrimitiveError) in
            try KeyCheckValue.calculate(lmk, algorithm: .aes256)
        }
        guard actual == lmkCheckValue else { throw ModuleRefusal(.lmkMismatch) }
        return lmk
    }

    /// What the state file keeps of a generation whose three cards are written.
    func record() throws(ModuleRefusal) -> StateRecord.MasterKey {
        guard kind == .generate, isComplete else { throw ModuleRefusal(.ceremonyIncomplete) }
        let cards = presented.sorted { $0.custodian.rawValue < $1.custodian.rawValue }
        let components = zip(checkValues, cards).map { checkValue, card in
            StateRecord.Component(checkValue: checkValue, cardSerial: card.serial)
        }
        return StateRecord.MasterKey(term: term, checkValue: lmkCheckValue, components: components)
    }
}
