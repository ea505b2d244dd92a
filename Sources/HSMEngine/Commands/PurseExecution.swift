import HSMBridge

/// The types of transaction that the commands are for (JR/T 0025.2; facts/domain.md 1.3, 1.5).
enum PurseTypes {
    /// 01 of the passbook, 02 of the purse.
    static let load: ClosedRange<UInt8> = 0x01...0x02
    static let unload: ClosedRange<UInt8> = 0x03...0x03

    static func check(_ type: UInt8, _ allowed: ClosedRange<UInt8>) throws(ModuleRefusal) {
        guard allowed.contains(type) else { throw ModuleRefusal(.parameterInvalid) }
    }
}

extension MACValue {
    func matches(_ number: UInt32) -> Bool { matches(BigEndian.bytes(number)) }
}

extension OpenKeySchedule {
    /// The answer to an exchange with the card that the factors name.
    fileprivate func answer(_ exchange: PurseExchange, for key: DerivedKey) throws(ModuleRefusal) -> PurseAnswer {
        try primitive { () throws(PrimitiveError) in try answer(exchange, factors: key.factors) }
    }
}

extension AuthorisePurseLoad: ExecutableCommand {
    func execute(in execution: inout Execution) throws(ModuleRefusal) -> LoadAuthorisation {
        let schedule = try execution.key(key.key).schedule(for: .authoriseLoad, factors: key.factors.count)
        try PurseTypes.check(type, PurseTypes.load)
        return try schedule.answer(exchange, for: key).authorisation
    }

    /// One shape for load and unload.
    fileprivate var exchange: PurseExchange {
        .authorisation(
            random: random, onlineSequence: onlineSequence, oldBalance: oldBalance, amount: amount, type: type,
            terminal: terminal, mac1: mac1, time: time)
    }
}

extension AuthorisePurseUnload: ExecutableCommand {
    func execute(in execution: inout Execution) throws(ModuleRefusal) -> LoadAuthorisation {
        let schedule = try execution.key(load.key.key).schedule(for: .unload, factors: load.key.factors.count)
        try PurseTypes.check(load.type, PurseTypes.unload)
        return try schedule.answer(load.exchange, for: load.key).authorisation
    }
}

extension VerifyUnloadMAC3: ExecutableCommand {
    func execute(in execution: inout Execution) throws(ModuleRefusal) -> Verdict {
        let schedule = try execution.key(key.key).schedule(for: .unload, factors: key.factors.count)
        try PurseTypes.check(type, PurseTypes.unload)
        let exchange = PurseExchange.unloadMAC3(
            random: random, onlineSequence: onlineSequence, newBalance: newBalance, amount: amount, type: type,
            terminal: terminal, time: time, mac3: mac3)
        return try schedule.answer(exchange, for: key).verdict
    }
}

extension PurchaseMAC1: ExecutableCommand {
    func execute(in execution: inout Execution) throws(ModuleRefusal) -> HSMBridge.MACValue {
        let schedule = try execution.key(key.key).schedule(for: .purchaseMAC, factors: key.factors.count)
        let exchange = PurseExchange.purchaseMAC1(
            session, amount: amount, type: type, terminal: terminal, time: time)
        return HSMBridge.MACValue(bytes: BigEndian.bytes(try schedule.answer(exchange, for: key).mac))
    }
}

extension VerifyPurchaseMAC2: ExecutableCommand {
    func execute(in execution: inout Execution) throws(ModuleRefusal) -> Verdict {
        let schedule = try execution.key(key.key).schedule(for: .purchaseMAC, factors: key.factors.count)
        return try schedule.answer(.purchaseMAC2(session, amount: amount, mac2: mac2), for: key).verdict
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
