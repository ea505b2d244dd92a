internal import HSMBridge
internal import KMS

// What each kind of step sends.
extension CardSession {
    mutating func perform(_ step: ImageStep) throws(SessionStop) { _ = try perform(step, accepting: [.success]) }

    /// Returns the status word, one of `accepting`.
    @discardableResult
    mutating func perform(_ step: ImageStep, accepting: Set<StatusWord>) throws(SessionStop) -> StatusWord {
        switch step.action {
        case .command(let command, let expected):
            let response = try line.send(command, accepting: accepting)
            if let expected, response.status.isSuccess, response.data != expected {
                throw .answer("the card's answer is not what was written")
            }
            return response.status
        case .protected(let header, let data, let key, let encipher):
            let command = ProtectCommand(
                key: key.derived, commandHeader: header, data: data, encipher: encipher, challenge: try challenge(),
                cipher: image.cipher)
            return try line.send(CommandAPDU(header, data: try ask(command).data), accepting: accepting).status
        case .loadKey(let header, let keyHeader, let key, let under):
            return try load(key, header: header, keyHeader: keyHeader, under: under, accepting: accepting)
        case .authenticate(let header, let key): return try authenticate(header, key, accepting: accepting)
        case .setPIN(let before, let field):
            let pin = try pin(field)
            let body = UInt8(before.count - 4 + pin.count)
            return try line.send(
                Array(before.prefix(4)) + [body] + before.dropFirst(4), secret: pin, accepting: accepting)
        case .verifyPIN(let header, let field):
            let pin = try pin(field)
            return try line.send(header.octets + [UInt8(pin.count)], secret: pin, accepting: accepting)
        case .tryLoad(let purse, let index, let key): try tryLoad(purse, index, key)
        case .tryPurchase(let purse, let index, let version, let algorithm):
            try tryPurchase(purse, index, version: version, algorithm: algorithm)
        case .tryPurchaseSAM: try tryPurchaseSAM(step)
        }
        return .success
    }

    // MARK: The module

    /// Asks the module; the question itself changes nothing anywhere.
    private func ask<Command: ModuleCommand & SendableMetatype>(_ command: sending Command) throws(SessionStop)
        -> Command.Reply
    where Command.Reply: Sendable {
        let module = personaliser.module
        do { return try waitOnCardThread { try await module.execute(command) } } catch {
            throw .module((error as? ModuleRefusal)?.error ?? .internalFault)
        }
    }

    /// The card's challenge for secure messaging, of the length that its manual wants there.
    private func challenge() throws(SessionStop) -> [UInt8] { try challenge(image.challengeLength) }

    private func challenge(_ length: Int) throws(SessionStop) -> [UInt8] {
        let answer = try line.send(
            CommandAPDU(cla: 0x00, ins: 0x84, p1: 0, p2: 0, expectedLength: length), accepting: [.success])
        guard answer.data.count == length else {
            throw .answer("the challenge has \(answer.data.count) bytes instead of \(length)")
        }
        return answer.data
    }

    private func pin(_ field: String) throws(SessionStop) -> TransportPIN {
        guard let pin = personaliser.data.pins[field] else { throw .answer("data field \(field) is needed again") }
        return pin
    }

    private mutating func load(
        _ key: CardKey, header: UInt32, keyHeader: [UInt8], under: CardKey, accepting: Set<StatusWord>
    ) throws(SessionStop) -> StatusWord {
        let command = ProtectKeyLoad(
            controllingKey: under.derived, key: key.derived, commandHeader: header, keyHeader: keyHeader,
            challenge: try challenge(), cipher: image.cipher)
        let protected = try ask(command)
        let status = try line.send(CommandAPDU(header, data: protected.data), accepting: accepting).status
        pending.checkValues[key.name] = protected.checkValue
        return status
    }

    /// With the short challenge that every card gives, whatever its secure messaging takes: the module answers no longer one
    /// under a control key.
    private func authenticate(_ header: UInt32, _ key: CardKey, accepting: Set<StatusWord>) throws(SessionStop)
        -> StatusWord
    {
        let answer = try ask(CardCryptogram(key: key.derived, challenge: try challenge(4)))
        return try line.send(CommandAPDU(header, data: answer.bytes), accepting: accepting).status
    }

    // MARK: After an interruption

    /// Finds out whether the step was carried out, and carries it out if not. Never a key load into an unknown state.
    mutating func recover(_ step: ImageStep) throws(SessionStop) {
        switch step.recovery {
        case .repeat: try perform(step)
        case .repeatAccepting(let status): try perform(step, accepting: [.success, status])
        case .probeSelect(let look):
            do throws(SessionStop) { _ = try line.send(look, accepting: [.success]) } catch {
                guard case .status = error else { throw error }
                try perform(step)
            }
        case .scrap: throw .lost("nobody can tell whether the card has carried this step out")
        case .probe(let header, let new, let old):
            line.step = "\(stepName): which key is there?"
            if try isProved(header, new) {
                // The load went through and only its answer was lost: the ledger gets its check value all the same.
                pending.checkValues[new.name] = try ask(DerivedCheckValue(key: new.derived))
                return
            }
            guard try isProved(header, old) else { throw .lost("the card has neither the old nor the new key") }
            line.step = stepName
            try perform(step)
        }
    }

    /// A refusal costs the card's key a try; the proof of the other key gives it back.
    private func isProved(_ header: UInt32, _ key: CardKey) throws(SessionStop) -> Bool {
        do throws(SessionStop) {
            _ = try authenticate(header, key, accepting: [.success])
            return true
        } catch {
            if case .status = error { return false }
            throw error
        }
    }

    // MARK: Trials: nothing is loaded, nothing is taken

    private var trialTerminal: [UInt8] { [UInt8](repeating: 0, count: 6) }
    /// 1 January 2000, midnight: no transaction of a trial can be taken for a real one.
    private var trialTime: [UInt8] { [0x20, 0x00, 0x01, 0x01, 0x00, 0x00, 0x00] }

    private func tryLoad(_ purse: UInt8, _ index: UInt8, _ key: CardKey) throws(SessionStop) {
        let open = CommandAPDU(
            cla: 0x80, ins: 0x50, p1: 0x00, p2: purse, data: [index, 0, 0, 0, 0] + trialTerminal, expectedLength: 16)
        let answer = try line.send(open, accepting: [.success]).data
        guard answer.count == 16, let terminal = TerminalNumber(trialTerminal.number) else {
            throw .answer("a load opens with 16 bytes")
        }
        let question = AuthorisePurseLoad(
            key: key.derived, random: UInt32(answer[8..<12].number), onlineSequence: UInt16(answer[4..<6].number),
            oldBalance: UInt32(answer[0..<4].number), amount: 0, type: purse, terminal: terminal,
            mac1: UInt32(answer[12..<16].number), time: TransactionTime(date: 0x2000_0101, time: 0))
        // The MAC2 that comes with it would load 0.00; it is dropped here.
        guard case .authorised = try ask(question) else {
            throw .answer("MAC1 of the card is wrong: the load key is not the module's")
        }
    }

    private func tryPurchase(_ purse: UInt8, _ index: UInt8, version: UInt8, algorithm: UInt8) throws(SessionStop) {
        let open = CommandAPDU(
            cla: 0x80, ins: 0x50, p1: 0x01, p2: purse, data: [index, 0, 0, 0, 0] + trialTerminal, expectedLength: 15)
        let answer = try line.send(open, accepting: [.success]).data
        guard answer.count == 15, answer[9] == version, answer[10] == algorithm else {
            throw .answer("the card names another version or algorithm of its purchase key")
        }
    }

    private func tryPurchaseSAM(_ step: ImageStep) throws(SessionStop) {
        guard
            case .tryPurchaseSAM(let version, let algorithm, let key, let levels, let number, let order) = step.action,
            let terminal = TerminalNumber(number)
        else { return }
        // Factors of a card that does not exist, different at each level so that their order shows.
        let factors = (1...levels).map { 0xFFFF_FFFF_FFFF_0000 | UInt64($0) }
        let session = PurchaseSession(random: 0x5452_5941, offlineSequence: 0, terminalTransaction: 0)
        let data =
            session.random.octets + [0, 0] + [0, 0, 0, 0, 0x06] + trialTime + [version, algorithm]
            + factors.flatMap(\.octets)
        let open = CommandAPDU(cla: 0x80, ins: 0x70, p1: 0, p2: 0, data: data, expectedLength: 8)
        let answer = try line.send(open, accepting: [.success]).data
        guard answer.count == 8 else { throw .answer("80 70 answers eight bytes") }
        let question = PurchaseMAC1(
            key: DerivedKey(key.derived.key, factors: order == .asListed ? factors : factors.reversed()),
            session: PurchaseSession(
                random: session.random, offlineSequence: 0, terminalTransaction: UInt32(answer[0..<4].number)),
            amount: 0, type: 0x06, terminal: terminal, time: TransactionTime(date: 0x2000_0101, time: 0))
        guard try ask(question).bytes == Array(answer[4..<8]) else {
            throw .answer(
                "MAC1 of the PSAM is wrong: its purchase key is not the module's, or the order of factors differs")
        }
    }
}

extension CommandAPDU {
    init(_ header: UInt32, data: [UInt8]) { self.init(header.octets, data: data) }
}

extension FixedWidthInteger {
    /// Big-endian.
    var octets: [UInt8] {
        (0..<Self.bitWidth / 8).map { UInt8(truncatingIfNeeded: self >> Self(Self.bitWidth - 8 - 8 * $0)) }
    }
}

extension Sequence<UInt8> {
    /// Big-endian, the last eight bytes.
    var number: UInt64 { reduce(0) { $0 << 8 | UInt64($1) } }
}
