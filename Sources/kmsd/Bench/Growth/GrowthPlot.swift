/// Lines over a logarithmic axis, as SVG: how a figure changes when the work grows. Plain shapes and text, light and dark.
struct GrowthPlot {
    struct Series {
        let name: String
        var points: [(x: Double, y: Double)] = []
    }

    let title: String
    let across: String
    let up: String
    var series: [Series] = []

    private static let (width, height) = (720.0, 380.0)
    private static let (left, right, top, bottom) = (84.0, 20.0, 46.0, 52.0)
    private static let colours = ["#2563a8", "#c2541b", "#3a7d44", "#7a4fa3"]

    var svg: String {
        var lines = [
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 \(Int(Self.width)) \(Int(Self.height))\" "
                + "font-family=\"sans-serif\" font-size=\"13\" role=\"img\" aria-label=\"\(title)\">",
            "<rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>",
            "<text x=\"\(Self.left)\" y=\"22\" font-size=\"15\">\(title)</text>",
            "<text x=\"\(Self.width - Self.right)\" y=\"\(Self.height - 12)\" text-anchor=\"end\">\(across)</text>",
            "<text x=\"8\" y=\"40\" fill=\"#555555\">\(up)</text>",
        ]
        lines += verticals + horizontals
        for (number, one) in series.enumerated() { lines += drawn(one, number) }
        return (lines + ["</svg>", ""]).joined(separator: "\n")
    }

    private var allX: [Double] { Set(series.flatMap { $0.points.map(\.x) }).sorted() }
    /// The lowest of 1, 2, 5 times a power of ten that is above everything.
    private var ceiling: Double {
        let largest = max(1, series.flatMap { $0.points.map(\.y) }.max() ?? 1)
        var power = 1.0
        while power * 10 <= largest { power *= 10 }
        return [1, 2, 5, 10].map { $0 * power }.first { $0 >= largest } ?? largest
    }

    private func place(_ x: Double) -> Double {
        guard let low = allX.first, let high = allX.last, high > low else { return Self.left }
        let part = Self.logarithm(x / low) / Self.logarithm(high / low)
        return Self.left + part * (Self.width - Self.left - Self.right)
    }

    private func level(_ y: Double) -> Double {
        Self.height - Self.bottom - y / ceiling * (Self.height - Self.top - Self.bottom)
    }

    /// Twice the logarithm to base two, by counting: exact enough to draw with.
    private static func logarithm(_ value: Double) -> Double {
        var (rest, whole) = (max(value, 1), 0.0)
        while rest >= 2 {
            rest /= 2
            whole += 1
        }
        return whole + (rest - 1)
    }

    private var verticals: [String] {
        allX.map { x in
            "<line x1=\"\(text(place(x)))\" y1=\"\(Self.top)\" x2=\"\(text(place(x)))\" "
                + "y2=\"\(Self.height - Self.bottom)\" stroke=\"#e4e4e4\"/>"
                + "<text x=\"\(text(place(x)))\" y=\"\(Self.height - Self.bottom + 18)\" text-anchor=\"middle\" "
                + "font-size=\"11\">\(BenchTable.number(x))</text>"
        }
    }

    private var horizontals: [String] {
        (0...4).map { quarter in
            let y = ceiling * Double(quarter) / 4
            return "<line x1=\"\(Self.left)\" y1=\"\(text(level(y)))\" x2=\"\(Self.width - Self.right)\" "
                + "y2=\"\(text(level(y)))\" stroke=\"#cccccc\"/>"
                + "<text x=\"\(Self.left - 6)\" y=\"\(text(level(y) + 4))\" text-anchor=\"end\" font-size=\"11\">"
                + "\(BenchTable.number(y))</text>"
        }
    }

    private func drawn(_ one: Series, _ number: Int) -> [String] {
        let colour = Self.colours[number % Self.colours.count]
        let points = one.points.map { "\(text(place($0.x))),\(text(level($0.y)))" }
        let x = Self.left + 10 + Double(number) * 230
        return [
            "<polyline fill=\"none\" stroke=\"\(colour)\" stroke-width=\"2\" points=\"\(points.joined(separator: " "))\"/>"
        ]
            + points.map { point in
                let parts = point.split(separator: ",")
                return "<circle cx=\"\(parts[0])\" cy=\"\(parts[1])\" r=\"3\" fill=\"\(colour)\"/>"
            } + [
                "<text x=\"\(text(x))\" y=\"\(Self.height - 12)\" fill=\"\(colour)\">\(one.name)</text>"
            ]
    }

    private func text(_ value: Double) -> String { "\((value * 10).rounded() / 10)" }
}
