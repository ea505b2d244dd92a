import HSMBridge

/// A MAC or TAC that a message asks for, checked and ready to be calculated. Points into the message.
@safe struct Calculation {
    enum Scheme {
        case mac(MACAlgorithm, MACPadding)
        case unionPay
        case tac(levels: Int)
    }

    let schedule: OpenKeySchedule
    let scheme: Scheme
    let data: UnsafeBufferPointer<UInt8>
    /// Eight bytes a level, as they stand in the message; nil where there are none.
    let factors: UnsafeRawPointer?
    /// Bytes of the MAC.
    let length: Int
    /// What is to be checked, `length` bytes; nil where the MAC itself is asked for.
    let claimed: UnsafeBufferPointer<UInt8>?

    /// Calculates by itself and writes the reply; false, and nothing is written, where that was not possible.
    func answer(into writer: inout ModuleReplyWriter) -> Bool {
        guard let mac = value() else { return false }
        if let claimed = unsafe claimed {
            writer.append(verdict: mac.matches(unsafe Span(_unsafeElements: claimed)) ? .match : .mismatch)
        } else {
            writer.append(field: mac.leading, count: mac.count)
        }
        return true
    }

    /// One after another: for few, for AES and SM4, and for CMAC.
    func value() -> MACValue? {
        let data = unsafe Span(_unsafeElements: data)
        do throws(PrimitiveError) {
            switch scheme {
            case .mac(let algorithm, let padding):
                return try schedule.mac(algorithm, padding: padding, over: data, length: length)
            case .unionPay: return try schedule.unionPayMAC(over: data)
            case .tac(let levels):
                guard case .narrow(let schedule) = schedule else { return nil }
                let numbers = unsafe DerivedKey.factors(at: factors, levels: levels)
                return try OpenKeySchedule.narrowTAC(schedule, numbers.span.extracting(0..<levels), data)
            }
        } catch { return nil }
    }
}

extension DerivedKey {
    /// Factors as they stand in a message, big-endian, eight bytes a level; zeros behind them. At most `maximumLevels`.
    @unsafe static func factors(at memory: UnsafeRawPointer?, levels: Int) -> InlineArray<4, UInt64> {
        var numbers = InlineArray<4, UInt64>(repeating: 0)
        for level in 0..<levels {
            let word = unsafe memory?.loadUnaligned(fromByteOffset: 8 * level, as: UInt64.self)
            numbers[level] = UInt64(bigEndian: word ?? 0)
        }
        return numbers
    }
}
