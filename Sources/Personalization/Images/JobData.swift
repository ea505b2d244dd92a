internal import HSMBridge
import Synchronization

/// The values of one job, checked against the profile's fields and in the form in which they go onto the card.
struct JobData: Sendable {
    /// By field; no secrets.
    let values: [String: [UInt8]]
    /// By field.
    let pins: [String: TransportPIN]
    /// What was said, for the record of the job; no secrets. Defaults included, so that a job that goes on tomorrow has today's date.
    let shown: [String: String]

    init(values: [String: [UInt8]], pins: [String: TransportPIN], shown: [String: String]) {
        (self.values, self.pins, self.shown) = (values, pins, shown)
    }

    /// Any calendar day: profiles are checked before there is a job.
    static let exampleDay = "20260101"

    /// - Parameter today: YYYYMMDD.
    init(_ given: [String: String], fields: [DataField], today: String) throws(IssuingError) {
        for name in given.keys where !fields.contains(where: { $0.name == name }) {
            throw .unknownField(name, allowed: fields.map(\.name))
        }
        var values: [String: [UInt8]] = [:]
        var pins: [String: TransportPIN] = [:]
        var shown: [String: String] = [:]
        for field in fields {
            // A secret of a job that goes on is needed only while its steps are still to come: the image checks that.
            if field.isSecret, given[field.name] == nil { continue }
            guard let text = given[field.name] ?? field.defaultText else {
                throw .dataField(field.name, expected: field.expected)
            }
            guard let bytes = Self.encode(text, field.form, today: today) else {
                throw .dataField(field.name, expected: field.expected)
            }
            if field.isSecret {
                pins[field.name] = TransportPIN(bytes)
            } else {
                values[field.name] = bytes
                shown[field.name] = field.form == .date ? Hex.encode(bytes) : text
            }
        }
        (self.values, self.pins, self.shown) = (values, pins, shown)
    }

    /// Nil where the text is not of that form.
    static func encode(_ text: String, _ form: DataField.Form, today: String) -> [UInt8]? {
        switch form {
        case .digits(let count):
            guard text.utf8.count == count, text.utf8.allSatisfy(isDigit) else { return nil }
            return Hex.decode(text)
        case .hex(let bytes):
            guard text.utf8.count == 2 * bytes else { return nil }
            return Hex.decode(text)
        case .text(let bytes):
            let characters = Array(text.utf8)
            guard characters.count <= bytes, characters.allSatisfy({ $0 >= 0x20 && $0 != 0x7F }) else { return nil }
            return characters + [UInt8](repeating: 0, count: bytes - characters.count)
        case .date: return date(text, today: today)
        case .pin(let range):
            guard range.contains(text.utf8.count), text.utf8.allSatisfy(isDigit) else { return nil }
            return Array(text.utf8)
        }
    }

    /// `today`, `today+NNy` or YYYYMMDD.
    private static func date(_ text: String, today: String) -> [UInt8]? {
        var digits = text
        if text == "today" { digits = today }
        if text.hasPrefix("today+"), text.hasSuffix("y"), let years = Int(text.dropFirst(6).dropLast()),
            (1...30).contains(years),
            let year = Int(today.prefix(4))
        {
            // 29 February has no anniversary in most years.
            let day = today.suffix(4) == "0229" ? "0228" : today.suffix(4)
            digits = "\(year + years)\(day)"
        }
        guard digits.utf8.count == 8, digits.utf8.allSatisfy(isDigit), let year = Int(digits.prefix(4)),
            let month = Int(digits.dropFirst(4).prefix(2)), let day = Int(digits.suffix(2)), (1...12).contains(month)
        else { return nil }
        let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
        let days = [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
        return (1...days[month - 1]).contains(day) ? Hex.decode(digits) : nil
    }

    private static func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }
}

/// The PIN that a card is issued with and its holder changes: in memory only, wiped when the job lets go of it.
final class TransportPIN: Sendable, CustomStringConvertible {
    private let digits: Mutex<[UInt8]>

    init(_ digits: [UInt8]) { self.digits = Mutex(digits) }

    deinit {
        digits.withLock { digits in
            for index in digits.indices { digits[index] = 0 }
        }
    }

    var count: Int { digits.withLock { $0.count } }

    /// The digits for the one command that carries them.
    func withDigits<R, Failure: Error>(_ body: ([UInt8]) throws(Failure) -> R) throws(Failure) -> R {
        let copy = digits.withLock { $0 }
        return try body(copy)
    }

    var description: String { "PIN" }
}
