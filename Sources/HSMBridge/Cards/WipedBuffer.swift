import CLinux

/// Memory for one APDU or answer, overwritten when it is given up, since it may carry a PIN or a key component.
///
/// Whoever shares one between threads says which thread may touch it when (`CardLine.Phase`).
@safe final class WipedBuffer: @unchecked Sendable {
    /// The longest short APDU is 261 bytes and one more for T=0, the longest answer 258; pcscd's own limit is 264.
    static let size = 264
    private let memory = UnsafeMutableRawPointer.allocate(byteCount: WipedBuffer.size, alignment: 16)

    init() {
        unsafe memory.initializeMemory(as: UInt8.self, repeating: 0, count: WipedBuffer.size)
    }

    deinit {
        wipe()
        unsafe memory.deallocate()
    }

    func wipe() {
        unsafe kmsd_wipe(memory, WipedBuffer.size)
    }

    subscript(index: Int) -> UInt8 {
        get {
            precondition((0..<WipedBuffer.size).contains(index), "index within the buffer")
            return unsafe memory.load(fromByteOffset: index, as: UInt8.self)
        }
        set {
            precondition((0..<WipedBuffer.size).contains(index), "index within the buffer")
            unsafe memory.storeBytes(of: newValue, toByteOffset: index, as: UInt8.self)
        }
    }

    /// Takes over the first `count` bytes of another buffer.
    func copy(_ other: WipedBuffer, count: Int) {
        precondition((0...WipedBuffer.size).contains(count), "count within the buffer")
        unsafe memory.copyMemory(from: other.memory, byteCount: count)
    }

    /// Takes over `source`, which fits.
    func copy(_ source: RawSpan) {
        precondition(source.byteCount <= WipedBuffer.size, "an APDU fits the buffer")
        unsafe source.withUnsafeBytes { source in
            guard let address = source.baseAddress else { return }
            unsafe memory.copyMemory(from: address, byteCount: source.count)
        }
    }

    /// Writes the first `count` bytes to `target` from `offset` on; false, and nothing written, when they do not fit.
    func paste(into target: inout MutableRawSpan, at offset: Int, count: Int) -> Bool {
        guard count <= WipedBuffer.size, offset + count <= target.byteCount else { return false }
        for index in 0..<count {
            target.storeBytes(of: self[index], toByteOffset: offset + index, as: UInt8.self)
        }
        return true
    }

    /// An ordinary copy, for bytes that are no secret.
    func array(count: Int) -> [UInt8] {
        (0..<count).map { self[$0] }
    }

    /// The memory itself, for the C call that fills or sends it.
    @unsafe func pointer(count: Int) -> UnsafeMutableRawBufferPointer {
        precondition((0...WipedBuffer.size).contains(count), "count within the buffer")
        return unsafe UnsafeMutableRawBufferPointer(start: memory, count: count)
    }
}
