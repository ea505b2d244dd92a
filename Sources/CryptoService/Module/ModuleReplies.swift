import HSMBridge
import NIOCore

/// The module's answers to the items of one message, read where they lie.
///
/// count 4 | (error 2 | length 4 | body or detail 2)…, big-endian (HSMBridge, `ModuleReply`). From the first answer that does not
/// fit on, every further one reads as `internalFault`, and `isWhole` says that nothing more can be trusted.
@safe struct ModuleReplies {
    /// One answer.
    enum Answer {
        case success(ByteBuffer)
        case refused(ModuleError)
    }

    private let memory: UnsafeRawBufferPointer
    private var offset = 4
    /// How many answers the message says it has.
    let count: Int
    private(set) var isWhole: Bool

    /// Over the part behind the length field, which has to outlive this value.
    @unsafe init(_ message: UnsafeRawBufferPointer) {
        unsafe memory = unsafe message
        isWhole = message.count >= 4
        count = isWhole ? unsafe Int(UInt32(bigEndian: message.loadUnaligned(as: UInt32.self))) : 0
    }

    /// Nothing is left.
    var isAtEnd: Bool { unsafe offset == memory.count }

    /// The next answer where it is a success of one byte; else nil, and it stays the next.
    @inline(__always)
    mutating func nextByte() -> UInt8? {
        guard unsafe isWhole && memory.count - offset >= 7, integer(UInt16.self, at: offset) == 0,
            integer(UInt32.self, at: offset + 2) == 1
        else { return nil }
        defer { offset += 7 }
        return unsafe memory[offset + 6]
    }

    /// The next answer where it is a success whose body is a field of four or eight bytes; else nil, and it stays the next.
    @inline(__always)
    mutating func nextMAC() -> (value: UInt64, count: Int)? {
        guard unsafe isWhole && memory.count - offset >= 14, integer(UInt16.self, at: offset) == 0 else { return nil }
        let count = Int(integer(UInt32.self, at: offset + 6))
        guard count == 4 || count == 8, Int(integer(UInt32.self, at: offset + 2)) == 4 + count,
            unsafe memory.count - offset >= 10 + count
        else { return nil }
        defer { offset += 10 + count }
        return count == 4
            ? (UInt64(integer(UInt32.self, at: offset + 10)), 4) : (integer(UInt64.self, at: offset + 10), 8)
    }

    /// The next answer, whatever it is.
    mutating func next() -> Answer {
        guard unsafe isWhole && memory.count - offset >= 6 else { return broken() }
        let error = integer(UInt16.self, at: offset)
        let length = Int(integer(UInt32.self, at: offset + 2))
        guard unsafe length <= memory.count - offset - 6 else { return broken() }
        defer { offset += 6 + length }
        guard error == 0 else { return .refused(ModuleError(rawValue: error) ?? .internalFault) }
        let body = unsafe UnsafeRawBufferPointer(rebasing: memory[offset + 6..<offset + 6 + length])
        return .success(unsafe ByteBuffer(bytes: body))
    }

    private mutating func broken() -> Answer {
        isWhole = false
        return .refused(.internalFault)
    }

    /// The caller has made sure that it is there.
    @inline(__always)
    private func integer<I: FixedWidthInteger>(_ type: I.Type, at offset: Int) -> I {
        unsafe I(bigEndian: memory.loadUnaligned(fromByteOffset: offset, as: type))
    }
}
