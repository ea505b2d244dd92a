import HSMBridge

/// One conversation with an admin card (管理员卡): an FMCOS 2.0 card with a folder of ours.
///
/// DF `DF10` "KMSD.ADMIN" holds EF 0001 (16 bytes, free to read: custodian 1 | LMK term 1 | serial 8 | check value of the component 3 |
/// of the LMK 3) and EF 0002 (32 bytes, after the PIN: the component). The card itself counts wrong PINs. APDUs: FMCOS 2.0 manuals,
/// facts/domain.md 2.6 and 1.7.
struct AdminCard {
    static let folder: [UInt8] = [0xDF, 0x10]
    static let componentLength = 32
    private static let infoLength = 16
    /// READ and UPDATE BINARY name a file by its short identifier in P1.
    private static let infoFile: UInt8 = 0x81
    private static let componentFile: UInt8 = 0x82

    /// What can be asked of EF 0001.
    enum Found {
        /// Not an admin card: no folder of ours.
        case nothing
        /// The folder is there and its information file is not: a format that was broken off.
        case unfinished
        case card(AdminCardInfo)
    }

    let channel: any CardChannel

    // MARK: Public part

    func find() throws(ModuleRefusal) -> Found {
        guard try select() else { return .nothing }
        let answer = try transmit(0x00, 0xB0, Self.infoFile, 0x00, expectedLength: Self.infoLength)
        switch answer.status.rawValue {
        case 0x9000: break
        case 0x6A82, 0x6A83, 0x6985: return .unfinished
        default: throw ModuleRefusal(.cardNotAdmin)
        }
        if let info = Self.info(answer.data) { return .card(info) }
        // A new file as the card fills it: created, and never written.
        guard answer.data.allSatisfy({ $0 == answer.data.first }) else { throw ModuleRefusal(.cardNotAdmin) }
        return .unfinished
    }

    /// The information of a card that must be an admin card.
    func information() throws(ModuleRefusal) -> AdminCardInfo {
        guard case .card(let info) = try find() else { throw ModuleRefusal(.cardNotAdmin) }
        return info
    }

    func select() throws(ModuleRefusal) -> Bool {
        try transmit(0x00, 0xA4, 0x00, 0x00, Self.folder).isSuccess
    }

    // MARK: Under the PIN

    /// VERIFY. A wrong PIN costs a try, which the card counts: `pinIncorrect` carries the tries left.
    func verify(_ pin: borrowing SecretBytes) throws(ModuleRefusal) {
        let status = try exchange(header: [0x00, 0x20, 0x00, 0x00], secret: pin).status
        switch status.rawValue {
        case 0x9000: return
        case 0x63C0, 0x6983: throw ModuleRefusal(.pinBlocked)
        default:
            guard let tries = status.triesLeft else { throw ModuleRefusal(.cardFault) }
            throw ModuleRefusal(.pinIncorrect, detail: UInt16(tries))
        }
    }

    /// Writes the information file.
    func write(_ info: AdminCardInfo) throws(ModuleRefusal) {
        guard let serial = Hex.decode(info.serial), serial.count == 8 else { throw ModuleRefusal(.internalFault) }
        let bytes =
            [info.custodian.rawValue, info.term] + serial + (info.componentCheckValue?.bytes ?? [0, 0, 0])
            + (info.lmkCheckValue?.bytes ?? [0, 0, 0])
        try expectSuccess(try transmit(0x00, 0xD6, Self.infoFile, 0x00, bytes).status)
    }

    /// Writes the component and reads it back: a card that forgot it would make the LMK unrecoverable.
    func write(component: borrowing SecretBytes) throws(ModuleRefusal) {
        try expectSuccess(try exchange(header: [0x00, 0xD6, Self.componentFile, 0x00], secret: component).status)
        guard try readComponent().isEqual(to: component) else { throw ModuleRefusal(.cardFault) }
    }

    func readComponent() throws(ModuleRefusal) -> SecretBytes {
        let answer = try exchange(header: [0x00, 0xB0, Self.componentFile, 0x00], answerLength: Self.componentLength)
        try expectSuccess(answer.status)
        guard answer.count == Self.componentLength else { throw ModuleRefusal(.cardFault) }
        return try primitive { () throws(PrimitiveError) in try answer.memory.extracting(0..<Self.componentLength) }
    }

    /// EF 0001 as read; nil where it is not ours.
    static func info(_ bytes: [UInt8]) -> AdminCardInfo? {
        guard bytes.count == infoLength, let custodian = Custodian(rawValue: bytes[0]) else { return nil }
        let term = bytes[1]
        func checkValue(_ at: Int) -> KeyCheckValue? {
            term == 0 ? nil : KeyCheckValue(bytes[at], bytes[at + 1], bytes[at + 2])
        }
        return AdminCardInfo(
            custodian: custodian, serial: Hex.encode(bytes[2..<10]), term: term, componentCheckValue: checkValue(10),
            lmkCheckValue: checkValue(13))
    }
}

// MARK: The line

extension AdminCard {
    /// A command without secrets.
    func transmit(
        _ cla: UInt8, _ ins: UInt8, _ p1: UInt8, _ p2: UInt8, _ data: [UInt8] = [], expectedLength: Int? = nil
    ) throws(ModuleRefusal) -> ResponseAPDU {
        do throws(CardError) {
            return try channel.transmit(
                CommandAPDU(cla: cla, ins: ins, p1: p1, p2: p2, data: data, expectedLength: expectedLength))
        } catch {
            throw Self.refusal(error)
        }
    }

    /// A card's answer that may be a secret.
    struct Answer: ~Copyable {
        let memory: SecretBytes
        /// Bytes of data, without the status word.
        let count: Int
        let status: StatusWord
    }

    /// A command whose data is `prefix` | `secret`; the APDU exists in secret memory only.
    func exchange(
        header: [UInt8], prefix: [UInt8] = [], secret: borrowing SecretBytes
    ) throws(ModuleRefusal) -> Answer {
        let command = try primitive { () throws(PrimitiveError) in
            var command = try SecretBytes(count: header.count + 1 + prefix.count + secret.count)
            let clear = header + [UInt8(prefix.count + secret.count)] + prefix
            SecretCopy.store(clear, in: &command)
            SecretCopy.copy(secret, into: &command, at: clear.count)
            return command
        }
        return try exchange(command)
    }

    /// A command whose answer is a secret.
    func exchange(header: [UInt8], answerLength: Int) throws(ModuleRefusal) -> Answer {
        let command = try primitive { () throws(PrimitiveError) in
            var command = try SecretBytes(count: header.count + 1)
            SecretCopy.store(header + [UInt8(truncatingIfNeeded: answerLength)], in: &command)
            return command
        }
        return try exchange(command)
    }

    private func exchange(_ command: borrowing SecretBytes) throws(ModuleRefusal) -> Answer {
        var memory = try primitive { () throws(PrimitiveError) in try SecretBytes(count: 264) }
        let total: Int
        do throws(CardError) {
            total = try memory.withMutableBytes { span throws(CardError) in
                // A span over the same locked memory, unsafe only because it takes any bytes.
                var answer = unsafe span.mutableBytes
                return try command.withBytes { bytes throws(CardError) in
                    unsafe try channel.exchangeSecret(bytes.bytes, answer: &answer)
                }
            }
        } catch {
            throw Self.refusal(error)
        }
        guard total >= 2, total <= memory.count else { throw ModuleRefusal(.cardFault) }
        let high = SecretCopy.byte(memory, total - 2)
        let low = SecretCopy.byte(memory, total - 1)
        return Answer(memory: memory, count: total - 2, status: StatusWord(rawValue: UInt16(high) << 8 | UInt16(low)))
    }

    func expectSuccess(_ status: StatusWord) throws(ModuleRefusal) {
        guard status.isSuccess else { throw ModuleRefusal(.cardFault, detail: status.rawValue) }
    }

    static func refusal(_ error: CardError) -> ModuleRefusal {
        switch error {
        case .readerUnknown: ModuleRefusal(.readerUnknown)
        case .readerBusy: ModuleRefusal(.busy)
        case .noCard: ModuleRefusal(.cardAbsent)
        case .cardGone, .timedOut, .serviceUnavailable, .malformedCommand, .malformedAnswer, .tooManyMuteReaders,
            .refused:
            ModuleRefusal(.cardFault)
        }
    }
}

/// Runs something of the lower half and answers its refusals in the module's words.
func primitive<R: ~Copyable>(_ body: () throws(PrimitiveError) -> R) throws(ModuleRefusal) -> R {
    do throws(PrimitiveError) { return try body() } catch { throw ModuleRefusal(error.moduleError) }
}
