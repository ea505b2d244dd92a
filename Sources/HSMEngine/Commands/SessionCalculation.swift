import HSMBridge

/// A session MAC of the e-purse that a message asks for, checked and ready to be calculated. Points into the message.
@safe struct SessionCalculation {
    /// The key that the factors start from; without any, the card's.
    let schedule: DESSchedule
    let levels: Int
    /// Eight bytes a level, as they stand in the message; not looked at without levels.
    let factors: UnsafeRawPointer?
    let exchange: PurseExchange

    /// Calculates by itself and writes the reply; false, and nothing is written, where that was not possible.
    func answer(into writer: inout ModuleReplyWriter) -> Bool {
        guard let answer = value() else { return false }
        switch exchange.purpose {
        case .make: writer.append(field: (UInt64(answer.mac) << 32, 0), count: 4)
        case .check: writer.append(verdict: answer.verdict)
        case .authorise: writer.append(answer.authorisation)
        }
        return true
    }

    /// One after another: for few.
    func value() -> PurseAnswer? {
        let numbers = unsafe DerivedKey.factors(at: factors, levels: levels)
        do throws(PrimitiveError) {
            return try OpenKeySchedule.narrowAnswer(schedule, exchange, numbers.span.extracting(0..<levels))
        } catch { return nil }
    }
}
