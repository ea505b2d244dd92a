/// Why a message could not be read.
public enum WireError: Error, Sendable, Hashable {
    case truncated
    case valueInvalid
    case trailingBytes
}

/// Reads a message in place: no copy is made of fields that are only looked at.
@safe
public struct WireReader: ~Copyable {
    private let memory: UnsafeRawBufferPointer
    private var offset = 0

    private init(_ memory: UnsafeRawBufferPointer) { unsafe self.memory = unsafe memory }

    /// Lends a reader over bytes that outlive the closure.
    public static func reading<R, E: Error>(
        _ memory: UnsafeRawBufferPointer, _ body: (inout WireReader) throws(E) -> R
    ) throws(E) -> R {
        var reader = unsafe WireReader(memory)
        return try body(&reader)
    }

    public var remaining: Int { unsafe memory.count - offset }

    public mutating func u8() throws(WireError) -> UInt8 {
        guard remaining >= 1 else { throw .truncated }
        defer { offset += 1 }
        return unsafe memory[offset]
    }

    public mutating func u16() throws(WireError) -> UInt16 { try integer() }
    public mutating func u32() throws(WireError) -> UInt32 { try integer() }
    public mutating func u64() throws(WireError) -> UInt64 { try integer() }

    public mutating func bool() throws(WireError) -> Bool {
        switch try u8() {
        case 0: return false
        case 1: return true
        default: throw .valueInvalid
        }
    }

    /// Lends a field (4-byte length, then bytes) where it lies.
    public mutating func withField<R>(_ body: (UnsafeRawBufferPointer) -> R) throws(WireError) -> R {
        let length = Int(try u32())
        return unsafe try withRaw(length, body)
    }

    /// Lends the next `length` bytes where they lie.
    public mutating func withRaw<R>(_ length: Int, _ body: (UnsafeRawBufferPointer) -> R) throws(WireError) -> R {
        guard length >= 0, remaining >= length else { throw .truncated }
        defer { offset += length }
        return unsafe body(UnsafeRawBufferPointer(rebasing: memory[offset..<offset + length]))
    }

    public mutating func bytes() throws(WireError) -> [UInt8] {
        unsafe try withField { field in unsafe Array(field) }
    }

    public mutating func text() throws(WireError) -> String {
        let bytes = try bytes()
        guard let text = String(validating: bytes, as: UTF8.self) else { throw .valueInvalid }
        return text
    }

    public mutating func array<Value: WireValue>(of type: Value.Type, limit: Int) throws(WireError) -> [Value] {
        let count = Int(try u32())
        guard count <= limit, count <= remaining else { throw .valueInvalid }
        var values: [Value] = []
        values.reserveCapacity(count)
        for _ in 0..<count { values.append(try Value(from: &self)) }
        return values
    }

    public func end() throws(WireError) {
        guard remaining == 0 else { throw .trailingBytes }
    }

    private mutating func integer<I: FixedWidthInteger>() throws(WireError) -> I {
        guard remaining >= MemoryLayout<I>.size else { throw .truncated }
        defer { offset += MemoryLayout<I>.size }
        return unsafe I(bigEndian: memory.loadUnaligned(fromByteOffset: offset, as: I.self))
    }
}
