/// A time of the day by the terminal's clock.
public struct TimeOfDay: Hashable, Comparable, Sendable {
    /// `HHMMSS` as a number.
    public let number: Int

    public init?(number: Int) {
        guard number >= 0, number / 10_000 < 24, number / 100 % 100 < 60, number % 100 < 60 else { return nil }
        self.number = number
    }

    public static func < (left: TimeOfDay, right: TimeOfDay) -> Bool { left.number < right.number }
}

extension TimeOfDay: CustomStringConvertible {
    /// `HH:MM:SS`.
    public var description: String {
        "\(TwoDigits(number / 10_000)):\(TwoDigits(number / 100 % 100)):\(TwoDigits(number % 100))"
    }
}

/// The meal (餐次) a purchase belongs to, by the time on the terminal.
///
/// The periods cover the whole day and do not overlap. The night meal crosses midnight; a purchase keeps the date of its own
/// clock (the cut-off of a business day at another hour is left for later).
public enum Meal: String, CaseIterable, Sendable {
    case breakfast, lunch, dinner, night

    public init(at time: TimeOfDay) {
        switch time.number {
        case 50_000..<100_000: self = .breakfast
        case 100_000..<150_000: self = .lunch
        case 150_000..<210_000: self = .dinner
        default: self = .night
        }
    }
}
