import CryptoService

/// Two scrapes as one screen: a pure function of them and of the terminal's size.
struct TopScreen: Sendable {
    private let before: MetricsScrape
    private let after: MetricsScrape
    private let seconds: Double

    init(before: MetricsScrape, after: MetricsScrape, seconds: Double) {
        self.before = before
        self.after = after
        self.seconds = max(seconds, 0.001)
    }

    /// At most `height` lines of at most `width` columns.
    func lines(width: Int, height: Int, place: String) -> [String] {
        var lines = head(place)
        let left = columns(commands, widths: [8, 10, 8, 11], rows: rowLimit(height))
        let right = columns(classes, widths: [9, 10, 9, 9], rows: rowLimit(height))
        for row in 0..<max(left.count, right.count) {
            let text = row < left.count ? left[row] : ""
            lines.append(FigureText.column(text, 38) + (row < right.count ? "  " + right[row] : ""))
        }
        lines.append("")
        lines += columns(clients, widths: [44, 11, 11, 11], rows: rowLimit(height) - 2)
        lines += columns(keys, widths: [44, 11, 11, 11], rows: rowLimit(height) - 1)
        return lines.prefix(max(1, height)).map { line in
            var cut = line.count > width ? String(line.prefix(width)) : line
            while cut.last == " " { cut.removeLast() }
            return cut
        }
    }

    /// Rows of each of the upper tables, heading included; the lower two have a little less.
    private func rowLimit(_ height: Int) -> Int { max(3, (height - 3) / 3) }

    // MARK: The head

    private func head(_ place: String) -> [String] {
        let state = after.series("kmsd_module_state").first { after.values[$0] == 1 }?.labels["state"] ?? "?"
        let ready = after.value("kmsd_ready") == 1 ? "ready" : "NOT READY"
        let connections = after.sums("kmsd_connections", by: "door").filter { $0.value > 0 }
        let doors = connections.sorted { $0.key < $1.key }.map { "\($0.key) \(FigureText.count(Int($0.value)))" }
        let hits = rate("kmsd_key_cache_hits_total")
        let misses = rate("kmsd_key_cache_misses_total")
        let hitText = hits + misses > 0 ? FigureText.fixed(100 * hits / (hits + misses), 1) + " %" : "-"
        let messages = rate("kmsd_module_message_items_count")
        let items = messages > 0 ? FigureText.fixed(rate("kmsd_module_message_items_sum") / messages, 1) : "-"
        let cores = FigureText.fixed(rate("process_cpu_seconds_total"), 2)
        return [
            "kmsd top \(place)   \(ready)   module \(state)   up \(FigureText.duration(after.value("kmsd_uptime_seconds")))",
            "\(FigureText.rate(rate("kmsd_requests_total"))) requests/s   "
                + "in flight \(FigureText.count(Int(after.value("kmsd_requests_in_flight"))))   "
                + "module queue \(FigureText.count(Int(after.value("kmsd_module_queue"))))   "
                + "items/message \(items)   key cache \(hitText)",
            "connections \(doors.isEmpty ? "0" : doors.joined(separator: ", "))  "
                + "memory \(FigureText.bytes(after.value("process_resident_memory_bytes")))  "
                + "fds \(Int(after.value("process_open_fds")))/\(Int(after.value("process_max_fds")))  cores \(cores)  "
                + "dir \(FigureText.fixed(after.value("kmsd_directory_age_seconds"), 1)) s",
            "",
        ]
    }

    // MARK: The tables; the busiest first

    private var commands: [[String]] {
        var rates: [String: (all: Double, wrong: Double, refused: Double)] = [:]
        for series in after.series("kmsd_requests_total") {
            let rate = rate(series)
            var sums = rates[series.labels["command"] ?? "", default: (0, 0, 0)]
            sums.all += rate
            if series.labels["code"] == "01" { sums.wrong += rate }
            if series.labels["code"] != "00", series.labels["code"] != "01" { sums.refused += rate }
            rates[series.labels["command"] ?? ""] = sums
        }
        let rows = rates.sorted { ($1.value.all, $0.key) < ($0.value.all, $1.key) }
        return [["COMMAND", "req/s", "01/s", "refused/s"]]
            + rows.map { name, rate in
                [name, FigureText.rate(rate.all), FigureText.rate(rate.wrong), FigureText.rate(rate.refused)]
            }
    }

    private var classes: [[String]] {
        let name = "kmsd_request_duration_seconds"
        let rates = Set(after.series("\(name)_count").compactMap { $0.labels["class"] }).map { group in
            let isWanted: ([String: String]) -> Bool = { $0["class"] == group }
            let (bounds, now) = after.histogram(name, where: isWanted)
            let (_, then) = before.histogram(name, where: isWanted)
            let counts = zip(now, then.isEmpty ? now.map { _ in 0 } : then).map { UInt64(max(0, $0 - $1)) }
            return (group, counts, bounds)
        }
        let rows = rates.sorted { ($1.1.reduce(0, +), $0.0) < ($0.1.reduce(0, +), $1.0) }
        return [["CLASS", "req/s", "median", "99 %"]]
            + rows.map { group, counts, bounds in
                [
                    group, FigureText.rate(Double(counts.reduce(0, +)) / seconds),
                    FigureText.time(LatencyQuantile.of(0.5, counts: counts, bounds: bounds)),
                    FigureText.time(LatencyQuantile.of(0.99, counts: counts, bounds: bounds)),
                ]
            }
    }

    private var clients: [[String]] {
        let limited = after.sums("kmsd_rate_refused_total", by: "client")
        let limitedBefore = before.sums("kmsd_rate_refused_total", by: "client")
        return [["CLIENT", "req/s", "failed/s", "limited/s"]]
            + sorted("kmsd_client_requests_total", by: ["client"]).map { labels, all, failed in
                let name = labels[0]
                let over = ((limited[name] ?? 0) - (limitedBefore[name] ?? 0)) / seconds
                return [name, FigureText.rate(all), FigureText.rate(failed), FigureText.rate(over)]
            }
    }

    private var keys: [[String]] {
        [["KEY", "", "req/s", "failed/s"]]
            + sorted("kmsd_key_requests_total", by: ["key", "operation"]).map { labels, all, failed in
                [labels[0], labels[1], FigureText.rate(all), FigureText.rate(failed)]
            }
    }

    private func sorted(_ name: String, by labels: [String]) -> [([String], all: Double, failed: Double)] {
        var rates: [[String]: (all: Double, failed: Double)] = [:]
        for series in after.series(name) {
            let place = labels.map { series.labels[$0] ?? "" }
            var sums = rates[place, default: (0, 0)]
            let rate = rate(series)
            sums.all += rate
            if series.labels["result"] == "failed" { sums.failed += rate }
            rates[place] = sums
        }
        return rates.sorted { ($1.value.all, $0.key.joined()) < ($0.value.all, $1.key.joined()) }
            .map { ($0.key, $0.value.all, $0.value.failed) }
    }

    // MARK: Pieces

    private func rate(_ series: MetricsScrape.Series) -> Double {
        max(0, (after.values[series] ?? 0) - (before.values[series] ?? 0)) / seconds
    }

    /// Of all series of the name together.
    private func rate(_ name: String) -> Double { after.series(name).reduce(0) { $0 + rate($1) } }

    /// The first column to the left, the others to the right; texts in the second column of a key stay to the left.
    private func columns(_ rows: [[String]], widths: [Int], rows limit: Int) -> [String] {
        rows.prefix(max(2, limit)).map { row in
            zip(row, widths).enumerated().map { index, cell in
                let isText = index == 0
                return FigureText.column(cell.0, isText ? cell.1 : cell.1 - 1, right: !isText) + (isText ? "" : " ")
            }.joined()
        }
    }
}
