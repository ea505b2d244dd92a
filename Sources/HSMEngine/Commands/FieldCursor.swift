/// Reads a command's fields where they lie; nil as soon as something is missing.
@safe struct FieldCursor {
    private let memory: UnsafeRawBufferPointer
    private var offset = 0

    init(_ memory: UnsafeRawBufferPointer) { unsafe self.memory = unsafe memory }

    var isAtEnd: Bool { unsafe offset == memory.count }

    @inline(__always)
    mutating func u8() -> UInt8? { integer() }
    @inline(__always)
    mutating func u16() -> UInt16? { integer() }
    @inline(__always)
    mutating func u32() -> UInt32? { integer() }
    @inline(__always)
    mutating func u64() -> UInt64? { integer() }

    /// A field: 4-byte length, then the bytes. Valid as long as the message.
    @inline(__always)
    @unsafe mutating func field() -> UnsafeBufferPointer<UInt8>? {
        guard let length = u32().map(Int.init), unsafe memory.count - offset >= length else { return nil }
        defer { offset += length }
        let start = unsafe memory.baseAddress.map { unsafe ($0 + offset).assumingMemoryBound(to: UInt8.self) }
        return unsafe UnsafeBufferPointer(start: start, count: length)
    }

    /// `count` bytes without a length before them.
    @inline(__always)
    @unsafe mutating func raw(_ count: Int) -> UnsafeBufferPointer<UInt8>? {
        guard unsafe memory.count - offset >= count else { return nil }
        defer { offset += count }
        let start = unsafe memory.baseAddress.map { unsafe ($0 + offset).assumingMemoryBound(to: UInt8.self) }
        return unsafe UnsafeBufferPointer(start: start, count: count)
    }

    @inline(__always)
    private mutating func integer<I: FixedWidthInteger>() -> I? {
        guard unsafe memory.count - offset >= MemoryLayout<I>.size else { return nil }
        defer { offset += MemoryLayout<I>.size }
        return unsafe I(bigEndian: memory.loadUnaligned(fromByteOffset: offset, as: I.self))
    }
}
