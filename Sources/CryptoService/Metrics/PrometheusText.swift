/// Writes the Prometheus text format 0.0.4: for each family HELP and TYPE, then its series, each family once.
///
/// Source: the exposition formats page of the Prometheus documentation. Label values escape `\`, `"` and line feed, help texts
/// `\` and line feed; a histogram's buckets are cumulative and end with `+Inf`.
struct PrometheusText {
    static let contentType = "text/plain; version=0.0.4; charset=utf-8"

    private(set) var text = ""

    typealias Labels = [(name: String, value: String)]

    /// A family and its series. One without series keeps its HELP and TYPE, so that the page names everything there is.
    mutating func family(_ family: MetricFamily, _ series: (inout Series) -> Void) {
        text += "# HELP \(family.name) \(Self.escaped(family.help, quotes: false))\n"
        text += "# TYPE \(family.name) \(family.kind.rawValue)\n"
        var writer = Series(family: family, text: text)
        text = ""
        series(&writer)
        text = writer.text
    }

    /// One series without labels.
    mutating func family(_ family: MetricFamily, _ value: Double) { self.family(family) { $0.add([], value) } }
    mutating func family(_ family: MetricFamily, _ value: UInt64) { self.family(family) { $0.add([], value) } }
    mutating func family(_ family: MetricFamily, _ value: Int) { self.family(family) { $0.add([], Double(value)) } }
    mutating func family(_ family: MetricFamily, _ value: Bool) { self.family(family, value ? 1 : 0) }

    /// Writes the series of one family.
    struct Series {
        let family: MetricFamily
        fileprivate(set) var text: String

        /// `labels` are the values of the family's labels, in their order.
        mutating func add(_ labels: [String], _ value: Double) { line("", labels, nil, PrometheusText.number(value)) }
        mutating func add(_ labels: [String], _ value: UInt64) { line("", labels, nil, String(value)) }

        /// Counts by bucket, the last one without bound; bounds and sum in the family's unit.
        mutating func add(_ labels: [String], counts: [UInt64], bounds: [String], sum: Double) {
            var below: UInt64 = 0
            for (count, bound) in zip(counts, bounds + ["+Inf"]) {
                below &+= count
                line("_bucket", labels, bound, String(below))
            }
            line("_sum", labels, nil, PrometheusText.number(sum))
            line("_count", labels, nil, String(below))
        }

        private mutating func line(_ suffix: String, _ labels: [String], _ bound: String?, _ value: String) {
            text += family.name
            text += suffix
            var pairs = zip(family.labels, labels).map { "\($0)=\"\(PrometheusText.escaped($1, quotes: true))\"" }
            if let bound { pairs.append("le=\"\(bound)\"") }
            if !pairs.isEmpty { text += "{\(pairs.joined(separator: ","))}" }
            text += " \(value)\n"
        }
    }

    static func escaped(_ text: String, quotes: Bool) -> String {
        guard text.utf8.contains(where: { $0 == 0x5C || $0 == 0x0A || $0 == 0x22 }) else { return text }
        var escaped = ""
        for character in text.unicodeScalars {
            switch character {
            case "\\": escaped += "\\\\"
            case "\n": escaped += "\\n"
            case "\"" where quotes: escaped += "\\\""
            default: escaped.unicodeScalars.append(character)
            }
        }
        return escaped
    }

    static func number(_ value: Double) -> String {
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value < 0 ? "-Inf" : "+Inf" }
        if value == value.rounded(), abs(value) < 9_007_199_254_740_992 { return String(Int64(value)) }
        return String(value)
    }
}
