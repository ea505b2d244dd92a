/// A day of the Gregorian calendar as the terminal's clock shows it (交易日期), without time or zone.
public struct BusinessDate: Hashable, Comparable, Sendable {
    public let year: Int
    public let month: Int
    public let day: Int

    /// Nil for a day that the calendar does not have, and outside 2000…2099.
    public init?(year: Int, month: Int, day: Int) {
        guard (2000...2099).contains(year), (1...12).contains(month),
            (1...Self.days(in: month, of: year)).contains(day)
        else { return nil }
        self.year = year
        self.month = month
        self.day = day
    }

    /// From `YYYYMMDD` as a number, the form in the database and in records.
    public init?(number: Int) {
        self.init(year: number / 10_000, month: number / 100 % 100, day: number % 100)
    }

    /// From `YYYY-MM-DD` or `YYYYMMDD`.
    public init?(_ text: some StringProtocol) {
        let bytes = Array(text.utf8)
        let dashed = bytes.count == 10 && bytes[4] == 0x2D && bytes[7] == 0x2D
        guard dashed || bytes.count == 8 else { return nil }
        var number = 0
        for (index, byte) in bytes.enumerated() where !(dashed && (index == 4 || index == 7)) {
            guard (0x30...0x39).contains(byte) else { return nil }
            number = number * 10 + Int(byte - 0x30)
        }
        self.init(number: number)
    }

    /// The day of an instant at an offset from UTC (China: 480 minutes).
    public init?(_ instant: Timestamp, offsetMinutes: Int) {
        let seconds = instant.microseconds / 1_000_000 + Int64(offsetMinutes) * 60
        let days = seconds / 86_400 - (seconds % 86_400 < 0 ? 1 : 0)
        // Days to civil date: eras of 400 years = 146,097 days, years from 1 March.
        let shifted = days + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let monthFromMarch = (5 * dayOfYear + 2) / 153
        let month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
        let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
        self.init(year: Int(year), month: Int(month), day: Int(dayOfYear - (153 * monthFromMarch + 2) / 5 + 1))
    }

    public var number: Int { year * 10_000 + month * 100 + day }

    /// The day after; nil after 2099-12-31.
    public var next: BusinessDate? {
        if let date = BusinessDate(year: year, month: month, day: day + 1) { return date }
        if let date = BusinessDate(year: year, month: month + 1, day: 1) { return date }
        return BusinessDate(year: year + 1, month: 1, day: 1)
    }

    public static func < (left: BusinessDate, right: BusinessDate) -> Bool { left.number < right.number }

    private static func days(in month: Int, of year: Int) -> Int {
        switch month {
        case 4, 6, 9, 11: 30
        case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
        default: 31
        }
    }
}

extension BusinessDate: CustomStringConvertible {
    /// `YYYY-MM-DD`.
    public var description: String { "\(year)-\(TwoDigits(month))-\(TwoDigits(day))" }
}

/// An instant: microseconds since 1970-01-01 UTC.
public struct Timestamp: Hashable, Comparable, Sendable {
    public let microseconds: Int64

    public init(microseconds: Int64) {
        self.microseconds = microseconds
    }

    public static func < (left: Timestamp, right: Timestamp) -> Bool { left.microseconds < right.microseconds }

    /// `YYYY-MM-DD HH:MM:SS` at an offset from UTC.
    public func text(offsetMinutes: Int) -> String {
        let seconds = microseconds / 1_000_000 + Int64(offsetMinutes) * 60
        guard let day = BusinessDate(self, offsetMinutes: offsetMinutes), seconds >= 0 else { return "?" }
        let rest = Int(seconds % 86_400)
        return "\(day) \(TwoDigits(rest / 3_600)):\(TwoDigits(rest / 60 % 60)):\(TwoDigits(rest % 60))"
    }
}

/// A number printed with at least two digits.
struct TwoDigits: CustomStringConvertible {
    let value: Int

    init(_ value: Int) {
        self.value = value
    }

    var description: String { value < 10 ? "0\(value)" : "\(value)" }
}
