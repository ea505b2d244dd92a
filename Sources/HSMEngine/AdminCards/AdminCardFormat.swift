import HSMBridge

/// Makes admin cards: out of blanks, and out of used ones whose PIN is known.
extension AdminCard {
    private static let name = Array("KMSD.ADMIN".utf8)
    /// FMCOS answers this to CREATE FILE for a file that is there.
    private static let fileExists: UInt16 = 0x6A86

    /// Formats for a custodian. A component on the card is destroyed only with `discardComponent`: it may be a third of the
    /// LMK that everything hangs on.
    func format(
        custodian: Custodian, pin: borrowing SecretBytes, discardComponent: Bool
    ) throws(ModuleRefusal) -> AdminCardInfo {
        switch try find() {
        case .card(let present):
            guard present.term == 0 || discardComponent else { throw ModuleRefusal(.cardBlankExpected) }
            try verify(pin)
            return try empty(custodian: custodian, serial: present.serial)
        case .nothing:
            try createFolder()
            return try fill(custodian: custodian, pin: pin)
        case .unfinished:
            return try fill(custodian: custodian, pin: pin)
        }
    }

    /// The master file, its key file, and our folder. Only a card without a master file takes the first command, so a finished
    /// card of another kind is never touched.
    private func createFolder() throws(ModuleRefusal) {
        let masterFile: [UInt8] = [0x38, 0xFF, 0xFF, 0xF0, 0xEF, 0x01] + [UInt8](repeating: 0xFF, count: 7)
        guard try transmit(0x80, 0xE0, 0x3F, 0x00, masterFile).isSuccess else {
            throw ModuleRefusal(.cardBlankExpected)
        }
        let keyFile: [UInt8] = [0x3F, 0x00, 0x50, 0x01, 0xF0, 0xFF, 0xFF]
        try expectSuccess(try transmit(0x80, 0xE0, 0x00, 0x00, keyFile).status)
        let folder: [UInt8] = [0x38, 0x02, 0x00, 0xF0, 0xF0, 0x95, 0xFF, 0xFF] + Self.name
        try expectSuccess(try transmit(0x80, 0xE0, Self.folder[0], Self.folder[1], folder).status)
        guard try select() else { throw ModuleRefusal(.cardFault) }
    }

    /// What lies in the folder. Steps that a broken-off format has done already are passed over; the PIN then decides.
    private func fill(custodian: Custodian, pin: borrowing SecretBytes) throws(ModuleRefusal) -> AdminCardInfo {
        try create(0x00, 0x00, [0x3F, 0x00, 0x50, 0x95, 0xF0, 0xFF, 0xFF])
        // WRITE KEY, type 3A: use right F0, change right EF (never), state 1 after it, three tries of three.
        _ = try exchange(
            header: [0x80, 0xD4, 0x01, 0x00], prefix: [0x3A, 0xF0, 0xEF, 0x01, 0x33], secret: pin)
        try create(0x00, 0x02, [0x28, 0x00, 0x20, 0xF1, 0xF1, 0xFF, 0xFF])
        try create(0x00, 0x01, [0x28, 0x00, 0x10, 0xF0, 0xF1, 0xFF, 0xFF])
        try verify(pin)
        let serial = try primitive { () throws(PrimitiveError) in try SecureRandom.bytes(count: 8) }
        return try empty(custodian: custodian, serial: Hex.encode(serial))
    }

    private func create(_ high: UInt8, _ low: UInt8, _ attributes: [UInt8]) throws(ModuleRefusal) {
        let status = try transmit(0x80, 0xE0, high, low, attributes).status
        guard status.rawValue != Self.fileExists else { return }
        try expectSuccess(status)
    }

    /// First the component, then what the card says of itself: a card that says "empty" is empty.
    private func empty(custodian: Custodian, serial: String) throws(ModuleRefusal) -> AdminCardInfo {
        let zeros = try primitive { () throws(PrimitiveError) in try SecretBytes(count: Self.componentLength) }
        try write(component: zeros)
        let info = AdminCardInfo(
            custodian: custodian, serial: serial, term: 0, componentCheckValue: nil, lmkCheckValue: nil)
        try write(info)
        return info
    }
}
