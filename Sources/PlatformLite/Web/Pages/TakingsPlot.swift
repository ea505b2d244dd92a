/// Takings a day as an inline SVG bar chart; only numbers and dates get into it, so it needs no escaping.
enum TakingsPlot {
    private static let width = 720
    private static let height = 220
    private static let left = 70
    private static let bottom = 28
    private static let top = 12
    static let maximumDays = 62

    /// `days` in their order; days without takings in between are drawn as gaps, unless the range is longer than 62 days.
    static func svg(_ days: [(BusinessDate, Amount)], title: String) -> String {
        let bars = filled(days)
        guard let highest = bars.map(\.1.fen).max(), highest > 0 else { return "" }
        let scale = ceiling(highest)
        let plotHeight = Int64(height - bottom - top)
        let slot = min((width - left) / max(bars.count, 1), 60)
        var svg = "<svg class=\"plot\" viewBox=\"0 0 \(width) \(height)\" role=\"img\" aria-label=\"\(title)\">"
        svg += "<title>\(title)</title>"
        for step in 0...4 as ClosedRange<Int64> {
            let y = Int64(height - bottom) - plotHeight * step / 4
            svg += "<line class=\"grid\" x1=\"\(left)\" y1=\"\(y)\" x2=\"\(width)\" y2=\"\(y)\"/>"
            svg +=
                "<text class=\"axis\" x=\"\(left - 6)\" y=\"\(y + 4)\" text-anchor=\"end\">"
                + "\(Amount(fen: scale * step / 4).grouped)</text>"
        }
        for (index, (date, amount)) in bars.enumerated() {
            let barHeight = plotHeight * max(amount.fen, 0) / scale
            let x = left + index * slot
            svg +=
                "<rect class=\"bar\" x=\"\(x + 1)\" y=\"\(Int64(height - bottom) - barHeight)\" "
                + "width=\"\(max(slot - 2, 1))\" height=\"\(barHeight)\"><title>\(date): \(amount.grouped)</title></rect>"
            if index % max(1, (bars.count + 7) / 8) == 0 {
                svg +=
                    "<text class=\"axis\" x=\"\(x + slot / 2)\" y=\"\(height - 10)\" text-anchor=\"middle\">"
                    + "\(TwoDigits(date.month))-\(TwoDigits(date.day))</text>"
            }
        }
        return svg + "</svg>"
    }

    private static func filled(_ days: [(BusinessDate, Amount)]) -> [(BusinessDate, Amount)] {
        guard let first = days.first?.0, let last = days.last?.0 else { return [] }
        let known = Dictionary(days, uniquingKeysWith: +)
        var bars: [(BusinessDate, Amount)] = []
        var day: BusinessDate? = first
        while let date = day, date <= last {
            guard bars.count < maximumDays else { return Array(days.suffix(maximumDays)) }
            bars.append((date, known[date] ?? .zero))
            day = date.next
        }
        return bars
    }

    /// The next of 1, 2, 4, 5, 8, 10 times a power of ten, so that the axis reads well.
    private static func ceiling(_ value: Int64) -> Int64 {
        var power: Int64 = 1
        while power * 10 < value { power *= 10 }
        return [1, 2, 4, 5, 8, 10].map { $0 * power }.first { $0 >= value } ?? value
    }
}
