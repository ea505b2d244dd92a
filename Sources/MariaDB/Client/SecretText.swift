import Glibc

/// A zero-terminated text that must not stay in memory: a password, or the one statement that carries it.
///
/// Bytes live in one allocation that `deinit` overwrites. It is made for the moments of a log-in, so the memory is not locked.
@safe struct SecretText: ~Copyable {
    private let storage: UnsafeMutableRawBufferPointer
    let count: Int

    /// Copies `count` bytes that `fill` writes and puts a zero after them.
    init(capacity: Int, filledBy fill: (UnsafeMutableRawBufferPointer) -> Int) {
        unsafe storage = UnsafeMutableRawBufferPointer.allocate(byteCount: capacity + 1, alignment: 1)
        unsafe storage.initializeMemory(as: UInt8.self, repeating: 0)
        let filled = unsafe fill(UnsafeMutableRawBufferPointer(rebasing: storage[0..<capacity]))
        count = max(0, min(filled, capacity))
    }

    deinit {
        unsafe Self.wipe(storage)
        unsafe storage.deallocate()
    }

    private static func wipe(_ bytes: UnsafeMutableRawBufferPointer) {
        if let start = bytes.baseAddress { unsafe explicit_bzero(start, bytes.count) }
    }

    /// Lends the bytes with their terminating zero.
    func withCString<R>(_ body: (UnsafePointer<CChar>) -> R) -> R {
        unsafe storage.withMemoryRebound(to: CChar.self) { characters in
            // The allocation has at least one byte, so there is a base address.
            unsafe characters.baseAddress.map { unsafe body(UnsafePointer($0)) }!
        }
    }

    func withBytes<R: ~Copyable>(_ body: (UnsafeRawBufferPointer) -> R) -> R {
        unsafe body(UnsafeRawBufferPointer(rebasing: storage[0..<count]))
    }
}

extension SecretText {
    static let lengthLimit = 512

    /// The first line of a file, or nil if the file cannot be read or is longer than 512 bytes.
    static func firstLine(ofFile path: String) -> SecretText? {
        let file = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY)
        guard file >= 0 else { return nil }
        defer { close(file) }
        var failed = false
        let text = unsafe SecretText(capacity: lengthLimit) { buffer in
            let got = unsafe Glibc.read(file, buffer.baseAddress, buffer.count)
            failed = got < 0 || got == buffer.count
            guard !failed else { return 0 }
            var length = 0
            while length < got, unsafe buffer[length] != 0x0A, unsafe buffer[length] != 0x0D { length += 1 }
            unsafe wipe(UnsafeMutableRawBufferPointer(rebasing: buffer[length...]))
            return length
        }
        if failed { return nil }
        return consume text
    }
}
