import HSMBridge

/// One line of the module's journal (日志): sequence number, time, phase, fields, and the hash that chains it to the line before.
///
/// `7 2026-11-23T05:14:30.123456Z begin generateKey uid=0 pid=42 key=A/B/C/01 h=…`. The hash is SHA-256 over 00, the hash of the
/// line before (32 zero bytes before the first) and the text up to the blank before `h=`; modelled on RFC 6962's leaf hash.
enum JournalLine {
    static let firstHash = [UInt8](repeating: 0, count: 32)
    /// Longer lines are not ours: neither written nor read. The newline does not count.
    static let maximumLength = 4_096

    static func hash(_ previous: [UInt8], _ text: [UInt8]) throws(PrimitiveError) -> [UInt8] {
        try DigestAlgorithm.sha256.hash([0x00] + previous + text)
    }

    /// ` h=` and the hash.
    private static let tailLength = 3 + 64

    /// The text before the hash. Whatever is not a visible character of ASCII is made harmless here, so that no caller can write a
    /// line of his own. Nothing is left out: what a command was carried out with has to stand in its line.
    static func text(sequence: UInt64, time: Int64, phase: String, name: String, fields: [JournalField]) -> [UInt8] {
        var text = "\(sequence) \(JournalTime.text(time)) \(phase) \(name)"
        for field in fields { text += " \(field.name)=\(harmless(field.value))" }
        return Array(text.utf8)
    }

    static func harmless(_ value: String) -> String {
        guard !value.isEmpty else { return "-" }
        var clean = ""
        for scalar in value.unicodeScalars {
            clean.unicodeScalars.append((0x21...0x7E).contains(scalar.value) ? scalar : "_")
        }
        return clean
    }

    /// Whether a line with this text is one that is read again.
    static func fits(_ text: [UInt8]) -> Bool { text.count + tailLength <= maximumLength }

    /// Splits a line without its end into text and hash, if it has the form of one.
    static func split(_ line: ArraySlice<UInt8>) -> (text: [UInt8], hash: [UInt8])? {
        guard line.count > tailLength, line.count <= maximumLength else { return nil }
        let cut = line.endIndex - tailLength
        guard Array(line[cut..<cut + 3]) == Array(" h=".utf8),
            let hash = Hex.decode(String(decoding: line[(cut + 3)...], as: UTF8.self))
        else { return nil }
        return (Array(line[line.startIndex..<cut]), hash)
    }

    /// The number that a line's text begins with.
    static func sequence(_ text: [UInt8]) -> UInt64? {
        guard let blank = text.firstIndex(of: 0x20) else { return nil }
        return UInt64(String(decoding: text[..<blank], as: UTF8.self))
    }
}

/// What a journal line says about a command. Never a secret: commands have no means to put one here but text of public values.
struct JournalField: Sendable, Hashable {
    /// Characters of a text from outside.
    static let outsideLimit = 120

    let name: String
    let value: String

    /// A value of our own making: identities, factors, check values, names of our vocabulary. It is never cut; commands bound how many
    /// of them they take, and one whose line would be too long is refused.
    init(_ name: String, _ value: String) {
        self.name = name
        self.value = value
    }

    /// A text that a caller, a reader or a card chose, and that may have any length: cut, with `[+n]` for the n characters left out. No
    /// text that was not cut is as long.
    init(_ name: String, outside value: String) {
        let scalars = value.unicodeScalars
        let rest = scalars.count - Self.outsideLimit
        self.init(name, rest > 0 ? String(scalars.prefix(Self.outsideLimit)) + "[+\(rest)]" : value)
    }

    /// Diversification factors, each as 16 hexadecimal digits.
    static func text(of factors: [UInt64]) -> String {
        factors.map { Hex.encode(BigEndian.bytes($0)) }.joined(separator: ",")
    }

    init(_ name: String, _ value: (some CustomStringConvertible)?) {
        self.name = name
        self.value = value.map { $0.description } ?? "-"
    }
}

/// UTC as `YYYY-MM-DDTHH:MM:SS.ffffffZ`, from microseconds since 1970.
enum JournalTime {
    static func text(_ microseconds: Int64) -> String {
        let seconds = microseconds.quotientAndRemainder(dividingBy: 1_000_000)
        let day = seconds.quotient.quotientAndRemainder(dividingBy: 86_400)
        let date = civil(day.quotient)
        let clock = day.remainder
        return digits(date.year, 4) + "-" + digits(date.month, 2) + "-" + digits(date.day, 2) + "T"
            + digits(clock / 3_600, 2) + ":" + digits(clock / 60 % 60, 2) + ":" + digits(clock % 60, 2) + "."
            + digits(seconds.remainder, 6) + "Z"
    }

    /// Days since 1970 to the Gregorian calendar, years counted from March so that the leap day is the last.
    private static func civil(_ days: Int64) -> (year: Int64, month: Int64, day: Int64) {
        let shifted = days + 719_468
        let era = shifted / 146_097
        let dayOfEra = shifted % 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let march = (5 * dayOfYear + 2) / 153
        let month = march < 10 ? march + 3 : march - 9
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * march + 2) / 5 + 1)
    }

    private static func digits(_ value: Int64, _ width: Int) -> String {
        let text = String(value)
        return String(repeating: "0", count: max(0, width - text.utf8.count)) + text
    }
}
