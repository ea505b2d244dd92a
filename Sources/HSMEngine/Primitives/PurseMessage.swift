import HSMBridge

/// What a session MAC of the e-purse covers: fields one after another, big-endian, up to 31 bytes, without heap memory
/// (JR/T 0025.2; facts/domain.md 1.2).
struct PurseMessage: BitwiseCopyable, Sendable {
    /// Big-endian numbers, filled from the left, zeros behind.
    private var words = InlineArray<4, UInt64>(repeating: 0)
    private var count = 0

    /// The low `length` bytes of `value`, whose others are zero.
    @inline(__always)
    mutating func add(_ value: UInt64, bytes length: Int) {
        let room = 64 - 8 * (count & 7)
        let excess = 8 * length - room
        if excess <= 0 {
            words[count >> 3] |= value << UInt64(-excess)
        } else {
            words[count >> 3] |= value >> UInt64(excess)
            words[count >> 3 + 1] |= value << UInt64(64 - excess)
        }
        count += length
    }

    @inline(__always)
    mutating func add(_ value: UInt32) { add(UInt64(value), bytes: 4) }
    @inline(__always)
    mutating func add(_ value: UInt8) { add(UInt64(value), bytes: 1) }
    @inline(__always)
    mutating func add(_ value: TerminalNumber) { add(value.value, bytes: 6) }
    @inline(__always)
    mutating func add(_ value: TransactionTime) {
        add(value.date)
        add(UInt64(value.time), bytes: 3)
    }

    /// With padding method 2.
    var blocks: Int { count >> 3 + 1 }

    /// A block of the padded message; zeros behind its last one.
    @inline(__always)
    func block(_ index: Int) -> Block8 {
        let mark: UInt64 = index == count >> 3 ? 0x80 << UInt64(56 - 8 * (count & 7)) : 0
        return Block8(number: words[index] | mark)
    }

    /// Lends the bytes, without padding.
    @inline(__always)
    func withBytes<R>(_ body: (Span<UInt8>) -> R) -> R {
        var image = InlineArray<4, Block8> { Block8(number: words[$0]) }
        return unsafe withUnsafeBytes(of: &image) { memory in
            let bytes = unsafe UnsafeBufferPointer(rebasing: memory.assumingMemoryBound(to: UInt8.self)[..<count])
            return body(unsafe Span(_unsafeElements: bytes))
        }
    }

    var bytes: [UInt8] {
        withBytes { span in
            [UInt8](capacity: span.count) { output in
                for index in 0..<span.count { output.append(span[index]) }
            }
        }
    }
}
