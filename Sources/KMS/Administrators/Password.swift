internal import Glibc
import Synchronization

/// A password on its way from a person to its check: raw bytes in one place, overwritten when it is let go.
///
/// It is never a `String` or an array of ours, cannot be copied, printed or compared.
@safe
public struct Password: ~Copyable, @unchecked Sendable {
    /// Bytes.
    public static let maximumLength = 128
    /// Bytes; asked for where a password is made, not where it is checked.
    public static let minimumLength = 12

    private let memory: UnsafeMutableRawBufferPointer
    let count: Int

    /// Lets `fill` write up to `capacity` bytes in place; it answers how many it wrote.
    public init(capacity: Int, filledBy fill: (UnsafeMutableRawBufferPointer) -> Int) throws(KMSError) {
        let room = max(1, min(capacity, Self.maximumLength))
        let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: room, alignment: 8)
        unsafe memory.initializeMemory(as: UInt8.self, repeating: 0)
        let filled = unsafe fill(memory)
        guard (1...room).contains(filled) else {
            unsafe Self.wipe(memory)
            unsafe memory.deallocate()
            throw .passwordUnacceptable
        }
        unsafe self.memory = memory
        count = filled
    }

    /// Takes the bytes out of an array (a decoded form field) and overwrites them there, whatever becomes of it.
    public init(wiping bytes: inout [UInt8]) throws(KMSError) {
        let length = bytes.count
        let room = max(1, min(length, Self.maximumLength))
        let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: room, alignment: 8)
        unsafe bytes.withUnsafeMutableBytes { source in
            for index in 0..<min(room, length) { unsafe memory[index] = source[index] }
            unsafe Self.wipe(source)
        }
        bytes = []
        guard (1...Self.maximumLength).contains(length) else {
            unsafe Self.wipe(memory)
            unsafe memory.deallocate()
            throw .passwordUnacceptable
        }
        unsafe self.memory = memory
        count = length
    }

    /// Reads one line from a file descriptor, byte by byte, without its end of line.
    public init(lineFrom descriptor: Int32) throws(KMSError) {
        var broken = false
        try unsafe self.init(capacity: Self.maximumLength) { buffer in
            var length = 0
            while true {
                var byte: UInt8 = 0
                let got = unsafe read(descriptor, &byte, 1)
                if got < 0 && errno == EINTR { continue }
                broken = got < 0
                if got <= 0 || byte == 0x0A { break }
                if byte == 0x0D { continue }
                guard length < buffer.count else { return -1 }
                unsafe buffer[length] = byte
                length += 1
            }
            return broken ? -1 : length
        }
    }

    deinit {
        unsafe Self.wipe(memory)
        unsafe memory.deallocate()
    }

    /// Lends the bytes, to Argon2 and to the digest of a bootstrap token.
    borrowing func withBytes<R, E: Error>(_ body: (UnsafeRawBufferPointer) throws(E) -> R) throws(E) -> R {
        unsafe try body(UnsafeRawBufferPointer(rebasing: memory[0..<count]))
    }

    /// For bootstrap tokens, which are random; never for passwords. The copy that is hashed lives for this call.
    var digest: [UInt8] {
        unsafe withBytes { bytes in SHA256.hash(unsafe [UInt8](bytes)) }
    }

    /// Length, the account's own name, and one byte again and again: the rules for a password that is being made.
    borrowing func requireAcceptable(forAccount name: String) throws(KMSError) {
        guard count >= Self.minimumLength else { throw .passwordTooShort }
        let account = Array(name.utf8)
        let simple = unsafe withBytes { bytes in
            unsafe (bytes.allSatisfy { unsafe $0 == bytes[0] } || bytes.elementsEqual(account))
        }
        if simple { throw .passwordUnacceptable }
    }

    private static func wipe(_ bytes: UnsafeMutableRawBufferPointer) {
        if let start = bytes.baseAddress { unsafe explicit_bzero(start, bytes.count) }
    }
}

/// Carries a password into a closure on another queue; taken exactly once.
final class PasswordParcel: Sendable {
    private let held: Mutex<Password?>

    init(_ password: consuming Password) { held = Mutex(password) }

    func take() -> Password? {
        held.withLock { held in
            let taken = held.take()
            return taken
        }
    }
}
