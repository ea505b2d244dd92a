import NIOCore

/// Writes JSON straight into the buffer that is sent. The caller keeps the order of names and values.
struct JSONWriter {
    private(set) var buffer: ByteBuffer
    /// Whether the next name or element needs a comma before it.
    private var needsComma = false

    init(_ buffer: ByteBuffer = ByteBuffer()) { self.buffer = buffer }

    mutating func beginObject() { open(UInt8(ascii: "{")) }
    mutating func endObject() { close(UInt8(ascii: "}")) }
    mutating func beginList() { open(UInt8(ascii: "[")) }
    mutating func endList() { close(UInt8(ascii: "]")) }

    mutating func name(_ name: String) {
        separate()
        quoted(name)
        buffer.writeInteger(UInt8(ascii: ":"))
        needsComma = false
    }

    mutating func value(_ text: String) {
        separate()
        quoted(text)
        needsComma = true
    }

    mutating func value(_ number: Int) {
        separate()
        buffer.writeString(String(number))
        needsComma = true
    }

    mutating func value(_ flag: Bool) {
        separate()
        buffer.writeString(flag ? "true" : "false")
        needsComma = true
    }

    /// A value that is JSON already.
    mutating func value(written text: String) {
        separate()
        buffer.writeString(text)
        needsComma = true
    }

    /// Two capital hexadecimal digits a byte.
    mutating func value(hexadecimal bytes: ByteBuffer) {
        separate()
        buffer.writeInteger(UInt8(ascii: "\""))
        let span = bytes.readableBytesUInt8Span
        for index in span.indices { buffer.writeInteger(Self.digits(span[index])) }
        buffer.writeInteger(UInt8(ascii: "\""))
        needsComma = true
    }

    mutating func field(_ field: JSONField, _ text: String) {
        name(field.name)
        value(text)
    }

    mutating func field(_ field: JSONField, hexadecimal bytes: ByteBuffer) {
        name(field.name)
        value(hexadecimal: bytes)
    }

    // MARK: Pieces

    private mutating func open(_ bracket: UInt8) {
        separate()
        buffer.writeInteger(bracket)
        needsComma = false
    }

    private mutating func close(_ bracket: UInt8) {
        buffer.writeInteger(bracket)
        needsComma = true
    }

    private mutating func separate() {
        if needsComma { buffer.writeInteger(UInt8(ascii: ",")) }
    }

    private mutating func quoted(_ text: String) {
        buffer.writeInteger(UInt8(ascii: "\""))
        if text.utf8.allSatisfy({ $0 >= 0x20 && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "\\") }) {
            buffer.writeString(text)
        } else {
            for byte in text.utf8 { escape(byte) }
        }
        buffer.writeInteger(UInt8(ascii: "\""))
    }

    private mutating func escape(_ byte: UInt8) {
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"): buffer.writeMultipleIntegers(UInt8(ascii: "\\"), byte)
        case 0x00..<0x20:
            buffer.writeString("\\u00")
            buffer.writeInteger(Self.digits(byte))
        default: buffer.writeInteger(byte)
        }
    }

    private static func digits(_ byte: UInt8) -> UInt16 {
        func digit(_ nibble: UInt8) -> UInt16 { UInt16(nibble < 10 ? 0x30 + nibble : 0x37 + nibble) }
        return digit(byte >> 4) << 8 | digit(byte & 15)
    }
}
