import HSMBridge

/// Fields of an e-purse message one after another, big-endian (JR/T 0025.2; facts/domain.md 1.2).
private struct PurseMessage {
    private(set) var bytes: [UInt8] = []

    init() { bytes.reserveCapacity(32) }

    mutating func add(_ value: UInt64, bytes count: Int) {
        for index in 0..<count { bytes.append(UInt8(truncatingIfNeeded: value >> UInt64(8 * (count - 1 - index)))) }
    }

    mutating func add(_ value: UInt32) { add(UInt64(value), bytes: 4) }
    mutating func add(_ value: UInt8) { bytes.append(value) }
    mutating func add(_ value: TerminalNumber) { add(value.value, bytes: 6) }
    mutating func add(_ value: TransactionTime) {
        add(value.date)
        add(UInt64(value.time), bytes: 3)
    }
}

extension MACValue {
    /// A four-byte MAC as a number, big-endian.
    fileprivate var number: UInt32 { bytes.reduce(0) { $0 << 8 | UInt32($1) } }

    func matches(_ number: UInt32) -> Bool { matches(BigEndian.bytes(number)) }
}

extension PurchaseSession {
    /// random4 | offlineSequence2 | right two bytes of the terminal transaction number.
    fileprivate var block: UInt64 {
        UInt64(random) << 32 | UInt64(offlineSequence) << 16 | UInt64(terminalTransaction & 0xFFFF)
    }
}

extension AuthorisePurseLoad: ExecutableCommand {
    func execute(in execution: inout Execution) throws(ModuleRefusal) -> LoadAuthorisation {
        let schedule = try execution.key(key.key).schedule(for: .authoriseLoad, factors: key.factors.count)
        guard type == 0x01 || type == 0x02 else { throw ModuleRefusal(.parameterInvalid) }
        return try authorisation(under: schedule)
    }

    /// Checks MAC1 and makes MAC2: one shape for load and unload.
    fileprivate func authorisation(under schedule: OpenKeySchedule) throws(ModuleRefusal) -> LoadAuthorisation {
        let session = onlineSession(random, onlineSequence)
        var card = PurseMessage()
        card.add(oldBalance)
        card.add(amount)
        card.add(type)
        card.add(terminal)
        var host = PurseMessage()
        host.add(amount)
        host.add(type)
        host.add(terminal)
        host.add(time)
        let asked = card.bytes
        let answer = host.bytes
        return try primitive { () throws(PrimitiveError) in
            let expected = try schedule.sessionMAC(factors: key.factors, session: session, data: asked.span)
            guard expected.matches(mac1) else { return .mac1Mismatch }
            let mac2 = try schedule.sessionMAC(factors: key.factors, session: session, data: answer.span)
            return .authorised(mac2: mac2.number)
        }
    }
}

/// random4 | onlineSequence2 | 80 00.
private func onlineSession(_ random: UInt32, _ sequence: UInt16) -> UInt64 {
    UInt64(random) << 32 | UInt64(sequence) << 16 | 0x8000
}

/// An unload's transaction type.
private let unloadType: UInt8 = 0x03

extension AuthorisePurseUnload: ExecutableCommand {
    func execute(in execution: inout Execution) throws(ModuleRefusal) -> LoadAuthorisation {
        let schedule = try execution.key(load.key.key).schedule(for: .unload, factors: load.key.factors.count)
        guard load.type == unloadType else { throw ModuleRefusal(.parameterInvalid) }
        return try load.authorisation(under: schedule)
    }
}

extension VerifyUnloadMAC3: ExecutableCommand {
    func execute(in execution: inout Execution) throws(ModuleRefusal) -> Verdict {
        let schedule = try execution.key(key.key).schedule(for: .unload, factors: key.factors.count)
        guard type == unloadType else { throw ModuleRefusal(.parameterInvalid) }
        var message = PurseMessage()
        message.add(newBalance)
        message.add(UInt64(onlineSequence), bytes: 2)
        message.add(amount)
        message.add(type)
        message.add(terminal)
        message.add(time)
        let bytes = message.bytes
        let session = onlineSession(random, onlineSequence)
        let expected = try primitive { () throws(PrimitiveError) in
            try schedule.sessionMAC(factors: key.factors, session: session, data: bytes.span)
        }
        return expected.matches(mac3) ? .match : .mismatch
    }
}

extension PurchaseMAC1: ExecutableCommand {
    func execute(in execution: inout Execution) throws(ModuleRefusal) -> HSMBridge.MACValue {
        let schedule = try execution.key(key.key).schedule(for: .purchaseMAC, factors: key.factors.count)
        var message = PurseMessage()
        message.add(amount)
        message.add(type)
        message.add(terminal)
        message.add(time)
        let bytes = message.bytes
        let mac = try primitive { () throws(PrimitiveError) in
            try schedule.sessionMAC(factors: key.factors, session: session.block, data: bytes.span)
        }
        return HSMBridge.MACValue(bytes: mac.bytes)
    }
}

extension VerifyPurchaseMAC2: ExecutableCommand {
    func execute(in execution: inout Execution) throws(ModuleRefusal) -> Verdict {
        let schedule = try execution.key(key.key).schedule(for: .purchaseMAC, factors: key.factors.count)
        let bytes = BigEndian.bytes(amount)
        let expected = try primitive { () throws(PrimitiveError) in
            try schedule.sessionMAC(factors: key.factors, session: session.block, data: bytes.span)
        }
        return expected.matches(mac2) ? .match : .mismatch
    }
}

extension VerifyTAC: ExecutableCommand {
    func execute(in execution: inout Execution) throws(ModuleRefusal) -> Verdict {
        let schedule = try execution.key(key.key).schedule(for: .verifyTAC, factors: key.factors.count)
        guard (1...64).contains(data.count) else { throw ModuleRefusal(.dataLengthInvalid) }
        let expected = try primitive { () throws(PrimitiveError) in
            try schedule.tac(factors: key.factors, data: data.span)
        }
        return expected.matches(tac) ? .match : .mismatch
    }
}

extension VerifyTACBatch: ExecutableCommand {
    func execute(in execution: inout Execution) throws(ModuleRefusal) -> VerdictMap {
        let schedule = try execution.key(key).schedule(for: .verifyTAC, factors: Int(levels))
        let layout = TACRecordLayout(levels: Int(levels), dataLength: Int(dataLength))
        guard (1...64).contains(dataLength), records.count % layout.stride == 0,
            records.count / layout.stride <= Self.maximumRecords
        else { throw ModuleRefusal(.dataLengthInvalid) }
        guard !records.isEmpty else { return VerdictMap(count: 0, bits: []) }
        let bits = try primitive { () throws(PrimitiveError) in
            try schedule.verifyTACs(records.span, layout: layout)
        }
        return VerdictMap(count: records.count / layout.stride, bits: bits)
    }
}
