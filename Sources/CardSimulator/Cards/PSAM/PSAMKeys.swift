/// Keys of the PSAM: the encrypted load and the authentications.
extension PSAMCard {
    /// Wrong tries a master or maintenance key stands; MAC2 failures a purchase key stands (domain.md §12.4).
    static let masterTries: UInt8 = 3
    static let purchaseTries: UInt8 = 15

    /// Key types: the low five bits of the usage byte; the high three are the levels of diversification (domain.md §2.3).
    enum KeyType {
        static let master: UInt8 = 0x00
        static let maintenance: UInt8 = 0x01
        static let purchase: UInt8 = 0x02
        static let pinUnblock: UInt8 = 0x03
        static let userMaintenance: UInt8 = 0x05
        static let mac: UInt8 = 0x06
        static let encrypt: UInt8 = 0x07
        static let macAndEncrypt: UInt8 = 0x08
        static let load: UInt8 = 0x09
        static let external: UInt8 = 0x0E
        static let `internal`: UInt8 = 0x0F
    }

    /// Key load `84 D4 00 00 1C | cipher24 | MAC4` (domain.md §2.4).
    ///
    /// Controlling key: the card master key for every key of the MF and for an application master key (also when that is
    /// replaced); the application master key for the other keys of an application. The same usage and version again
    /// replaces the key. Wrong MACs count on the controlling key like wrong authentications.
    mutating func loadKey(_ command: Command) throws(Status) -> Answer {
        guard command.isProtected else { throw .protectionMissing }
        try command.require(p1: 0, p2: 0)
        try command.require(length: 0x1C)
        guard let file = core.directory.keyFile else { throw .fileNotFound }
        // The usage is inside the cryptogram, and it decides which key opens it: try the controlling key the MAC fits.
        let place = try controllingKey(command)
        let cryptogram = try core.openMAC(command, by: place, exhaustion: .keyBlocked)
        let plain = try core.cipher(place).decrypt(cryptogram)
        guard plain[0] == 0x13, Array(plain[20...]) == [0x80, 0, 0, 0] else { throw .wrongData }
        let (usage, version, algorithm) = (plain[1], plain[2], plain[3])
        guard algorithm <= 1 else { throw .wrongData }
        let isApplicationKey = core.session.directory > 0
        let underCardMaster = place.directory == 0
        guard !isApplicationKey || underCardMaster == (usage == KeyType.master) else { throw .securityNotSatisfied }

        let tries = usage & 0x1F == KeyType.purchase ? PSAMCard.purchaseTries : PSAMCard.masterTries
        let key = CardKey(
            kind: usage, id: version, attribute: version, algorithm: algorithm, maximumTries: tries, triesLeft: tries,
            value: Octets(Array(plain[4..<20])))
        // There is one master key in a directory: the new one takes the place of the old, whatever its version.
        let present = core.place(in: core.session.directory) {
            $0.kind == usage && ($0.id == version || usage == KeyType.master)
        }
        if let present {
            core.setKey(present, key)
        } else {
            guard file.used + 24 <= file.size else { throw .noSpace }
            core.directory.keyFile?.keys.append(key)
        }
        return Answer()
    }

    /// Two keys may control a load into an application. The MAC tells which; when it fits neither, the failure counts on
    /// the application's master key if there is one, else on the card's.
    private func controllingKey(_ command: Command) throws(Status) -> CardCore.KeyPlace {
        guard let card = masterKey(in: 0) else { throw .keyNotFound }
        guard core.session.directory > 0, let application = masterKey(in: core.session.directory) else { return card }
        let iv = try core.challengeBlock()
        let body = command.header + command.data.dropLast(4)
        let fitsCard = sameBytes(try core.cipher(card).mac(body, iv: iv), Array(command.data.suffix(4)))
        let fitsApplication = sameBytes(try core.cipher(application).mac(body, iv: iv), Array(command.data.suffix(4)))
        guard fitsCard else { return application }
        guard fitsApplication else { return card }
        // Card and application master are equal: the usage inside decides.
        let plain = try core.cipher(card).decrypt(Array(command.data.dropLast(4)))
        return plain[1] == KeyType.master ? card : application
    }

    func masterKey(in directory: Int) -> CardCore.KeyPlace? {
        core.place(in: directory) { $0.kind == KeyType.master }
    }

    /// EXTERNAL AUTHENTICATE `00 82 00 id 08 | E(key, challenge)`: id 00 = master key of the current directory → state F;
    /// any other id = the external-authentication key (type 0E) with that version → state E.
    mutating func externalAuthenticate(_ command: Command) throws(Status) -> Answer {
        try command.require(p1: 0)
        try command.require(length: 8)
        let master = command.p2 == 0
        let place =
            master
            ? masterKey(in: core.session.directory)
            : core.place(in: core.session.directory) { $0.kind & 0x1F == KeyType.external && $0.id == command.p2 }
        guard let place else { throw .keyNotFound }
        try core.authenticate(command.data, by: place)
        core.state = master ? 0x0F : 0x0E
        return Answer()
    }

    /// INTERNAL AUTHENTICATE `00 88 00 version Lc data` under a key of type 0F → cipher of whole blocks.
    func internalAuthenticate(_ command: Command) throws(Status) -> Answer {
        try command.require(p1: 0)
        let place = core.place(in: core.session.directory) {
            $0.kind & 0x1F == KeyType.internal && $0.id == command.p2
        }
        guard let place else { throw .keyNotFound }
        guard !command.data.isEmpty, command.data.count.isMultiple(of: 8) else { throw .wrongLength }
        try command.expect(command.data.count)
        return Answer(data: try core.cipher(place).encrypt(command.data))
    }

    /// Follows the levels of diversification of a key: one 8-byte factor for each.
    func diversified(_ key: CardKey, by factors: ArraySlice<UInt8>) throws(Status) -> [UInt8] {
        let levels = Int(key.kind >> 5)
        guard factors.count == 8 * levels else { throw .wrongLength }
        var list = stride(from: factors.startIndex, to: factors.endIndex, by: 8).map { Array(factors[$0..<$0 + 8]) }
        if options.factorOrder == .lastFirst { list.reverse() }
        var value = key.value.bytes
        for factor in list {
            guard let next = PBOCKeys.diversify(value, by: factor) else { throw .wrongFileKind }
            value = next
        }
        return value
    }

    func requireAuthorisation() throws(Status) {
        if options.needsAuthorisation, core.state < 0x0E { throw .securityNotSatisfied }
    }
}
