internal import HSMBridge

/// Bytes with places for values, such as `84D4{type}{id}`: how a profile spells commands and headers.
struct ByteTemplate: Sendable, Hashable {
    enum Part: Sendable, Hashable {
        case bytes([UInt8])
        case token(String)
    }

    let parts: [Part]

    /// Hexadecimal digits, blanks, and `{token}`; nil for anything else.
    init?(_ text: String) {
        var parts: [Part] = []
        var digits = ""
        var token: String?
        for character in text {
            switch (character, token) {
            case ("{", nil):
                guard let bytes = Hex.decode(digits) else { return nil }
                if !bytes.isEmpty { parts.append(.bytes(bytes)) }
                digits = ""
                token = ""
            case ("}", let name?):
                guard !name.isEmpty else { return nil }
                parts.append(.token(name))
                token = nil
            case (_, let name?):
                guard character.isLetter, character.isASCII else { return nil }
                token = name + String(character)
            case (" ", nil): continue
            case (_, nil): digits.append(character)
            }
        }
        guard token == nil, let bytes = Hex.decode(digits) else { return nil }
        if !bytes.isEmpty { parts.append(.bytes(bytes)) }
        guard !parts.isEmpty else { return nil }
        self.parts = parts
    }

    var tokens: [String] {
        parts.compactMap { part in
            guard case .token(let name) = part else { return nil }
            return name
        }
    }

    /// Nil with the token's name where a value is missing.
    func bytes(_ values: [String: [UInt8]]) throws(MissingToken) -> [UInt8] {
        var bytes: [UInt8] = []
        for part in parts {
            switch part {
            case .bytes(let fixed): bytes += fixed
            case .token(let name):
                guard let value = values[name] else { throw MissingToken(name: name) }
                bytes += value
            }
        }
        return bytes
    }

    struct MissingToken: Error { let name: String }
}
