internal import CLinux
import Synchronization

/// Writes a message to the module: big-endian integers, byte fields with a length before them.
///
/// Its memory is wiped when it grows and when it ends, because a message can carry a PIN or a typed component. Not copyable,
/// so that the memory has one owner; that is also what makes it safe to send to another thread.
@safe
public struct WireWriter: ~Copyable, @unchecked Sendable {
    private var memory: UnsafeMutableRawPointer
    private var capacity: Int
    public private(set) var count = 0

    public init(capacity: Int = 512) {
        unsafe memory = .allocate(byteCount: max(capacity, 64), alignment: 16)
        self.capacity = max(capacity, 64)
    }

    deinit {
        unsafe kmsd_wipe(memory, count)
        unsafe memory.deallocate()
    }

    public mutating func u8(_ value: UInt8) {
        reserve(1)
        unsafe memory.storeBytes(of: value, toByteOffset: count, as: UInt8.self)
        count += 1
    }

    public mutating func u16(_ value: UInt16) { integer(value) }
    public mutating func u32(_ value: UInt32) { integer(value) }
    public mutating func u64(_ value: UInt64) { integer(value) }
    public mutating func bool(_ value: Bool) { u8(value ? 1 : 0) }

    /// A field: 4-byte length, then the bytes.
    public mutating func bytes(_ value: [UInt8]) {
        u32(UInt32(value.count))
        reserve(value.count)
        unsafe value.withUnsafeBytes { source in
            if let base = source.baseAddress { unsafe (memory + count).copyMemory(from: base, byteCount: source.count) }
        }
        count += value.count
    }

    /// Room that is filled in later.
    mutating func zeros(_ length: Int) {
        reserve(length)
        unsafe (memory + count).initializeMemory(as: UInt8.self, repeating: 0, count: length)
        count += length
    }

    /// The first `length` of the 16 bytes of two numbers.
    mutating func integers(_ numbers: (UInt64, UInt64), count length: Int) {
        for index in 0..<length {
            let number = index < 8 ? numbers.0 : numbers.1
            u8(UInt8(truncatingIfNeeded: number >> UInt64(56 - 8 * (index & 7))))
        }
    }

    public mutating func raw(_ value: UnsafeRawBufferPointer) {
        reserve(value.count)
        if let base = value.baseAddress { unsafe (memory + count).copyMemory(from: base, byteCount: value.count) }
        count += value.count
    }

    /// A text field: 4-byte length, then UTF-8.
    public mutating func text(_ value: String) { bytes(Array(value.utf8)) }

    public mutating func array<Value: WireValue>(_ values: [Value]) {
        u32(UInt32(values.count))
        for value in values { value.write(to: &self) }
    }

    /// Lends what was written so far.
    public borrowing func withBytes<R>(_ body: (UnsafeRawBufferPointer) throws -> R) rethrows -> R {
        unsafe try body(UnsafeRawBufferPointer(start: memory, count: count))
    }

    /// Starts a field whose length is not known yet; `endField` fills it in.
    mutating func beginField() -> Int {
        u32(0)
        return count
    }

    mutating func endField(_ start: Int) { patch(UInt32(count - start), at: start - 4) }

    mutating func patch<I: FixedWidthInteger>(_ value: I, at offset: Int) {
        precondition(offset >= 0 && offset + MemoryLayout<I>.size <= count, "inside what was written")
        unsafe memory.storeBytes(of: value.bigEndian, toByteOffset: offset, as: I.self)
    }

    /// Forgets what was written, keeping the memory for the next message.
    public mutating func reset() {
        unsafe kmsd_wipe(memory, count)
        count = 0
    }

    private mutating func integer<I: FixedWidthInteger>(_ value: I) {
        reserve(MemoryLayout<I>.size)
        unsafe memory.storeBytes(of: value.bigEndian, toByteOffset: count, as: I.self)
        count += MemoryLayout<I>.size
    }

    private mutating func reserve(_ more: Int) {
        guard count + more > capacity else { return }
        let larger = max(capacity * 2, count + more)
        let moved = UnsafeMutableRawPointer.allocate(byteCount: larger, alignment: 16)
        unsafe moved.copyMemory(from: memory, byteCount: count)
        unsafe kmsd_wipe(memory, count)
        unsafe memory.deallocate()
        unsafe memory = moved
        capacity = larger
    }
}
