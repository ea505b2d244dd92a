import CLinux

/// Bytes of a key, component or PIN: in locked memory, of fixed length, never copied by accident, wiped at the end of life.
///
/// Has no description and no array form on purpose: what cannot be printed cannot be logged.
@safe struct SecretBytes: ~Copyable, @unchecked Sendable {
    let count: Int
    private let base: UnsafeMutableRawPointer
    private let memory: SecretMemory

    /// Zeros.
    init(count: Int) throws(PrimitiveError) { try self.init(count: count, in: .shared) }

    /// Zeros, from an allocator other than the shared one (tests).
    init(count: Int, in memory: SecretMemory) throws(PrimitiveError) {
        let piece = try unsafe memory.allocate(count)
        self.count = count
        unsafe base = piece
        self.memory = memory
    }

    init(
        count: Int, initializedBy body: (inout MutableSpan<UInt8>) throws(PrimitiveError) -> Void
    ) throws(PrimitiveError) {
        var made = try SecretBytes(count: count)
        try made.withMutableBytes(body)
        self = made
    }

    init(copying bytes: Span<UInt8>) throws(PrimitiveError) {
        try self.init(count: bytes.count)
        let target = unsafe UnsafeMutableRawBufferPointer(start: base, count: count)
        unsafe bytes.withUnsafeBytes { source in unsafe target.copyMemory(from: source) }
    }

    init(copying other: borrowing SecretBytes) throws(PrimitiveError) {
        try self.init(count: other.count)
        unsafe base.copyMemory(from: other.base, byteCount: count)
    }

    /// `a` xor `b`, which have one length; the step of a key ceremony.
    init(xor a: borrowing SecretBytes, _ b: borrowing SecretBytes) throws(PrimitiveError) {
        var made = try SecretBytes(copying: a)
        try made.xor(with: b)
        self = made
    }

    deinit { unsafe memory.release(base, count) }

    func withBytes<R: ~Copyable, E: Error>(_ body: (Span<UInt8>) throws(E) -> R) throws(E) -> R {
        let start = unsafe UnsafePointer(base.assumingMemoryBound(to: UInt8.self))
        return try body(unsafe Span(_unsafeStart: start, count: count))
    }

    mutating func withMutableBytes<R: ~Copyable, E: Error>(
        _ body: (inout MutableSpan<UInt8>) throws(E) -> R
    ) throws(E) -> R {
        var span = unsafe MutableSpan(_unsafeStart: base.assumingMemoryBound(to: UInt8.self), count: count)
        return try body(&span)
    }

    /// For libcrypto; the pointer must not leave the closure.
    @unsafe func withUnsafePointer<R: ~Copyable, E: Error>(
        _ body: (UnsafeMutableRawPointer) throws(E) -> R
    ) throws(E) -> R {
        try unsafe body(base)
    }

    mutating func xor(with other: borrowing SecretBytes) throws(PrimitiveError) {
        guard other.count == count else { throw .keyLengthInvalid }
        let mine = unsafe base.assumingMemoryBound(to: UInt8.self)
        let theirs = unsafe other.base.assumingMemoryBound(to: UInt8.self)
        for index in 0..<count { unsafe mine[index] ^= theirs[index] }
    }

    /// A copy of some of the bytes.
    func extracting(_ range: Range<Int>) throws(PrimitiveError) -> SecretBytes {
        guard range.lowerBound >= 0, range.upperBound <= count else { throw .keyLengthInvalid }
        let part = try SecretBytes(count: range.count)
        unsafe part.base.copyMemory(from: base + range.lowerBound, byteCount: range.count)
        return part
    }

    /// In constant time for equal lengths; a length is not a secret.
    func isEqual(to other: borrowing SecretBytes) -> Bool {
        guard other.count == count else { return false }
        return unsafe ConstantTime.equal(base, other.base, count)
    }
}

/// A holder for one secret, for the places that take no non-copyable values (dictionaries, enum payloads).
final class SecretBox: Sendable {
    let bytes: SecretBytes
    init(_ bytes: consuming SecretBytes) { self.bytes = bytes }
}
