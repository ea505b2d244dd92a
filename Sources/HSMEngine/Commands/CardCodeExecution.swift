import HSMBridge

private enum CardCode {
    static let length = 3
    /// PAN of 12 to 19 digits, expiry 4, service code 3.
    static let digits = 19...26

    static func calculate(
        _ key: OpenKeySchedule, _ digits: [UInt8]
    ) throws(ModuleRefusal) -> MACValue {
        guard Self.digits.contains(digits.count) else { throw ModuleRefusal(.dataLengthInvalid) }
        return try primitive { () throws(PrimitiveError) in try key.cardCode(over: digits.span) }
    }
}

extension GenerateCardCode: ExecutableCommand {
    func execute(in execution: inout Execution) throws(ModuleRefusal) -> HSMBridge.MACValue {
        let schedule = try execution.key(key).schedule(for: .generateCardCode)
        return HSMBridge.MACValue(bytes: try CardCode.calculate(schedule, digits).bytes)
    }
}

extension VerifyCardCode: ExecutableCommand {
    func execute(in execution: inout Execution) throws(ModuleRefusal) -> Verdict {
        let schedule = try execution.key(key).schedule(for: .verifyCardCode)
        guard cardCode.count == CardCode.length else { throw ModuleRefusal(.dataLengthInvalid) }
        return try CardCode.calculate(schedule, digits).matches(cardCode) ? .match : .mismatch
    }
}
