/// Money (金额) in whole fen (分); there is no floating point anywhere near it.
///
/// Arithmetic traps on overflow: a wrong sum of money must stop the program rather than be posted. What comes from outside is
/// bounded before it becomes an `Amount` (`ConsumptionRecord` takes at most `UInt32.max` fen).
public struct Amount: Hashable, Comparable, Sendable {
    public let fen: Int64

    public init(fen: Int64) {
        self.fen = fen
    }

    public static let zero = Amount(fen: 0)

    public static func + (left: Amount, right: Amount) -> Amount { Amount(fen: left.fen + right.fen) }
    public static func - (left: Amount, right: Amount) -> Amount { Amount(fen: left.fen - right.fen) }
    public static prefix func - (amount: Amount) -> Amount { Amount(fen: -amount.fen) }
    public static func += (left: inout Amount, right: Amount) { left = left + right }
    public static func < (left: Amount, right: Amount) -> Bool { left.fen < right.fen }
}

extension Amount: CustomStringConvertible {
    /// Yuan with two decimals, for example `-1234.05`.
    public var description: String {
        let magnitude = fen.magnitude
        let cents = magnitude % 100
        return "\(fen < 0 ? "-" : "")\(magnitude / 100).\(cents < 10 ? "0" : "")\(cents)"
    }

    /// Yuan with two decimals and groups of three digits, for people: `1,234.05`.
    public var grouped: String {
        let plain = description
        let point = plain.utf8.count - 3
        let whole = plain.prefix(point)
        let sign = whole.hasPrefix("-") ? "-" : ""
        let digits = Array(whole.drop { $0 == "-" })
        var text = ""
        for (index, digit) in digits.enumerated() {
            if index > 0, (digits.count - index) % 3 == 0 { text.append(",") }
            text.append(digit)
        }
        return sign + text + plain.suffix(3)
    }
}

extension Sequence where Element == Amount {
    public var sum: Amount { reduce(.zero, +) }
}
