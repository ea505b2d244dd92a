import HSMBridge

// The e-purse's exchanges, read where they lie in the message, by the rule of InPlaceExecution.swift: what is unusual or wrong in
// the least is left to the generic path.
extension Execution {
    /// Answers a command of the e-purse in place, or gives it to `queue`; false, and nothing is written, where the generic path
    /// has to. SM4 masters are left to it as well.
    mutating func answerPurse(
        _ code: CommandCode, _ body: UnsafeRawBufferPointer, _ queue: inout CalculationQueue,
        into writer: inout ModuleReplyWriter
    ) -> Bool {
        guard mayCarryOut(code) else { return false }
        var fields = unsafe FieldCursor(body)
        guard let entry = key(&fields), let levels = fields.u8().map(Int.init), levels <= DerivedKey.maximumLevels,
            let factors = unsafe fields.raw(8 * levels), let exchange = fields.exchange(code), fields.isAtEnd,
            let operation = code.purseOperation,
            let schedule = try? entry.schedule(for: operation, factors: levels), case .narrow(let schedule) = schedule
        else { return false }
        let calculation = unsafe SessionCalculation(
            schedule: schedule, levels: levels, factors: UnsafeRawPointer(factors.baseAddress), exchange: exchange)
        return queue.take(calculation, into: &writer) || calculation.answer(into: &writer)
    }
}

extension CommandCode {
    /// What an exchange of the e-purse needs the key for; nil for other commands.
    fileprivate var purseOperation: KeyOperation? {
        switch self {
        case .authorisePurseLoad: .authoriseLoad
        case .purchaseMAC1, .verifyPurchaseMAC2: .purchaseMAC
        case .authorisePurseUnload, .verifyUnloadMAC3: .unload
        default: nil
        }
    }
}

extension FieldCursor {
    /// What follows the key and its factors, in the order in which the commands of `HSMBridge` write it.
    @inline(__always)
    fileprivate mutating func exchange(_ code: CommandCode) -> PurseExchange? {
        switch code {
        case .authorisePurseLoad: authorisation(PurseTypes.load)
        case .authorisePurseUnload: authorisation(PurseTypes.unload)
        case .purchaseMAC1: purchaseMAC1()
        case .verifyPurchaseMAC2: purchaseMAC2()
        case .verifyUnloadMAC3: unloadMAC3()
        default: nil
        }
    }

    @inline(__always)
    private mutating func authorisation(_ types: ClosedRange<UInt8>) -> PurseExchange? {
        guard let random = u32(), let sequence = u16(), let oldBalance = u32(), let amount = u32(), let type = u8(),
            types.contains(type), let terminal = terminal(), let mac1 = u32(), let time = time()
        else { return nil }
        return .authorisation(
            random: random, onlineSequence: sequence, oldBalance: oldBalance, amount: amount, type: type,
            terminal: terminal, mac1: mac1, time: time)
    }

    @inline(__always)
    private mutating func unloadMAC3() -> PurseExchange? {
        guard let random = u32(), let sequence = u16(), let newBalance = u32(), let amount = u32(), let type = u8(),
            PurseTypes.unload.contains(type), let terminal = terminal(), let time = time(), let mac3 = u32()
        else { return nil }
        return .unloadMAC3(
            random: random, onlineSequence: sequence, newBalance: newBalance, amount: amount, type: type,
            terminal: terminal, time: time, mac3: mac3)
    }

    @inline(__always)
    private mutating func purchaseMAC1() -> PurseExchange? {
        guard let session = session(), let amount = u32(), let type = u8(), let terminal = terminal(),
            let time = time()
        else { return nil }
        return .purchaseMAC1(session, amount: amount, type: type, terminal: terminal, time: time)
    }

    @inline(__always)
    private mutating func purchaseMAC2() -> PurseExchange? {
        guard let session = session(), let amount = u32(), let mac2 = u32() else { return nil }
        return .purchaseMAC2(session, amount: amount, mac2: mac2)
    }

    @inline(__always)
    private mutating func session() -> PurchaseSession? {
        guard let random = u32(), let sequence = u16(), let transaction = u32() else { return nil }
        return PurchaseSession(random: random, offlineSequence: sequence, terminalTransaction: transaction)
    }

    @inline(__always)
    private mutating func terminal() -> TerminalNumber? { u64().flatMap { TerminalNumber($0) } }

    @inline(__always)
    private mutating func time() -> TransactionTime? {
        guard let date = u32(), let time = u32(), time < 1 << 24 else { return nil }
        return TransactionTime(date: date, time: time)
    }
}
