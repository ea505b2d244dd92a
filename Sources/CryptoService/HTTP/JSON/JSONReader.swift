import NIOCore

/// Reads one JSON text (RFC 8259) straight into the slots of a table of fields.
///
/// Strict: no unknown or repeated names, no `null`, nothing behind the object, no byte order mark. It goes as deep as the
/// table and no deeper, because nothing that the table does not name is ever read; so neither depth nor length of a
/// request costs more than the limits of its fields. Numbers count by value: `8`, `8.0` and `80e-1` are the same integer
/// (JSON Schema 2020-12 §6.1.1).
struct JSONReader {
    private var position = 0
    private let text: ByteBuffer

    static func read(_ text: ByteBuffer, _ fields: [JSONField]) throws(JSONFault) -> JSONBody {
        var reader = JSONReader(text: text)
        let bytes = text.readableBytesUInt8Span
        reader.skipSpace(bytes)
        guard reader.position < bytes.count else { throw .syntax(at: 0) }
        guard bytes[reader.position] == UInt8(ascii: "{") else {
            throw reader.beginsJSON(bytes) ? .notAnObject : .syntax(at: reader.position)
        }
        let body = try reader.object(bytes, fields, in: "")
        reader.skipSpace(bytes)
        guard reader.position == bytes.count else { throw .syntax(at: reader.position) }
        return body
    }

    private init(text: ByteBuffer) { self.text = text }

    /// Whether what is no object begins as another JSON value does: only for the words of the refusal.
    private func beginsJSON(_ bytes: Span<UInt8>) -> Bool {
        switch bytes[position] {
        case UInt8(ascii: "["), UInt8(ascii: "\""), UInt8(ascii: "-"), 0x30...0x39: true
        case UInt8(ascii: "t"), UInt8(ascii: "f"), UInt8(ascii: "n"): true
        default: false
        }
    }

    // MARK: Structure

    private mutating func object(
        _ bytes: Span<UInt8>, _ fields: [JSONField], in path: String
    ) throws(JSONFault) -> JSONBody {
        position += 1
        var slots = [JSONSlot](repeating: .absent, count: fields.count)
        skipSpace(bytes)
        if take(UInt8(ascii: "}"), bytes) { return try complete(fields, slots, in: path) }
        while true {
            let index = try name(bytes, fields, in: path)
            guard case .absent = slots[index] else { throw .repeatedField(path + fields[index].name) }
            skipSpace(bytes)
            try expect(UInt8(ascii: ":"), bytes)
            skipSpace(bytes)
            slots[index] = try value(bytes, fields[index].kind, fields[index], in: path)
            skipSpace(bytes)
            if take(UInt8(ascii: ","), bytes) {
                skipSpace(bytes)
                continue
            }
            try expect(UInt8(ascii: "}"), bytes)
            return try complete(fields, slots, in: path)
        }
    }

    private func complete(
        _ fields: [JSONField], _ slots: [JSONSlot], in path: String
    ) throws(JSONFault) -> JSONBody {
        for index in fields.indices where fields[index].isRequired {
            if case .absent = slots[index] { throw .missingField(path + fields[index].name) }
        }
        return JSONBody(fields: fields, slots: slots)
    }

    /// Which field a name is.
    private mutating func name(
        _ bytes: Span<UInt8>, _ fields: [JSONField], in path: String
    ) throws(JSONFault) -> Int {
        guard position < bytes.count, bytes[position] == UInt8(ascii: "\"") else { throw .syntax(at: position) }
        let start = position + 1
        for index in fields.indices {
            let name = fields[index].bytes
            let end = start + name.count
            guard end < bytes.count, bytes[end] == UInt8(ascii: "\"") else { continue }
            var isSame = true
            for offset in name.indices where bytes[start + offset] != name[offset] {
                isSame = false
                break
            }
            if isSame {
                position = end + 1
                return index
            }
        }
        // Not as it stands: perhaps with escapes, else unknown.
        let characters = try string(bytes)
        let span = characters.readableBytesUInt8Span
        for index in fields.indices where fields[index].bytes.count == span.count {
            if span.indices.allSatisfy({ span[$0] == fields[index].bytes[$0] }) { return index }
        }
        throw .unknownField(path + Self.printable(characters))
    }

    private mutating func value(
        _ bytes: Span<UInt8>, _ kind: JSONField.Kind, _ field: JSONField, in path: String
    ) throws(JSONFault) -> JSONSlot {
        guard position < bytes.count else { throw .syntax(at: position) }
        let first = bytes[position]
        switch kind {
        case .text, .digits, .key, .hexadecimal, .choice:
            guard first == UInt8(ascii: "\"") else { break }
            let characters = try string(bytes)
            if let slot = Self.slot(characters, kind) { return slot }
        case .integer(let range):
            guard first == UInt8(ascii: "-") || (0x30...0x39).contains(first) else { break }
            if let number = try number(bytes), range.contains(number) { return .integer(number) }
        case .number(let numbers):
            guard first == UInt8(ascii: "-") || (0x30...0x39).contains(first) else { break }
            if let number = try number(bytes), numbers.contains(number) { return .integer(number) }
        case .flag:
            if take("true", bytes) { return .flag(true) }
            if take("false", bytes) { return .flag(false) }
        case .list(let range, let element):
            guard first == UInt8(ascii: "[") else { break }
            if let list = try list(bytes, range, element, field, in: path) { return .list(list) }
        case .object(let fields):
            guard first == UInt8(ascii: "{") else { break }
            return .object(try object(bytes, fields, in: path + field.name + "."))
        }
        throw .invalidField(path + field.name, expected: field.about)
    }

    /// Nil for too few or too many elements.
    private mutating func list(
        _ bytes: Span<UInt8>, _ range: ClosedRange<Int>, _ element: JSONField.Kind, _ field: JSONField, in path: String
    ) throws(JSONFault) -> [JSONSlot]? {
        position += 1
        var list: [JSONSlot] = []
        skipSpace(bytes)
        if take(UInt8(ascii: "]"), bytes) { return range.contains(0) ? [] : nil }
        while true {
            guard list.count < range.upperBound else { return nil }
            let place = JSONField("\(field.name)[\(list.count)]", element, field.about)
            list.append(try value(bytes, element, place, in: path))
            skipSpace(bytes)
            if take(UInt8(ascii: ","), bytes) {
                skipSpace(bytes)
                continue
            }
            try expect(UInt8(ascii: "]"), bytes)
            return range.contains(list.count) ? list : nil
        }
    }

    // MARK: Values

    /// What the characters mean for their kind; nil where they are not as they should be.
    private static func slot(_ characters: ByteBuffer, _ kind: JSONField.Kind) -> JSONSlot? {
        let span = characters.readableBytesUInt8Span
        switch kind {
        case .text(let range):
            guard range.contains(span.count), span.indices.allSatisfy({ (0x20...0x7E).contains(span[$0]) }) else {
                return nil
            }
        case .digits(let range):
            guard range.contains(span.count), span.indices.allSatisfy({ (0x30...0x39).contains(span[$0]) }) else {
                return nil
            }
        case .key: guard KeyText.isKey(characters) else { return nil }
        case .hexadecimal(let count):
            guard span.count.isMultiple(of: 2), count.contains(span.count / 2) else { return nil }
            for index in span.indices where HexDigits.value(span[index]) == nil { return nil }
        case .choice(let words):
            for index in words.indices where words[index].utf8.count == span.count {
                if words[index].utf8.elementsEqual(characters.readableBytesView) { return .choice(index) }
            }
            return nil
        default: return nil
        }
        return .text(characters)
    }

    /// The characters of a string, as a slice of the request unless there are escapes in it. Bytes beyond ASCII are handed on
    /// unread: no field takes them.
    private mutating func string(_ bytes: Span<UInt8>) throws(JSONFault) -> ByteBuffer {
        position += 1
        let start = position
        while position < bytes.count {
            let byte = bytes[position]
            if byte == UInt8(ascii: "\"") {
                defer { position += 1 }
                return text.getSlice(at: text.readerIndex + start, length: position - start) ?? ByteBuffer()
            }
            if byte == UInt8(ascii: "\\") { return try escaped(bytes, from: start) }
            guard byte >= 0x20 else { throw .syntax(at: position) }
            position += 1
        }
        throw .syntax(at: position)
    }

    private mutating func escaped(_ bytes: Span<UInt8>, from start: Int) throws(JSONFault) -> ByteBuffer {
        var characters = text.getSlice(at: text.readerIndex + start, length: position - start) ?? ByteBuffer()
        while position < bytes.count {
            let byte = bytes[position]
            position += 1
            switch byte {
            case UInt8(ascii: "\""): return characters
            case UInt8(ascii: "\\"): characters.writeInteger(try escape(bytes))
            case 0x20...: characters.writeInteger(byte)
            default: throw .syntax(at: position - 1)
            }
        }
        throw .syntax(at: position)
    }

    /// The character of an escape; X'FF', which no field takes, for all beyond ASCII.
    private mutating func escape(_ bytes: Span<UInt8>) throws(JSONFault) -> UInt8 {
        guard position < bytes.count else { throw .syntax(at: position) }
        let letter = bytes[position]
        position += 1
        switch letter {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return letter
        case UInt8(ascii: "b"): return 0x08
        case UInt8(ascii: "f"): return 0x0C
        case UInt8(ascii: "n"): return 0x0A
        case UInt8(ascii: "r"): return 0x0D
        case UInt8(ascii: "t"): return 0x09
        case UInt8(ascii: "u"):
            guard position + 4 <= bytes.count else { throw .syntax(at: bytes.count) }
            var code = 0
            for _ in 0..<4 {
                guard let digit = HexDigits.value(bytes[position]) else { throw .syntax(at: position) }
                code = code << 4 | Int(digit)
                position += 1
            }
            return code < 0x80 ? UInt8(code) : 0xFF
        default: throw .syntax(at: position - 1)
        }
    }

    /// Nil for a number that is no integer or beyond what a request can mean.
    private mutating func number(_ bytes: Span<UInt8>) throws(JSONFault) -> Int? {
        let isNegative = take(UInt8(ascii: "-"), bytes)
        var digits = JSONDecimal()
        let start = position
        while let digit = digit(bytes) { digits.append(digit, isFraction: false) }
        guard position > start else { throw .syntax(at: position) }
        // A leading zero stands alone.
        guard bytes[start] != 0x30 || position == start + 1 else { throw .syntax(at: start + 1) }
        if take(UInt8(ascii: "."), bytes) {
            let start = position
            while let digit = digit(bytes) { digits.append(digit, isFraction: true) }
            guard position > start else { throw .syntax(at: position) }
        }
        if take(UInt8(ascii: "e"), bytes) || take(UInt8(ascii: "E"), bytes) {
            let isDown = take(UInt8(ascii: "-"), bytes)
            if !isDown { _ = take(UInt8(ascii: "+"), bytes) }
            let start = position
            var exponent = 0
            while let digit = digit(bytes) { exponent = min(exponent * 10 + Int(digit), 1_000_000) }
            guard position > start else { throw .syntax(at: position) }
            digits.exponent += isDown ? -exponent : exponent
        }
        return digits.integer.map { isNegative ? -$0 : $0 }
    }

    // MARK: Bytes

    private mutating func digit(_ bytes: Span<UInt8>) -> UInt8? {
        guard position < bytes.count, (0x30...0x39).contains(bytes[position]) else { return nil }
        defer { position += 1 }
        return bytes[position] - 0x30
    }

    private mutating func skipSpace(_ bytes: Span<UInt8>) {
        while position < bytes.count {
            switch bytes[position] {
            case 0x20, 0x0A, 0x0D, 0x09: position += 1
            default: return
            }
        }
    }

    private mutating func take(_ byte: UInt8, _ bytes: Span<UInt8>) -> Bool {
        guard position < bytes.count, bytes[position] == byte else { return false }
        position += 1
        return true
    }

    private mutating func take(_ word: StaticString, _ bytes: Span<UInt8>) -> Bool {
        let count = word.utf8CodeUnitCount
        guard position + count <= bytes.count else { return false }
        let letters = Array(word.description.utf8)
        for index in 0..<count where bytes[position + index] != letters[index] { return false }
        position += count
        return true
    }

    private mutating func expect(_ byte: UInt8, _ bytes: Span<UInt8>) throws(JSONFault) {
        guard take(byte, bytes) else { throw .syntax(at: position) }
    }

    /// What of an unknown name may stand in an answer.
    private static func printable(_ name: ByteBuffer) -> String {
        String(
            decoding: name.readableBytesView.prefix(32).map { byte in
                switch byte {
                case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, UInt8(ascii: "_"), UInt8(ascii: "-"): byte
                default: UInt8(ascii: "?")
                }
            }, as: UTF8.self)
    }
}

/// A number while it is read: its digits without zeros at either end, and a power of ten.
private struct JSONDecimal {
    private var value = 0
    /// Zeros seen that count only if another digit follows.
    private var zeros = 0
    private var isHuge = false
    var exponent = 0

    mutating func append(_ digit: UInt8, isFraction: Bool) {
        if isFraction { exponent -= 1 }
        guard digit != 0 else {
            if value != 0 { zeros = min(zeros + 1, 1_000_000) } else { return }
            return
        }
        shift(zeros + 1)
        zeros = 0
        let (sum, overflow) = value.addingReportingOverflow(Int(digit))
        value = sum
        isHuge = isHuge || overflow
    }

    /// The value if it is an integer that an `Int` holds.
    var integer: Int? {
        guard !isHuge else { return nil }
        guard value != 0 else { return 0 }
        var copy = self
        let power = exponent + zeros
        guard (0...18).contains(power) else { return nil }
        copy.shift(power)
        return copy.isHuge ? nil : copy.value
    }

    private mutating func shift(_ places: Int) {
        guard value != 0 else { return }
        guard places <= 19 else {
            isHuge = true
            return
        }
        for _ in 0..<places {
            let (product, overflow) = value.multipliedReportingOverflow(by: 10)
            value = product
            isHuge = isHuge || overflow
        }
    }
}
