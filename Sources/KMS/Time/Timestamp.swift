/// An instant in UTC, microseconds since 1970-01-01: for records, validity dates and approvals, not for measuring time.
public struct Timestamp: Sendable, Hashable, Comparable, CustomStringConvertible {
    public let microseconds: Int64

    public init(microseconds: Int64) { self.microseconds = microseconds }

    public func adding(seconds: Int64) -> Timestamp {
        let (product, tooLong) = seconds.multipliedReportingOverflow(by: 1_000_000)
        let (sum, tooFar) = microseconds.addingReportingOverflow(product)
        return Timestamp(microseconds: tooLong || tooFar ? (seconds < 0 ? .min : .max) : sum)
    }

    public static func < (left: Timestamp, right: Timestamp) -> Bool { left.microseconds < right.microseconds }

    /// `2026-11-23T05:30:00.000000Z`, always 27 characters for the years 0 to 9999.
    public var text: String {
        let (days, dayMicroseconds) = Self.floorDivide(microseconds, 86_400_000_000)
        let date = CivilDate(daysSince1970: days)
        let (seconds, fraction) = Self.floorDivide(dayMicroseconds, 1_000_000)
        return "\(Self.digits(date.year, 4))-\(Self.digits(date.month, 2))-\(Self.digits(date.day, 2))"
            + "T\(Self.digits(seconds / 3_600, 2)):\(Self.digits(seconds / 60 % 60, 2)):\(Self.digits(seconds % 60, 2))"
            + ".\(Self.digits(fraction, 6))Z"
    }

    public var description: String { text }

    /// From the form of `text`, or from `2026-11-23` (midnight), or with whole seconds; nil for anything else.
    public init?(_ text: String) {
        let bytes = Array(text.utf8)
        func number(_ from: Int, _ count: Int) -> Int64? {
            guard from + count <= bytes.count else { return nil }
            var value: Int64 = 0
            for byte in bytes[from..<from + count] {
                guard (0x30...0x39).contains(byte) else { return nil }
                value = value * 10 + Int64(byte - 0x30)
            }
            return value
        }
        func has(_ mark: Character, at index: Int) -> Bool { index < bytes.count && bytes[index] == mark.asciiValue }
        guard let year = number(0, 4), has("-", at: 4), let month = number(5, 2), has("-", at: 7),
            let day = number(8, 2),
            let date = CivilDate(year: year, month: month, day: day)
        else { return nil }
        var microseconds = date.daysSince1970 * 86_400_000_000
        if bytes.count > 10 {
            guard has("T", at: 10), let hour = number(11, 2), has(":", at: 13), let minute = number(14, 2),
                has(":", at: 16), let second = number(17, 2), hour < 24, minute < 60, second < 60
            else { return nil }
            microseconds += ((hour * 60 + minute) * 60 + second) * 1_000_000
            if bytes.count == 27 {
                guard has(".", at: 19), let fraction = number(20, 6), has("Z", at: 26) else { return nil }
                microseconds += fraction
            } else {
                guard bytes.count == 20, has("Z", at: 19) else { return nil }
            }
        }
        self.microseconds = microseconds
    }

    private static func floorDivide(_ value: Int64, _ by: Int64) -> (Int64, Int64) {
        let remainder = value % by
        return remainder < 0 ? (value / by - 1, remainder + by) : (value / by, remainder)
    }

    private static func digits(_ value: Int64, _ width: Int) -> String {
        let text = String(value)
        return String(repeating: "0", count: max(0, width - text.utf8.count)) + text
    }
}

/// A day of the Gregorian calendar; the arithmetic counts in eras of 400 years that begin on 1 March.
struct CivilDate {
    let year: Int64
    let month: Int64
    let day: Int64

    /// Nil for a day that does not exist.
    init?(year: Int64, month: Int64, day: Int64) {
        guard (1...12).contains(month), (1...31).contains(day) else { return nil }
        let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
        let lengths: [Int64] = [31, leap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
        guard day <= lengths[Int(month) - 1] else { return nil }
        self.year = year
        self.month = month
        self.day = day
    }

    init(daysSince1970 days: Int64) {
        let shifted = days + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let marchMonth = (5 * dayOfYear + 2) / 153
        day = dayOfYear - (153 * marchMonth + 2) / 5 + 1
        month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9
        year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
    }

    var daysSince1970: Int64 {
        let marchYear = month <= 2 ? year - 1 : year
        let era = (marchYear >= 0 ? marchYear : marchYear - 399) / 400
        let yearOfEra = marchYear - era * 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }
}
