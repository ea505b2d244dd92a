import NIOCore

/// Neighbouring items of a message to the module whose answers go the same way: the requests of one read of one connection
/// under one key, usually; or a single one.
struct ModuleRun {
    enum Purpose {
        /// `OpenKey`, which goes along with the first command of a key.
        case open(KeyEntry)
        /// For a connection, the numbers of its requests ascending from the asker's; for a call always one.
        case answer(Asker)
    }

    let purpose: Purpose
    /// How the answers read.
    let shape: AnswerShape
    /// Nil where the command has no key.
    let key: KeyEntry?
    /// A handle was void: this time the key went along as a block.
    let isRetry: Bool
    var count = 1
    /// How a request with two keys is asked anew when one of their handles was void; nil where the item itself can go again.
    var again: (() -> Void)?
}

/// What became of a run's requests.
struct RunTally {
    var succeeded = 0
    var failed = 0
    /// Verdicts of "wrong" among the failed.
    var wrong = 0
    /// Wrong MACs of issuer data, under right cryptograms, among the failed.
    var wrongIssuerData = 0
    /// Sent again.
    var again = 0

    var count: Int { succeeded + failed + again }

    @inline(__always)
    mutating func note(_ isRight: Bool) {
        succeeded += isRight ? 1 : 0
        failed += isRight ? 0 : 1
        wrong += isRight ? 0 : 1
    }
}

/// The items of a message that was sent, found one after the other.
struct SentItems {
    let message: ByteBuffer
    private var index = 0
    /// Behind length and count.
    private var offset = 8

    init(_ message: ByteBuffer) { self.message = message }

    /// Item number `wanted`, with its head (code 2 | length 4); nil where there is none. Numbers never go down.
    mutating func item(_ wanted: Int) -> ByteBuffer? {
        while let length = message.getInteger(at: offset + 2, as: UInt32.self) {
            if index == wanted { return message.getSlice(at: offset, length: 6 + Int(length)) }
            offset += 6 + Int(length)
            index += 1
        }
        return nil
    }
}
