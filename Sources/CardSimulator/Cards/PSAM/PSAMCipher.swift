/// A derived key for `80 FA`, and how far a MAC over several commands has come.
struct TemporaryKey: Sendable {
    let cipher: CardCipher
    let makesMAC: Bool
    let enciphers: Bool
    var chain: UInt64?
}

extension PSAMCard {
    /// INIT FOR DESCRYPT `80 1A usage version 8n | factors`: derives the key `80 FA` works with. Levels are in the usage.
    mutating func deriveKey(_ command: Command) throws(Status) -> Answer {
        temporaryKey = nil
        guard command.data.count.isMultiple(of: 8) else { throw .wrongLength }
        try requireAuthorisation()
        let place = core.place(in: core.session.directory) { $0.kind == command.p1 && $0.id == command.p2 }
        guard let place else { throw .keyNotFound }
        let key = core.key(place)
        let type = key.kind & 0x1F
        guard (KeyType.pinUnblock...KeyType.load).contains(type) else { throw .conditionsNotMet }
        guard let cipher = CardCipher(try diversified(key, by: command.data[...])) else { throw .wrongFileKind }
        temporaryKey = TemporaryKey(
            cipher: cipher, makesMAC: type != KeyType.encrypt, enciphers: type != KeyType.mac && type != KeyType.load)
        return Answer()
    }

    /// CIPHER DATA `80 FA P1 00 Lc data`, whole blocks the caller has padded. P1: 00 encipher (last or only), 02 encipher
    /// (more follow), 05 MAC in one, 07 first, 03 middle, 01 last part; in 05 and 07 the first 8 bytes are the IV.
    /// A MAC comes as 4 bytes with the last part.
    mutating func cipherData(_ command: Command) throws(Status) -> Answer {
        try command.require(p2: 0)
        guard !command.data.isEmpty, command.data.count.isMultiple(of: 8) else { throw .wrongLength }
        guard var key = temporaryKey else { throw .conditionsNotMet }
        switch command.p1 {
        case 0x00, 0x02:
            guard key.enciphers else { throw .wrongFileKind }
            try command.expect(command.data.count)
            key.chain = nil
            temporaryKey = key
            return Answer(data: key.cipher.encrypt(command.data))
        case 0x01, 0x03, 0x05, 0x07:
            guard key.makesMAC else { throw .wrongFileKind }
            return try continueMAC(command, &key)
        default:
            throw .wrongParameters
        }
    }

    private mutating func continueMAC(_ command: Command, _ key: inout TemporaryKey) throws(Status) -> Answer {
        let isFirst = command.p1 & 0x04 != 0
        let isLast = command.p1 & 0x02 == 0
        guard !isFirst || command.data.count > 8 else { throw .wrongLength }
        if isLast { try command.expect(4) }
        guard var value = isFirst ? command.data.block(at: 0) : key.chain else { throw .notExpectedNow }
        for offset in stride(from: isFirst ? 8 : 0, to: command.data.count, by: 8) {
            value = key.cipher.chain(value, command.data.block(at: offset))
        }
        key.chain = isLast ? nil : value
        temporaryKey = key
        return isLast ? Answer(data: Array(key.cipher.finish(value).bytes.prefix(4))) : Answer()
    }
}
