import NIOCore

/// Date and time in the monitoring answers: YYMMDD HHMMSS, each six digits (the order of the parts is inferred), UTC in ours.
public struct HostMoment: Sendable, Hashable {
    /// Twelve digits.
    public let digits: String

    /// From seconds since 1970-01-01 00:00 UTC. Before 1970 counts as then.
    public init(secondsSince1970 seconds: Int64) {
        let seconds = max(0, seconds)
        let (days, rest) = (seconds / 86_400, seconds % 86_400)
        // Days to year, month and day, years counted from March so that the leap day is the last.
        let shifted = days + 719_468
        let era = shifted / 146_097
        let day = shifted - era * 146_097
        let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365
        let ofYear = day - (365 * year + year / 4 - year / 100)
        let month = (5 * ofYear + 2) / 153
        let dayOfMonth = ofYear - (153 * month + 2) / 5 + 1
        let number = month < 10 ? month + 3 : month - 9
        let civil = year + era * 400 + (number <= 2 ? 1 : 0)
        let parts = [civil % 100, number, dayOfMonth, rest / 3_600, rest / 60 % 60, rest % 60]
        digits = parts.map { $0 < 10 ? "0\($0)" : "\($0)" }.joined()
    }

    init(from reader: inout FieldReader) throws(FieldError) {
        digits = try reader.decimalText(12, .dateTime)
    }
}

/// What J3 and J5 begin with: whose figures these are, and of which time.
public struct MonitoringPeriod: Sendable, Hashable {
    /// 12 characters.
    public let serial: String
    /// When counting began, when it ended (while it goes on: now), and now.
    public let start: HostMoment
    public let end: HostMoment
    public let now: HostMoment

    /// Pads or cuts the serial number to its length.
    public init(serial: String, start: HostMoment, end: HostMoment, now: HostMoment) {
        self.serial = Self.serial(serial)
        self.start = start
        self.end = end
        self.now = now
    }

    static func serial(_ text: String) -> String { String((text + "            ").prefix(12)) }

    init(from reader: inout FieldReader) throws(FieldError) {
        serial = try reader.printable(12, .figures)
        start = try HostMoment(from: &reader)
        end = try HostMoment(from: &reader)
        now = try HostMoment(from: &reader)
    }

    func write(into buffer: inout ByteBuffer) { buffer.writeString(serial + start.digits + end.digits + now.digits) }
}

extension FieldReader {
    /// Decimal digits, kept as text.
    mutating func decimalText(
        _ count: Int, _ field: FieldError.Field, _ code: HostErrorCode = .inputData
    ) throws(FieldError) -> String {
        let text = try slice(count, field, code)
        guard text.readableBytesView.allSatisfy({ (0x30...0x39).contains($0) }) else {
            throw FieldError(code, in: field)
        }
        return String(buffer: text)
    }
}

extension ByteBuffer {
    /// A count in as many digits as the field has; one that is too large is shown as the largest.
    mutating func writeCount(_ count: UInt64, digits: Int) {
        let largest = (0..<digits).reduce(UInt64(1)) { value, _ in value * 10 } - 1
        writeDecimal(Int(min(count, largest)), digits: digits)
    }
}
