import HSMBridge

// The calculations of every day, read where they lie in the message: no arrays, no command value, the reply's bytes at once or,
// where enough of them wait in one message, after one bit-sliced pass over all (`CalculationQueue`).
//
// Only what succeeds is answered here. Whatever is unusual or wrong in the least (another way to name the key, an initial
// vector, a right, a length, trailing bytes) is left to the generic path, which reads it again from the start and says what
// is the matter; so there is one place that refuses, and the two paths cannot disagree about it.
extension Execution {
    /// Answers a command in place, or gives it to `queue` with a place in the answer; false, and nothing is written, where the
    /// generic path has to.
    mutating func answerInPlace(
        _ code: CommandCode, _ body: UnsafeRawBufferPointer, _ queue: inout CalculationQueue,
        into writer: inout ModuleReplyWriter
    ) -> Bool {
        switch code {
        case .verifyMAC, .generateMAC, .verifyTAC: break
        case .authorisePurseLoad, .authorisePurseUnload, .purchaseMAC1, .verifyPurchaseMAC2, .verifyUnloadMAC3:
            return unsafe answerPurse(code, body, &queue, into: &writer)
        default: return false
        }
        guard mayCarryOut(code) else { return false }
        var fields = unsafe FieldCursor(body)
        guard let entry = key(&fields) else { return false }
        let calculation =
            switch code {
            case .verifyMAC: verifyMAC(entry, &fields)
            case .generateMAC: generateMAC(entry, &fields)
            default: verifyTAC(entry, &fields)
            }
        guard let calculation else { return false }
        return queue.take(calculation, into: &writer) || calculation.answer(into: &writer)
    }

    mutating func key(_ fields: inout FieldCursor) -> OpenKeyEntry? {
        guard fields.u8() == 0, let handle = fields.u64() else { return nil }
        return try? key(.handle(KeyHandle(rawValue: handle)))
    }

    /// Algorithm, padding, and an initial vector that is not given.
    private func method(_ fields: inout FieldCursor) -> (HSMBridge.MACAlgorithm, HSMBridge.MACPadding)? {
        guard let first = fields.u8(), let algorithm = HSMBridge.MACAlgorithm(rawValue: first),
            let second = fields.u8(), let padding = HSMBridge.MACPadding(rawValue: second), fields.u32() == 0
        else { return nil }
        return (algorithm, padding)
    }

    private func mac(
        _ entry: OpenKeyEntry, _ operation: KeyOperation, _ method: (HSMBridge.MACAlgorithm, HSMBridge.MACPadding),
        over data: UnsafeBufferPointer<UInt8>, length: Int, claimed: UnsafeBufferPointer<UInt8>?
    ) -> Calculation? {
        guard let schedule = try? entry.schedule(for: operation), MACLimits.shortest <= length,
            length <= schedule.blockLength
        else { return nil }
        let scheme: Calculation.Scheme
        if method.0 == .unionPayECB {
            guard length == MACLimits.unionPayLength, case .narrow = schedule else { return nil }
            scheme = .unionPay
        } else {
            scheme = .mac(method.0.primitive(under: schedule.algorithm), method.1.primitive)
        }
        return unsafe Calculation(
            schedule: schedule, scheme: scheme, data: data, factors: nil, length: length, claimed: claimed)
    }

    private func verifyMAC(_ entry: OpenKeyEntry, _ fields: inout FieldCursor) -> Calculation? {
        guard let method = method(&fields), let data = unsafe fields.field(), let claimed = unsafe fields.field(),
            fields.isAtEnd
        else { return nil }
        return unsafe mac(entry, method.0.verifying, method, over: data, length: claimed.count, claimed: claimed)
    }

    private func generateMAC(_ entry: OpenKeyEntry, _ fields: inout FieldCursor) -> Calculation? {
        guard let method = method(&fields), let length = fields.u8(), fields.u8() == 1,
            let data = unsafe fields.field(), fields.isAtEnd
        else { return nil }
        return unsafe mac(entry, method.0.generating, method, over: data, length: Int(length), claimed: nil)
    }

    private func verifyTAC(_ entry: OpenKeyEntry, _ fields: inout FieldCursor) -> Calculation? {
        guard let levels = fields.u8().map(Int.init), levels <= DerivedKey.maximumLevels,
            let factors = unsafe fields.raw(8 * levels), let data = unsafe fields.field(),
            (1...64).contains(data.count), let claimed = unsafe fields.raw(4), fields.isAtEnd,
            let schedule = try? entry.schedule(for: .verifyTAC, factors: levels), case .narrow = schedule
        else { return nil }
        return unsafe Calculation(
            schedule: schedule, scheme: .tac(levels: levels), data: data,
            factors: UnsafeRawPointer(factors.baseAddress), length: 4, claimed: claimed)
    }
}
