public import NIOCore

/// Walks over the fields of one message from left to right, each taken once and checked as it is taken.
///
/// Holds a slice of the read it came from (no copy). A field that is missing or misspelt is refused with the code the
/// caller names, never with a trap: whatever bytes come in, the outcome is a value or a `FieldError`.
public struct FieldReader: Sendable {
    private var rest: ByteBuffer
    /// The eight bytes from `windowStart` on, fetched together: each look into a `ByteBuffer` costs a check of exclusive
    /// access, and most fields are single characters.
    private var window: UInt64 = 0
    private var windowStart = -8

    public init(_ body: ByteBuffer) {
        rest = body
    }

    /// How many bytes have not been taken yet.
    public var remaining: Int { rest.readableBytes }

    /// The byte that comes next, not taken.
    mutating func peek() -> UInt8? {
        let position = rest.readerIndex
        let offset = position - windowStart
        if offset < 8 { return position < rest.writerIndex ? Self.byte(offset, of: window) : nil }
        guard let fetched = rest.getInteger(at: position, as: UInt64.self) else { return rest.getInteger(at: position) }
        window = fetched
        windowStart = position
        return Self.byte(0, of: fetched)
    }

    mutating func byte(_ field: FieldError.Field, _ code: HostErrorCode = .inputData) throws(FieldError) -> UInt8 {
        guard let byte = peek() else { throw FieldError(code, in: field) }
        rest.moveReaderIndex(forwardBy: 1)
        return byte
    }

    private static func byte(_ offset: Int, of word: UInt64) -> UInt8 {
        UInt8(truncatingIfNeeded: word >> UInt64(56 - 8 * offset))
    }

    /// A big-endian binary number of the width of `Number`.
    mutating func integer<Number: FixedWidthInteger>(
        _ field: FieldError.Field, _ code: HostErrorCode = .inputData, as type: Number.Type = Number.self
    ) throws(FieldError) -> Number {
        guard let value = rest.readInteger(as: type) else { throw FieldError(code, in: field) }
        return value
    }

    mutating func slice(
        _ count: Int, _ field: FieldError.Field, _ code: HostErrorCode = .inputData
    ) throws(FieldError) -> ByteBuffer {
        guard count >= 0, let slice = rest.readSlice(length: count) else { throw FieldError(code, in: field) }
        return slice
    }

    mutating func all() -> ByteBuffer {
        defer { rest.moveReaderIndex(to: rest.writerIndex) }
        return rest.slice()
    }

    /// A number written in `digits` decimal digits.
    mutating func decimal(
        digits: Int, _ field: FieldError.Field, _ code: HostErrorCode = .inputData
    ) throws(FieldError) -> Int {
        var value = 0
        for _ in 0..<digits {
            let digit = try byte(field, code)
            guard (0x30...0x39).contains(digit) else { throw FieldError(code, in: field) }
            value = value * 10 + Int(digit - 0x30)
        }
        return value
    }

    /// A number written in `digits` hexadecimal digits, at most 16.
    mutating func hexadecimal(
        digits: Int, _ field: FieldError.Field, _ code: HostErrorCode = .inputData
    ) throws(FieldError) -> UInt64 {
        var value: UInt64 = 0
        for _ in 0..<digits {
            guard let digit = Hexadecimal.value(of: try byte(field, code)) else { throw FieldError(code, in: field) }
            value = value << 4 | UInt64(digit)
        }
        return value
    }

    /// A one-character choice out of a closed set.
    mutating func choice<Choice: RawRepresentable<UInt8>>(
        _ field: FieldError.Field, _ code: HostErrorCode, as type: Choice.Type = Choice.self
    ) throws(FieldError) -> Choice {
        guard let choice = Choice(rawValue: try byte(field, code)) else { throw FieldError(code, in: field) }
        return choice
    }

    /// Text of fixed length out of letters and digits.
    mutating func alphanumeric(
        _ count: Int, _ field: FieldError.Field, _ code: HostErrorCode = .inputData
    ) throws(FieldError) -> String {
        let text = try slice(count, field, code)
        guard text.readableBytesView.allSatisfy(Self.isAlphanumeric) else { throw FieldError(code, in: field) }
        return String(buffer: text)
    }

    /// Printable text of fixed length, spaces included.
    mutating func printable(
        _ count: Int, _ field: FieldError.Field, _ code: HostErrorCode = .inputData
    ) throws(FieldError) -> String {
        let text = try slice(count, field, code)
        guard text.readableBytesView.allSatisfy({ (0x20...0x7E).contains($0) }) else {
            throw FieldError(code, in: field)
        }
        return String(buffer: text)
    }

    /// Hexadecimal text of fixed length, kept as text in capitals.
    mutating func hexadecimalText(
        _ count: Int, _ field: FieldError.Field, _ code: HostErrorCode = .inputData
    ) throws(FieldError) -> String {
        let text = try slice(count, field, code)
        guard Hexadecimal.isAllDigits(text) else { throw FieldError(code, in: field) }
        return String(buffer: text).uppercased()
    }

    /// Takes the next byte if it is this one.
    mutating func skip(_ expected: UInt8) -> Bool {
        guard peek() == expected else { return false }
        rest.moveReaderIndex(forwardBy: 1)
        return true
    }

    /// Nothing may be left: bytes that no field asked for are a data length error.
    func end() throws(FieldError) {
        guard remaining == 0 else { throw FieldError(.dataLength, in: .end) }
    }

    /// True when what follows after `offset` bytes is nothing, an LMK identifier, a trailer, or both: the only ways a
    /// message may end. Used where the length of a field has to be told from where the message ends.
    func isEnd(after offset: Int) -> Bool {
        guard offset < remaining else { return offset == remaining }
        var copy = self
        copy.rest.moveReaderIndex(forwardBy: offset)
        return (try? copy.messageEnd()) != nil
    }

    private static func isAlphanumeric(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
        default: false
        }
    }
}

extension ByteBuffer {
    mutating func writeHexadecimal(_ value: UInt64, digits: Int) {
        for shift in stride(from: (digits - 1) * 4, through: 0, by: -4) {
            writeInteger(Hexadecimal.digit(UInt8(truncatingIfNeeded: value >> UInt64(shift))))
        }
    }

    mutating func writeDecimal(_ value: Int, digits: Int) {
        var divisor = 1
        for _ in 1..<max(digits, 1) { divisor *= 10 }
        while divisor > 0 {
            writeInteger(UInt8(0x30 + (value / divisor) % 10))
            divisor /= 10
        }
    }

    mutating func writeHexadecimal(of bytes: some Sequence<UInt8>) {
        for byte in bytes {
            writeInteger(Hexadecimal.digit(byte >> 4))
            writeInteger(Hexadecimal.digit(byte))
        }
    }

    mutating func writeBytes(of other: ByteBuffer) {
        writeImmutableBuffer(other)
    }
}
