internal import CLinux
internal import Glibc

/// What a person types for the module's eyes only: a PIN, or a key component in hexadecimal.
///
/// It exists on its way from the keyboard to the module's socket, in memory that is wiped; nobody but the module looks inside
/// (`withBytes` is visible in this package only, and `HouseTests` names who may call it). Administrators' passwords are typed
/// through it too, on their way to `kmsd serve`.
@safe
public struct SecretInput: ~Copyable, @unchecked Sendable {
    /// Bytes; a component of an AES-256 key is the longest.
    public static let maximumLength = 64

    private let memory: UnsafeMutableRawPointer
    public let count: Int

    /// Why typed input was not taken.
    public enum Refusal: Error, Sendable, Hashable {
        case empty
        case tooLong
        case notHexadecimal
        case unreadable
    }

    /// Reads one line from a file descriptor, byte by byte, without its end of line. With `hexadecimal`, digits are decoded
    /// in place (blanks between groups are allowed).
    public init(lineFrom descriptor: Int32, hexadecimal: Bool = false) throws(Refusal) {
        let buffer = UnsafeMutableRawPointer.allocate(byteCount: 4 * Self.maximumLength, alignment: 8)
        let outcome = unsafe Self.readLine(descriptor, into: buffer, hexadecimal: hexadecimal)
        switch outcome {
        case .success(let length):
            unsafe memory = buffer
            count = length
        case .failure(let refusal):
            unsafe kmsd_wipe(buffer, 4 * Self.maximumLength)
            unsafe buffer.deallocate()
            throw refusal
        }
    }

    /// From a message on the bridge.
    init(from reader: inout WireReader) throws(WireError) {
        let length = Int(try reader.u32())
        guard (1...Self.maximumLength).contains(length) else { throw .valueInvalid }
        let buffer = UnsafeMutableRawPointer.allocate(byteCount: 4 * Self.maximumLength, alignment: 8)
        do {
            unsafe try reader.withRaw(length) { source in
                if let base = source.baseAddress { unsafe buffer.copyMemory(from: base, byteCount: length) }
            }
        } catch {
            unsafe buffer.deallocate()
            throw error
        }
        unsafe memory = buffer
        count = length
    }

    deinit {
        unsafe kmsd_wipe(memory, 4 * Self.maximumLength)
        unsafe memory.deallocate()
    }

    borrowing func write(to writer: inout WireWriter) {
        writer.u32(UInt32(count))
        unsafe writer.raw(UnsafeRawBufferPointer(start: memory, count: count))
    }

    /// Lends the bytes: to `HSMEngine`, and to the command line where a password goes into the body of one request.
    package borrowing func withBytes<R, E: Error>(_ body: (UnsafeRawBufferPointer) throws(E) -> R) throws(E) -> R {
        unsafe try body(UnsafeRawBufferPointer(start: memory, count: count))
    }

    private static func readLine(
        _ descriptor: Int32, into buffer: UnsafeMutableRawPointer, hexadecimal: Bool
    ) -> Result<Int, Refusal> {
        var length = 0
        var high: UInt8?
        while true {
            var byte: UInt8 = 0
            let got = unsafe read(descriptor, &byte, 1)
            if got < 0 && errno == EINTR { continue }
            guard got >= 0 else { return .failure(.unreadable) }
            if got == 0 || byte == 0x0A { break }
            if byte == 0x0D { continue }
            if hexadecimal {
                if byte == 0x20 { continue }
                guard let nibble = Hex.value(byte) else { return .failure(.notHexadecimal) }
                guard let first = high else {
                    high = nibble
                    continue
                }
                byte = first << 4 | nibble
                high = nil
            }
            guard length < maximumLength else { return .failure(.tooLong) }
            unsafe buffer.storeBytes(of: byte, toByteOffset: length, as: UInt8.self)
            length += 1
        }
        guard high == nil else { return .failure(.notHexadecimal) }
        return length > 0 ? .success(length) : .failure(.empty)
    }
}
