/// WRITE KEY, with what the two manuals allow put together: adding and updating may each be plain, plain + MAC or
/// enciphered + MAC; a key whose type byte has 40 or C0 set asks for MAC, or for both, when it is updated.
extension FMCOSCard {
    /// Key types in a key file, without the protection bits.
    enum KeyType {
        static let encrypt: UInt8 = 0x30
        static let decrypt: UInt8 = 0x31
        static let mac: UInt8 = 0x32
        static let tac: UInt8 = 0x34
        static let line: UInt8 = 0x36
        static let pinUnblock: UInt8 = 0x37
        static let pinReload: UInt8 = 0x38
        static let external: UInt8 = 0x39
        static let pin: UInt8 = 0x3A
        static let overdraft: UInt8 = 0x3C
        static let unload: UInt8 = 0x3D
        static let purchase: UInt8 = 0x3E
        static let load: UInt8 = 0x3F
    }

    /// `80|84 D4 P1 P2 Lc …`: P1 = 01 add, else the type of the key to update; P2 = key id.
    mutating func writeKey(_ command: Command) throws(Status) -> Answer {
        guard let file = core.directory.keyFile else { throw .fileNotFound }
        guard command.p2 != 0xFF, !command.data.isEmpty else { throw .wrongParameters }
        if command.p1 == 0x01 {
            try core.require(file.addRight)
            let key = try parseKey(try openKeyData(command, needs: 0), id: command.p2)
            guard place(key.kind, key.id) == nil else { throw .wrongParameters }
            guard file.used + key.value.bytes.count + 8 <= file.size else { throw .noSpace }
            core.directory.keyFile?.keys.append(key)
            return Answer()
        }
        guard let place = place(command.p1, command.p2) else { throw .keyNotFound }
        let present = core.key(place)
        try core.require(present.changeRight)
        let key = try parseKey(try openKeyData(command, needs: present.kind & 0xC0), id: command.p2)
        guard key.kind & 0x3F == present.kind & 0x3F else { throw .wrongData }
        let growth = key.value.bytes.count - present.value.bytes.count
        guard file.used + growth <= file.size else { throw .noSpace }
        core.setKey(place, key)
        return Answer()
    }

    /// The key of the current directory with that type (protection bits do not matter) and id.
    func place(_ type: UInt8, _ id: UInt8) -> CardCore.KeyPlace? {
        core.place(in: core.session.directory) { $0.kind & 0x3F == type & 0x3F && $0.id == id }
    }

    /// - Parameter needs: protection bits of the key to be changed: 40 = MAC, C0 = enciphered + MAC.
    private mutating func openKeyData(_ command: Command, needs: UInt8) throws(Status) -> [UInt8] {
        guard command.isProtected else {
            if needs != 0 { throw .protectionMissing }
            return command.data
        }
        var protecting = place(KeyType.external, 0)
        if protecting == nil, options.masterFileKeyProtectsFirstKey {
            protecting = core.place(in: 0) { $0.kind & 0x3F == KeyType.external && $0.id == 0 }
        }
        guard let protecting else { throw .keyNotFound }
        let data = try core.openMAC(
            command, by: protecting, exhaustion: .keyBlocked,
            failure: options.writeKeyAnswersMACWrong ? .macWrong : .protectionWrong)
        let isEnciphered = data.count.isMultiple(of: 8)
        if needs & 0x80 != 0, !isEnciphered { throw .protectionMissing }
        return isEnciphered ? try core.openCipher(data, by: protecting) : data
    }

    private func parseKey(_ data: [UInt8], id: UInt8) throws(Status) -> CardKey {
        guard data.count > 5 else { throw .wrongLength }
        let value = Array(data[5...])
        let type = data[0] & 0x3F
        guard data[0] & 0xC0 != 0x80 else { throw .wrongData }
        let kind = type | data[0] & 0xC0
        var key = CardKey(
            kind: kind, id: id, useRight: data[1], changeRight: data[2], attribute: data[3], value: Octets(value))
        switch type {
        case 0x30, 0x31, 0x32, 0x34, 0x35, 0x3C, 0x3D, 0x3E, 0x3F:
            key.algorithm = data[4]
            guard value.count == 8 || value.count == 16 else { throw .wrongLength }
        case 0x36, 0x37, 0x38, 0x39:
            guard value.count == 8 || value.count == 16 else { throw .wrongLength }
            (key.maximumTries, key.triesLeft) = (data[4] >> 4, data[4] & 15)
        case 0x3A:
            guard (2...8).contains(value.count) else { throw .wrongLength }
            (key.maximumTries, key.triesLeft) = (data[4] >> 4, data[4] & 15)
        default:
            throw .wrongData
        }
        return key
    }
}
