import FoundationEssentials
import Glibc
import HSMBridge
import NIOCore

/// Passwords on their way into the body of one request, a line each; overwritten when this goes.
struct SecretLines: ~Copyable {
    /// Of fixed capacity, so that it never moves and leaves a copy behind.
    private(set) var buffer: ByteBuffer
    private static let capacity = 4_096

    init() { buffer = ByteBufferAllocator().buffer(capacity: Self.capacity) }

    /// Asks for a password that exists.
    init(asking question: String) throws {
        self.init()
        try append(try SecretPrompt.required(question))
    }

    /// Asks for a password that is being made: on a terminal twice.
    mutating func appendNew(_ question: String) throws {
        let first = try SecretPrompt.required(question)
        if isatty(STDIN_FILENO) == 1 {
            let second = try SecretPrompt.required("Once more: ")
            let isSame = unsafe first.withBytes { one in
                unsafe second.withBytes { two in unsafe one.elementsEqual(two) }
            }
            guard isSame else { throw CommandFailure("The two inputs differ; nothing was changed.") }
        }
        try append(first)
    }

    mutating func append(_ secret: borrowing SecretInput) throws {
        if buffer.writableBytes < secret.count + 1 { throw CommandFailure("The input is too long.") }
        unsafe secret.withBytes { bytes in _ = unsafe buffer.writeBytes(bytes) }
        buffer.writeInteger(UInt8(ascii: "\n"))
    }

    /// The first line of a file: the bootstrap token.
    mutating func append(lineOf path: String) throws {
        let file = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else {
            throw CommandFailure(
                "Cannot read \(path). `kmsd serve` writes the token there while there is no administrator.")
        }
        defer { close(file) }
        let secret: SecretInput
        do throws(SecretInput.Refusal) { secret = try SecretInput(lineFrom: file) } catch {
            throw CommandFailure("\(path) holds no bootstrap token.")
        }
        try append(secret)
    }

    deinit {
        // In place, past copy-on-write: the buffer was lent to the HTTP client, which is done with it.
        unsafe buffer.withVeryUnsafeBytes { bytes in
            if let start = bytes.baseAddress {
                unsafe explicit_bzero(UnsafeMutableRawPointer(mutating: start), bytes.count)
            }
        }
    }
}
