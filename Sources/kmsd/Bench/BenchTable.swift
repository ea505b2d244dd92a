/// The benchmark's rows as people read them; the same text is a Markdown table.
enum BenchTable {
    static func text(_ rows: [BenchRow]) -> String {
        var cells = [["row", "ours", "reference", "unit", "ratio", "lowest … highest", "target", "met"]]
        for row in rows {
            cells.append([
                row.id, row.oursMedian.map(number) ?? "–", row.referenceMedian.map(number) ?? "–", row.unit,
                row.ratio.map(hundredths) ?? "–",
                row.range.map { "\(hundredths($0.low)) … \(hundredths($0.high))" } ?? "–",
                hundredths(row.target), row.trouble == nil ? row.isMet ? "yes" : "NO" : "not a figure",
            ])
        }
        let widths = cells[0].indices.map { column in cells.map { $0[column].count }.max() ?? 0 }
        var lines = cells.map { row in line(zip(row, widths).map { padded($0, to: $1) }) }
        lines.insert(line(widths.map { String(repeating: "-", count: $0) }), at: 1)
        let troubles = rows.compactMap { row in row.trouble.map { "\(row.id) is not a figure: \($0)" } }
        return (lines + troubles).joined(separator: "\n")
    }

    private static func line(_ cells: [String]) -> String { "| " + cells.joined(separator: " | ") + " |" }

    private static func padded(_ text: String, to width: Int) -> String {
        text + String(repeating: " ", count: width - text.count)
    }

    /// Whole, with a space between thousands.
    static func number(_ value: Double) -> String {
        let digits = Array("\(Int(value.rounded()))")
        var text = ""
        for (index, digit) in digits.enumerated() {
            if index > 0 && (digits.count - index) % 3 == 0 { text.append(" ") }
            text.append(digit)
        }
        return text
    }

    static func hundredths(_ value: Double) -> String {
        let all = Int((value * 100).rounded())
        return "\(all / 100).\(all % 100 < 10 ? "0" : "")\(all % 100)"
    }
}
