/// Line protection (线路保护, secure messaging) of commands: domain.md §2.5.
extension CardCore {
    /// What happens to the card when the last try of a protecting key is used up.
    enum Exhaustion: Sendable {
        /// The key is dead: 6983 from now on.
        case keyBlocked
        /// The application is locked for ever: 9303 (line-protection key 36).
        case applicationLocked
    }

    /// Checks the four MAC bytes at the end of the command and gives what stands before them.
    /// The MAC covers `CLA INS P1 P2 Lc | data`, IV = the challenge given by the command before.
    mutating func openMAC(
        _ command: Command, by place: KeyPlace, exhaustion: Exhaustion, failure: Status = .protectionWrong
    ) throws(Status) -> [UInt8] {
        if key(place).isExhausted {
            throw exhaustion == .applicationLocked ? .permanentlyLocked : .authenticationBlocked
        }
        guard command.data.count >= 4 else { throw .protectionMissing }
        let iv = try challengeBlock()
        let body = Array(command.data.dropLast(4))
        let expected = try cipher(place).mac(command.header + body, iv: iv)
        guard sameBytes(expected, Array(command.data.suffix(4))) else {
            let left = countFailure(place)
            guard left == 0 else { throw failure }
            if exhaustion == .applicationLocked {
                memory.directories[place.directory].block = .permanent
                throw .permanentlyLocked
            }
            throw failure
        }
        clearFailures(place)
        return body
    }

    /// Deciphers `Ld | data | 80 00…`; the padding is there only when `Ld | data` does not fill its last block.
    func openCipher(_ enciphered: [UInt8], by place: KeyPlace) throws(Status) -> [UInt8] {
        guard !enciphered.isEmpty, enciphered.count.isMultiple(of: 8) else { throw .wrongLength }
        let plain = try cipher(place).decrypt(enciphered)
        let length = Int(plain[0])
        let padding = plain.dropFirst(1 + length)
        guard length > 0, 1 + length <= plain.count, padding.count < 8 else { throw .wrongData }
        guard padding.isEmpty || (padding.first == 0x80 && padding.dropFirst().allSatisfy { $0 == 0 }) else {
            throw .wrongData
        }
        return Array(plain[1..<1 + length])
    }

    /// `Ld | data`, padded only when it does not fill its last block, enciphered.
    func sealCipher(_ data: [UInt8], by place: KeyPlace) throws(Status) -> [UInt8] {
        var plain = [UInt8(truncatingIfNeeded: data.count)] + data
        if !plain.count.isMultiple(of: 8) {
            plain += [0x80]
            plain += [UInt8](repeating: 0, count: (8 - plain.count % 8) % 8)
        }
        return try cipher(place).encrypt(plain)
    }

    /// The key that protects files of the current directory: FMCOS type 36 with that id, PSAM maintenance key (usage 01).
    func lineKey(_ id: UInt8) throws(Status) -> KeyPlace {
        let dialect = dialect
        let found = place(in: session.directory) { key in
            switch dialect {
            case .fmcos: key.kind & 0x3F == 0x36 && key.id == id
            case .psam: key.kind & 0x1F == 0x01
            }
        }
        guard let found else { throw .keyNotFound }
        return found
    }

    /// The data of an UPDATE or APPEND after its line protection, if the file or the command has one.
    mutating func openWrite(_ command: Command, to file: ElementaryFile) throws(Status) -> [UInt8] {
        let needsProtection = file.needsMAC || file.needsEncryption
        guard command.isProtected else {
            if needsProtection { throw .protectionMissing }
            return command.data
        }
        if !needsProtection && refusesNeedlessProtection { throw .protectionNotAllowed }
        let place = try lineKey(file.writeKey)
        var data = command.data
        if file.needsMAC || !needsProtection {
            data = try openMAC(command, by: place, exhaustion: .applicationLocked)
        }
        return file.needsEncryption ? try openCipher(data, by: place) : data
    }

    /// Checks a line-protected read and gives a function for its answer: enciphered if the file says so, then `data | MAC4`
    /// with the same IV. A plain read of a file that may be read plainly is left as it is.
    mutating func openRead(
        _ command: Command, of file: ElementaryFile
    ) throws(Status) -> (CardCore, [UInt8]) throws(Status) -> [UInt8] {
        guard command.isProtected else {
            if file.readNeedsProtection { throw .protectionMissing }
            guard command.data.isEmpty else { throw .wrongLength }
            return { (_, data) throws(Status) in data }
        }
        if !file.readNeedsProtection && refusesNeedlessProtection { throw .protectionNotAllowed }
        let place = try lineKey(file.readKey)
        guard try openMAC(command, by: place, exhaustion: .applicationLocked).isEmpty else { throw .wrongLength }
        let iv = try challengeBlock()
        return { (core, data) throws(Status) in
            let body = file.needsEncryption ? try core.sealCipher(data, by: place) : data
            return body + (try core.cipher(place).mac(body, iv: iv))
        }
    }
}
