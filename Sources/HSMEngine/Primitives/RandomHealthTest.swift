/// The continuous health tests of SP 800-90B 4.4 on bytes of a random source.
///
/// Cut-offs for a full-entropy source and a false alarm of about 2⁻⁶⁰ a byte: the standard's usual 2⁻²⁰ would stop a module that
/// draws gigabytes about once a day, and a source that is stuck or heavily biased is found as surely.
struct RandomHealthTest: Sendable {
    /// This many equal bytes in a row are a fault (repetition count test): 1 + 60/8, rounded up.
    static let repetitionCutoff = 9
    /// Bytes of one window of the adaptive proportion test.
    static let windowLength = 512
    /// This many occurrences of the window's first byte in it are a fault: P < 2⁻⁶⁰ for 511 further bytes at p = 1/256.
    static let proportionCutoff = 26
    /// Bytes that a source must give without a fault before it is used.
    static let startUpLength = 1_024

    private var last: UInt8?
    private var repetitions = 0
    private var windowByte: UInt8 = 0
    private var windowPosition = 0
    private var occurrences = 0
    private(set) var hasFailed = false

    /// Takes one byte into both tests; false from the first fault on.
    mutating func take(_ byte: UInt8) -> Bool {
        repetitions = byte == last ? repetitions + 1 : 1
        last = byte
        if windowPosition == 0 {
            windowByte = byte
            occurrences = 1
        } else if byte == windowByte {
            occurrences += 1
        }
        windowPosition = (windowPosition + 1) % Self.windowLength
        if repetitions >= Self.repetitionCutoff || occurrences >= Self.proportionCutoff { hasFailed = true }
        return !hasFailed
    }
}
