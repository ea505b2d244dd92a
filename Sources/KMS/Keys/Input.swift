internal import HSMBridge

/// Rules for what people type.
enum Input {
    /// Printable text of so many bytes; control characters would make records and screens lie.
    static func text(_ text: String, _ what: String, _ length: ClosedRange<Int>) throws(KMSError) {
        guard length.contains(text.utf8.count),
            text.unicodeScalars.allSatisfy({ $0.value >= 0x20 && !(0x7F...0x9F).contains($0.value) })
        else { throw .invalidInput(what) }
    }

    /// Issuer codes, product codes, labels.
    static func code(_ code: String, _ what: String) throws(KMSError) {
        guard KeyIdentity.isValidPart(code) else { throw .invalidInput(what) }
    }

    /// Names of administrators and service clients: 1 to 32 of `a–z 0–9 . _ -`, beginning with a letter.
    static func account(_ name: String) throws(KMSError) {
        let bytes = Array(name.utf8)
        guard (1...32).contains(bytes.count), (0x61...0x7A).contains(bytes[0]),
            bytes.allSatisfy({
                (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) || $0 == 0x2E || $0 == 0x5F || $0 == 0x2D
            })
        else { throw .invalidInput("name (a–z, 0–9, . _ -, first a letter, at most 32)") }
    }
}
