/// Writes one flat JSON object in one way only, so that its bytes can be hashed.
struct CanonicalJSON {
    private var bytes: [UInt8] = [UInt8(ascii: "{")]

    var finished: String { String(decoding: bytes + [UInt8(ascii: "}")], as: UTF8.self) }

    mutating func text(_ name: String, _ value: String) {
        member(name)
        string(value)
    }

    mutating func number(_ name: String, _ value: UInt64) {
        member(name)
        bytes += String(value).utf8
    }

    mutating func list(_ name: String, _ values: [String]) {
        member(name)
        bytes.append(UInt8(ascii: "["))
        for index in values.indices {
            if index > 0 { bytes.append(UInt8(ascii: ",")) }
            string(values[index])
        }
        bytes.append(UInt8(ascii: "]"))
    }

    mutating func object(_ name: String, _ values: [(String, String)]) {
        member(name)
        bytes.append(UInt8(ascii: "{"))
        for index in values.indices {
            if index > 0 { bytes.append(UInt8(ascii: ",")) }
            string(values[index].0)
            bytes.append(UInt8(ascii: ":"))
            string(values[index].1)
        }
        bytes.append(UInt8(ascii: "}"))
    }

    private mutating func member(_ name: String) {
        if bytes.count > 1 { bytes.append(UInt8(ascii: ",")) }
        string(name)
        bytes.append(UInt8(ascii: ":"))
    }

    /// Quote, backslash and control characters are escaped (RFC 8259 clause 7); everything else stands as UTF-8.
    private mutating func string(_ value: String) {
        bytes.append(UInt8(ascii: "\""))
        for byte in value.utf8 {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"): bytes += [UInt8(ascii: "\\"), byte]
            case 0..<0x20, 0x7F:
                bytes += "\\u00".utf8
                bytes += [Self.digit(byte >> 4), Self.digit(byte & 15)]
            default: bytes.append(byte)
            }
        }
        bytes.append(UInt8(ascii: "\""))
    }

    private static func digit(_ nibble: UInt8) -> UInt8 { nibble < 10 ? 0x30 + nibble : 0x61 + nibble - 10 }
}

/// Reads what `CanonicalJSON` wrote, member by member in the expected order, and takes nothing else.
struct CanonicalJSONReader {
    private let bytes: [UInt8]
    private var offset = 0

    init(_ text: String) {
        bytes = [UInt8](text.utf8)
        if !take(UInt8(ascii: "{")) { offset = bytes.count + 1 }
    }

    /// After the last member.
    var atEnd: Bool {
        var rest = self
        return rest.take(UInt8(ascii: "}")) && rest.offset == rest.bytes.count
    }

    mutating func text(_ name: String) -> String? { member(name) ? string() : nil }

    mutating func number(_ name: String) -> UInt64? {
        guard member(name) else { return nil }
        let start = offset
        while offset < bytes.count, (0x30...0x39).contains(bytes[offset]) { offset += 1 }
        guard offset > start, offset - start == 1 || bytes[start] != 0x30 else { return nil }
        return UInt64(String(decoding: bytes[start..<offset], as: UTF8.self))
    }

    mutating func list(_ name: String) -> [String]? {
        guard member(name), take(UInt8(ascii: "[")) else { return nil }
        var values: [String] = []
        if take(UInt8(ascii: "]")) { return values }
        repeat {
            guard let value = string() else { return nil }
            values.append(value)
        } while take(UInt8(ascii: ","))
        return take(UInt8(ascii: "]")) ? values : nil
    }

    mutating func object(_ name: String) -> [(String, String)]? {
        guard member(name), take(UInt8(ascii: "{")) else { return nil }
        var values: [(String, String)] = []
        if take(UInt8(ascii: "}")) { return values }
        repeat {
            guard let key = string(), take(UInt8(ascii: ":")), let value = string() else { return nil }
            values.append((key, value))
        } while take(UInt8(ascii: ","))
        return take(UInt8(ascii: "}")) ? values : nil
    }

    private mutating func member(_ name: String) -> Bool {
        if offset > 1, !take(UInt8(ascii: ",")) { return false }
        return string() == name && take(UInt8(ascii: ":"))
    }

    private mutating func take(_ byte: UInt8) -> Bool {
        guard offset < bytes.count, bytes[offset] == byte else { return false }
        offset += 1
        return true
    }

    private mutating func string() -> String? {
        guard take(UInt8(ascii: "\"")) else { return nil }
        var value: [UInt8] = []
        while offset < bytes.count {
            let byte = bytes[offset]
            offset += 1
            switch byte {
            case UInt8(ascii: "\""):
                let text = String(decoding: value, as: UTF8.self)
                return text.utf8.elementsEqual(value) ? text : nil
            case UInt8(ascii: "\\"):
                guard let escaped = escape() else { return nil }
                value.append(escaped)
            case 0..<0x20, 0x7F: return nil
            default: value.append(byte)
            }
        }
        return nil
    }

    private mutating func escape() -> UInt8? {
        guard offset < bytes.count else { return nil }
        let byte = bytes[offset]
        offset += 1
        if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") { return byte }
        guard byte == UInt8(ascii: "u"), offset + 4 <= bytes.count else { return nil }
        let digits = String(decoding: bytes[offset..<offset + 4], as: UTF8.self)
        guard let value = UInt8(digits, radix: 16), value < 0x20 || value == 0x7F, digits == digits.lowercased() else {
            return nil
        }
        offset += 4
        return value
    }
}
