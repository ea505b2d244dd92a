/// Figures as people read them, in few columns.
enum FigureText {
    /// `1,234,567`.
    static func count(_ value: some BinaryInteger) -> String {
        let digits = String(value.magnitude)
        var text = ""
        for (index, digit) in digits.enumerated() {
            if index > 0, (digits.count - index) % 3 == 0 { text.append(",") }
            text.append(digit)
        }
        return (value < 0 ? "-" : "") + text
    }

    /// A rate: one decimal below 100, none above.
    static func rate(_ value: Double) -> String {
        guard value.isFinite else { return "-" }
        return value < 99.95 ? fixed(max(0, value), 1) : count(Int(value.rounded()))
    }

    /// Seconds as `480 µs`, `1.25 ms`, `2.50 s`; `-` for nil.
    static func time(_ seconds: Double?) -> String {
        guard let seconds, seconds.isFinite else { return "-" }
        switch seconds {
        case ..<0.000_999_5: return "\(Int((seconds * 1e6).rounded())) µs"
        case ..<0.009_995: return fixed(seconds * 1e3, 2) + " ms"
        case ..<0.099_95: return fixed(seconds * 1e3, 1) + " ms"
        case ..<0.999_5: return "\(Int((seconds * 1e3).rounded())) ms"
        default: return fixed(seconds, 2) + " s"
        }
    }

    /// `34.1 MB`, in thousands as the field counts memory.
    static func bytes(_ value: Double) -> String {
        for (unit, size) in [("GB", 1e9), ("MB", 1e6), ("kB", 1e3)] where value >= size {
            return fixed(value / size, 1) + " " + unit
        }
        return "\(Int(value)) B"
    }

    /// `3 d 04:12:09`.
    static func duration(_ seconds: Double) -> String {
        let all = Int(max(0, seconds.isFinite ? seconds : 0))
        let (days, hours, minutes) = (all / 86_400, all / 3_600 % 24, all / 60 % 60)
        return (days > 0 ? "\(days) d " : "") + "\(two(hours)):\(two(minutes)):\(two(all % 60))"
    }

    static func fixed(_ value: Double, _ decimals: Int) -> String {
        let scale = (0..<decimals).reduce(1.0) { scale, _ in scale * 10 }
        let units = Int((value.magnitude * scale).rounded())
        let sign = value < 0 && units > 0 ? "-" : ""
        guard decimals > 0 else { return sign + String(units) }
        let digits = String(units)
        let padded = String(repeating: "0", count: max(0, decimals + 1 - digits.count)) + digits
        return sign + padded.dropLast(decimals) + "." + padded.suffix(decimals)
    }

    private static func two(_ value: Int) -> String { value < 10 ? "0\(value)" : "\(value)" }

    /// Cut or filled to a width; `right` for numbers. What was cut ends with `…`.
    static func column(_ text: String, _ width: Int, right: Bool = false) -> String {
        if text.count > width { return width > 0 ? text.prefix(width - 1) + "…" : "" }
        let fill = String(repeating: " ", count: width - text.count)
        return right ? fill + text : text + fill
    }
}
