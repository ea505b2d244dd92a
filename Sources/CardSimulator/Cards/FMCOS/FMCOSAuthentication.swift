/// PIN commands and authentications of the user card.
extension FMCOSCard {
    /// VERIFY `00 20 00 id Lc PIN` → 63Cx on failure, 6983 when no try is left. The counter goes down before comparing.
    mutating func verifyPIN(_ command: Command) throws(Status) -> Answer {
        try command.require(p1: 0)
        guard (2...8).contains(command.data.count) else { throw .wrongLength }
        let place = try pinPlace(command.p2)
        try core.require(core.key(place).useRight)
        try present(command.data, to: place)
        return Answer()
    }

    /// `80 5E 01 id | old | FF | new` changes the PIN, `80 5E 00 id | new | MAC4` reloads it under key 38.
    mutating func changeOrReloadPIN(_ command: Command) throws(Status) -> Answer {
        switch command.p1 {
        case 0x01:
            guard (5...17).contains(command.data.count) else { throw .wrongLength }
            let place = try pinPlace(command.p2)
            let present = core.key(place).value.bytes
            // The separator FF may also be part of a padded PIN: cut where the present PIN ends.
            let matches = command.data.count > present.count && command.data[present.count] == 0xFF
            let old = matches ? Array(command.data.prefix(present.count)) : []
            let new = Array(command.data.dropFirst(present.count + 1))
            if matches { guard (2...8).contains(new.count) else { throw .wrongLength } }
            try self.present(old, to: place, raisingState: false)
            setPIN(place, new)
            return Answer()
        case 0x00:
            guard (6...12).contains(command.data.count) else { throw .wrongLength }
            let pin = try pinPlace(command.p2)
            guard let key = place(KeyType.pinReload, command.p2) ?? place(KeyType.pinReload, 0) else {
                throw .keyNotFound
            }
            try core.require(core.key(key).useRight)
            if core.key(key).isExhausted { throw .authenticationBlocked }
            let new = Array(command.data.dropLast(4))
            guard let cipher = PBOCKeys.pinReload(core.key(key).value.bytes) else { throw .wrongFileKind }
            guard sameBytes(cipher.mac(new), Array(command.data.suffix(4))) else {
                _ = core.countFailure(key)
                throw .protectionWrong
            }
            core.clearFailures(key)
            setPIN(pin, new)
            return Answer()
        default:
            throw .wrongParameters
        }
    }

    /// PIN UNBLOCK `84 24 PIN-id key-id | E(37, Ld|PIN) | MAC4`: the PIN in it becomes the card's, with a full counter.
    mutating func unblockPIN(_ command: Command) throws(Status) -> Answer {
        guard command.data.count == 0x0C || command.data.count == 0x14 else { throw .wrongLength }
        let pin = try pinPlace(command.p1)
        guard let key = place(KeyType.pinUnblock, command.p2) else { throw .keyNotFound }
        try core.require(core.key(key).useRight)
        let data = try core.openMAC(command, by: key, exhaustion: .keyBlocked)
        let new = try core.openCipher(data, by: key)
        guard (2...8).contains(new.count) else { throw .wrongData }
        setPIN(pin, new)
        return Answer()
    }

    /// EXTERNAL AUTHENTICATE `00 82 00 id 08 | E(39, challenge)`; four random bytes are filled with zeros.
    mutating func externalAuthenticate(_ command: Command) throws(Status) -> Answer {
        try command.require(p1: 0)
        try command.require(length: 8)
        guard let place = place(KeyType.external, command.p2) else { throw .keyNotFound }
        try core.authenticate(command.data, by: place)
        core.state = core.key(place).attribute & 15
        return Answer()
    }

    /// INTERNAL AUTHENTICATE `00 88 P1 id Lc data`: P1 00 enciphers (key 30), 01 deciphers (31), 02 gives a MAC (32).
    mutating func internalAuthenticate(_ command: Command) throws(Status) -> Answer {
        let type: UInt8
        switch command.p1 {
        case 0x00: type = KeyType.encrypt
        case 0x01: type = KeyType.decrypt
        case 0x02: type = KeyType.mac
        default: throw .wrongParameters
        }
        guard let place = place(type, command.p2) else { throw .keyNotFound }
        try core.require(core.key(place).useRight)
        let data = command.data
        guard !data.isEmpty, type == KeyType.mac || data.count.isMultiple(of: 8) else { throw .wrongLength }
        try command.expect(type == KeyType.mac ? 4 : data.count)
        let cipher = try core.cipher(place)
        switch type {
        case KeyType.encrypt: return Answer(data: cipher.encrypt(data))
        case KeyType.decrypt: return Answer(data: cipher.decrypt(data))
        default: return Answer(data: cipher.mac(data))
        }
    }

    private func pinPlace(_ id: UInt8) throws(Status) -> CardCore.KeyPlace {
        guard let place = place(KeyType.pin, id) else { throw .keyNotFound }
        return place
    }

    private mutating func present(
        _ pin: [UInt8], to place: CardCore.KeyPlace, raisingState: Bool = true
    ) throws(Status) {
        if core.key(place).isExhausted { throw .authenticationBlocked }
        let left = core.countFailure(place)
        guard sameBytes(pin, core.key(place).value.bytes) else { throw .triesLeft(left) }
        core.clearFailures(place)
        guard raisingState else { return }
        core.state = core.key(place).attribute & 15
        core.session.isPINVerified = true
    }

    private mutating func setPIN(_ place: CardCore.KeyPlace, _ pin: [UInt8]) {
        var key = core.key(place)
        key.value = Octets(pin)
        key.triesLeft = key.maximumTries
        core.setKey(place, key)
    }
}

extension CardCore {
    /// The challenge–response of EXTERNAL AUTHENTICATE with the key's right and error counter.
    mutating func authenticate(_ cryptogram: [UInt8], by place: KeyPlace) throws(Status) {
        try require(key(place).useRight)
        if key(place).isExhausted { throw .authenticationBlocked }
        let block = try challengeBlock()
        let left = countFailure(place)
        guard sameBytes(try cipher(place).encrypt(block), cryptogram) else { throw .triesLeft(left) }
        clearFailures(place)
    }

    /// APPLICATION BLOCK `84 1E 00 00|01 04 MAC` (01 = for ever), UNBLOCK `84 18`, CARD BLOCK `84 16` (key of the MF).
    mutating func blockCommand(_ command: Command) throws(Status) -> Answer {
        try command.require(p1: 0)
        try command.require(length: 4)
        switch command.ins {
        case 0x1E:
            guard command.p2 <= 1 else { throw .wrongParameters }
            _ = try openMAC(command, by: try lineKey(0), exhaustion: .applicationLocked)
            directory.block = command.p2 == 1 ? .permanent : .temporary
        case 0x18:
            try command.require(p2: 0)
            guard directory.block == .temporary else { throw .conditionsNotMet }
            _ = try openMAC(command, by: try lineKey(0), exhaustion: .applicationLocked)
            directory.block = .none
        default:
            try command.require(p2: 0)
            guard session.directory == 0 else { throw .conditionsNotMet }
            _ = try openMAC(command, by: try lineKey(0), exhaustion: .applicationLocked)
            memory.isBlocked = true
        }
        return Answer()
    }
}
