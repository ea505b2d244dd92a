import HSMBridge

// The calculations of every day, read where they lie in the message: no arrays, no command value, the reply's bytes at once.
//
// Only what succeeds is answered here. Whatever is unusual or wrong in the least (another way to name the key, an initial
// vector, a right, a length, trailing bytes) is left to the generic path, which reads it again from the start and says what
// is the matter; so there is one place that refuses, and the two paths cannot disagree about it.
extension Execution {
    /// Answers a command in place; false, and nothing is written, where the generic path has to.
    mutating func answerInPlace(
        _ code: CommandCode, _ body: UnsafeRawBufferPointer, into writer: inout ModuleReplyWriter
    ) -> Bool {
        switch code {
        case .verifyMAC, .generateMAC, .verifyTAC: break
        default: return false
        }
        guard mayCarryOut(code) else { return false }
        var fields = unsafe FieldCursor(body)
        guard let entry = key(&fields) else { return false }
        switch code {
        case .verifyMAC:
            guard let verdict = verifyMAC(entry, &fields) else { return false }
            writer.append(verdict: verdict)
        case .generateMAC:
            guard let mac = generateMAC(entry, &fields) else { return false }
            writer.append(field: mac.leading, count: mac.count)
        default:
            guard let verdict = verifyTAC(entry, &fields) else { return false }
            writer.append(verdict: verdict)
        }
        return true
    }

    private mutating func key(_ fields: inout FieldCursor) -> OpenKeyEntry? {
        guard fields.u8() == 0, let handle = fields.u64() else { return nil }
        return try? key(.handle(KeyHandle(rawValue: handle)))
    }

    /// Algorithm, padding, and an initial vector that is not given.
    private func method(_ fields: inout FieldCursor) -> (HSMBridge.MACAlgorithm, HSMBridge.MACPadding)? {
        guard let first = fields.u8(), let algorithm = HSMBridge.MACAlgorithm(rawValue: first),
            algorithm != .unionPayECB, let second = fields.u8(), let padding = HSMBridge.MACPadding(rawValue: second),
            fields.u32() == 0
        else { return nil }
        return (algorithm, padding)
    }

    private func mac(
        _ entry: OpenKeyEntry, _ operation: KeyOperation, _ method: (HSMBridge.MACAlgorithm, HSMBridge.MACPadding),
        over data: Span<UInt8>, length: Int
    ) -> MACValue? {
        do throws(ModuleRefusal) {
            let schedule = try entry.schedule(for: operation)
            guard MACLimits.shortest <= length, length <= schedule.blockLength else { return nil }
            return try primitive { () throws(PrimitiveError) in
                try schedule.mac(
                    method.0.primitive(under: schedule.algorithm), padding: method.1.primitive, over: data,
                    length: length)
            }
        } catch { return nil }
    }

    private func verifyMAC(_ entry: OpenKeyEntry, _ fields: inout FieldCursor) -> Verdict? {
        guard let method = method(&fields), let data = unsafe fields.field(), let claimed = unsafe fields.field(),
            fields.isAtEnd,
            let expected = mac(
                entry, method.0.verifying, method, over: unsafe Span(_unsafeElements: data), length: claimed.count)
        else { return nil }
        return expected.matches(unsafe Span(_unsafeElements: claimed)) ? .match : .mismatch
    }

    private func generateMAC(_ entry: OpenKeyEntry, _ fields: inout FieldCursor) -> MACValue? {
        guard let method = method(&fields), let length = fields.u8(), fields.u8() == 1,
            let data = unsafe fields.field(), fields.isAtEnd
        else { return nil }
        return mac(
            entry, method.0.generating, method, over: unsafe Span(_unsafeElements: data), length: Int(length))
    }

    private func verifyTAC(_ entry: OpenKeyEntry, _ fields: inout FieldCursor) -> Verdict? {
        var factors = InlineArray<4, UInt64>(repeating: 0)
        guard let levels = fields.u8(), Int(levels) <= DerivedKey.maximumLevels, Int(levels) <= factors.count else {
            return nil
        }
        for level in 0..<Int(levels) {
            guard let factor = fields.u64() else { return nil }
            factors[level] = factor
        }
        guard let data = unsafe fields.field(), (1...64).contains(data.count), let claimed = fields.u32(),
            fields.isAtEnd, case .narrow(let schedule) = try? entry.schedule(for: .verifyTAC, factors: Int(levels)),
            let expected = try? OpenKeySchedule.narrowTAC(
                schedule, factors.span.extracting(0..<Int(levels)), unsafe Span(_unsafeElements: data))
        else { return nil }
        return expected.matches(claimed) ? .match : .mismatch
    }
}

/// Reads a command's fields where they lie; nil as soon as something is missing.
@safe private struct FieldCursor {
    private let memory: UnsafeRawBufferPointer
    private var offset = 0

    init(_ memory: UnsafeRawBufferPointer) { unsafe self.memory = unsafe memory }

    var isAtEnd: Bool { unsafe offset == memory.count }

    mutating func u8() -> UInt8? { integer() }
    mutating func u32() -> UInt32? { integer() }
    mutating func u64() -> UInt64? { integer() }

    /// A field: 4-byte length, then the bytes. Valid as long as the message.
    @unsafe mutating func field() -> UnsafeBufferPointer<UInt8>? {
        guard let length = u32().map(Int.init), unsafe memory.count - offset >= length else { return nil }
        defer { offset += length }
        let start = unsafe memory.baseAddress.map { unsafe ($0 + offset).assumingMemoryBound(to: UInt8.self) }
        return unsafe UnsafeBufferPointer(start: start, count: length)
    }

    @inline(__always)
    private mutating func integer<I: FixedWidthInteger>() -> I? {
        guard unsafe memory.count - offset >= MemoryLayout<I>.size else { return nil }
        defer { offset += MemoryLayout<I>.size }
        return unsafe I(bigEndian: memory.loadUnaligned(fromByteOffset: offset, as: I.self))
    }
}
