import CryptoClient
import NIOCore

/// What stood in one field.
enum JSONSlot: Sendable {
    case absent
    /// Characters of a text, a key, a choice; or hexadecimal digits, an even number. A slice of the request where it can be.
    case text(ByteBuffer)
    case integer(Int)
    /// The place in the list of words.
    case choice(Int)
    case flag(Bool)
    case list([JSONSlot])
    case object(JSONBody)
}

/// A JSON object that was read by a table of fields: what is asked of it is there and in its limits.
struct JSONBody: Sendable {
    let fields: [JSONField]
    fileprivate(set) var slots: [JSONSlot]

    /// Throws for whatever the table does not allow; a required field that was not thrown for is there.
    init(_ text: ByteBuffer, _ fields: [JSONField]) throws(JSONFault) {
        self = try JSONReader.read(text, fields)
    }

    init(fields: [JSONField], slots: [JSONSlot]) {
        self.fields = fields
        self.slots = slots
    }

    private func slot(_ field: JSONField) -> JSONSlot {
        for index in fields.indices where fields[index].bytes == field.bytes { return slots[index] }
        return .absent
    }

    func has(_ field: JSONField) -> Bool { if case .absent = slot(field) { false } else { true } }

    /// The characters or digits; empty where the field is absent.
    func text(_ field: JSONField) -> ByteBuffer { if case .text(let text) = slot(field) { text } else { ByteBuffer() } }

    func string(_ field: JSONField) -> String? {
        if case .text(let text) = slot(field) { String(buffer: text) } else { nil }
    }

    func integer(_ field: JSONField) -> Int { if case .integer(let number) = slot(field) { number } else { 0 } }

    /// False where the field is absent.
    func flag(_ field: JSONField) -> Bool { if case .flag(let flag) = slot(field) { flag } else { false } }

    /// The place of the word in the field's list; nil where the field is absent.
    func choice(_ field: JSONField) -> Int? { if case .choice(let index) = slot(field) { index } else { nil } }

    /// The bytes that the digits stand for.
    func bytes(_ field: JSONField) -> ByteBuffer { HexDigits.bytes(text(field)) }

    /// At most eight bytes as a big-endian number.
    func number(_ field: JSONField) -> UInt64 { HexDigits.number(text(field)) }

    func list(_ field: JSONField) -> [JSONSlot] { if case .list(let list) = slot(field) { list } else { [] } }

    func objects(_ field: JSONField) -> [JSONBody] {
        list(field).compactMap { if case .object(let body) = $0 { body } else { nil } }
    }

    func object(_ field: JSONField) -> JSONBody? { if case .object(let body) = slot(field) { body } else { nil } }
}

/// Hexadecimal digits that were checked when they were read.
enum HexDigits {
    @inline(__always)
    static func value(_ digit: UInt8) -> UInt8? {
        switch digit {
        case 0x30...0x39: digit - 0x30
        case 0x41...0x46: digit - 0x37
        case 0x61...0x66: digit - 0x57
        default: nil
        }
    }

    static func bytes(_ digits: ByteBuffer) -> ByteBuffer {
        let span = digits.readableBytesUInt8Span
        var bytes = ByteBuffer()
        bytes.reserveCapacity(span.count / 2)
        var index = 0
        // Eight bytes at a time: one write to the buffer costs more than the digits.
        while index + 16 <= span.count {
            var word: UInt64 = 0
            for offset in 0..<16 { word = word << 4 | UInt64(value(span[index + offset]) ?? 0) }
            bytes.writeInteger(word)
            index += 16
        }
        while index + 2 <= span.count {
            bytes.writeInteger((value(span[index]) ?? 0) << 4 | (value(span[index + 1]) ?? 0))
            index += 2
        }
        return bytes
    }

    static func number(_ digits: ByteBuffer) -> UInt64 {
        let span = digits.readableBytesUInt8Span
        var number: UInt64 = 0
        for index in span.indices { number = number << 4 | UInt64(value(span[index]) ?? 0) }
        return number
    }
}
