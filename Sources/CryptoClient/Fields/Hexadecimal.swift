import NIOCore

/// Hexadecimal digits on the wire: written in capitals, read in either case.
enum Hexadecimal {
    /// The value of one digit; nil when the byte is not one.
    @inline(__always)
    static func value(of digit: UInt8) -> UInt8? {
        switch digit {
        case 0x30...0x39: digit - 0x30
        case 0x41...0x46: digit - 0x37
        case 0x61...0x66: digit - 0x57
        default: nil
        }
    }

    @inline(__always)
    static func digit(_ value: UInt8) -> UInt8 {
        let value = value & 0x0F
        return value < 10 ? 0x30 + value : 0x37 + value
    }

    /// True when every readable byte is a hexadecimal digit.
    static func isAllDigits(_ text: ByteBuffer) -> Bool {
        let span = text.readableBytesUInt8Span
        for index in span.indices where value(of: span[index]) == nil { return false }
        return true
    }

    /// The bytes that an even number of digits stands for; nil when the count is odd or a character is no digit.
    static func decode(_ text: ByteBuffer) -> [UInt8]? {
        let span = text.readableBytesUInt8Span
        guard span.count.isMultiple(of: 2) else { return nil }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(span.count / 2)
        for index in stride(from: 0, to: span.count, by: 2) {
            guard let high = value(of: span[index]), let low = value(of: span[index + 1]) else { return nil }
            bytes.append(high << 4 | low)
        }
        return bytes
    }
}
