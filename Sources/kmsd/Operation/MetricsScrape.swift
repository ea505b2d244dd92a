/// A page in the Prometheus text format, read as any outsider would: names, labels, values.
struct MetricsScrape: Sendable {
    struct Series: Hashable, Sendable {
        let name: String
        let labels: [String: String]
    }

    /// Why a page is not one of ours, with the line's number.
    struct Unreadable: Error, Equatable {
        let line: Int
    }

    private(set) var values: [Series: Double] = [:]
    /// By family name, in the order of the page.
    private var byName: [String: [Series]] = [:]

    init(_ page: String) throws(Unreadable) {
        var number = 0
        for line in page.split(separator: "\n", omittingEmptySubsequences: false) {
            number += 1
            if line.isEmpty || line.hasPrefix("#") { continue }
            guard let (series, value) = Self.sample(line) else { throw Unreadable(line: number) }
            values[series] = value
            byName[series.name, default: []].append(series)
        }
    }

    /// The only series of a name, or zero.
    func value(_ name: String) -> Double { value(name, [:]) }

    func value(_ name: String, _ labels: [String: String]) -> Double {
        values[Series(name: name, labels: labels)] ?? 0
    }

    /// All series of a name.
    func series(_ name: String) -> [Series] { byName[name] ?? [] }

    /// The values of a name added up by one label; `where` chooses.
    func sums(
        _ name: String, by label: String, where isWanted: ([String: String]) -> Bool = { _ in true }
    ) -> [String: Double] {
        var sums: [String: Double] = [:]
        for series in series(name) where isWanted(series.labels) {
            sums[series.labels[label] ?? "", default: 0] += values[series] ?? 0
        }
        return sums
    }

    /// A histogram's counts by bucket with their bounds, all its series of which `isWanted` is true added up.
    func histogram(
        _ name: String, where isWanted: ([String: String]) -> Bool = { _ in true }
    ) -> (bounds: [Double], counts: [Double]) {
        var cumulative: [Double: Double] = [:]
        for series in series("\(name)_bucket") where isWanted(series.labels) {
            guard let bound = series.labels["le"].flatMap({ Self.number($0[...]) }) else { continue }
            cumulative[bound, default: 0] += values[series] ?? 0
        }
        let bounds = cumulative.keys.sorted()
        let sums = bounds.map { cumulative[$0] ?? 0 }
        return (bounds.filter { $0.isFinite }, zip(sums, [0] + sums).map { $0 - $1 })
    }

    // MARK: One line

    private static func sample(_ line: Substring) -> (Series, Double)? {
        guard let nameEnd = line.firstIndex(where: { $0 == "{" || $0 == " " }) else { return nil }
        let name = String(line[..<nameEnd])
        guard !name.isEmpty else { return nil }
        var rest = line[nameEnd...]
        var labels: [String: String] = [:]
        if rest.first == "{" {
            guard let (read, after) = Self.labels(rest.dropFirst()) else { return nil }
            labels = read
            rest = after
        }
        guard rest.first == " ", let word = rest.split(separator: " ").first, let value = number(word) else {
            return nil
        }
        return (Series(name: name, labels: labels), value)
    }

    /// From behind `{` to behind `}`.
    private static func labels(_ text: Substring) -> ([String: String], Substring)? {
        var labels: [String: String] = [:]
        var rest = text
        while rest.first != "}" {
            guard let equals = rest.firstIndex(of: "="), rest[equals...].dropFirst().first == "\"" else { return nil }
            let name = String(rest[..<equals])
            rest = rest[equals...].dropFirst(2)
            var value = ""
            while let character = rest.popFirst(), character != "\"" {
                guard character == "\\" else {
                    value.append(character)
                    continue
                }
                switch rest.popFirst() {
                case "n": value.append("\n")
                case let escaped?: value.append(escaped)
                case nil: return nil
                }
            }
            labels[name] = value
            if rest.first == "," { rest = rest.dropFirst() }
            if rest.isEmpty { return nil }
        }
        return (labels, rest.dropFirst())
    }

    private static func number(_ word: Substring) -> Double? {
        switch word {
        case "+Inf": .infinity
        case "-Inf": -.infinity
        case "NaN": .nan
        default: Double(word)
        }
    }
}
