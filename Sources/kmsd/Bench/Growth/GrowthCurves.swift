import CryptoClient
import FoundationEssentials
import NIOCore

/// How the work grows: the same measurements over records in a batch, connections, and keys in use.
///
/// Curves, not figures: each point is one run, and what a curve shows is its shape.
struct GrowthCurves {
    let context: BenchContext
    /// Where the plots go.
    let folder: String
    private let keysAtMost = 8_192

    /// Measures all of them and writes one plot each; the names of the files with their points as a table in Markdown.
    func run() async throws -> String {
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        var page = ""
        let keys = try await KeyLoad.make(context, count: keysAtMost)
        for (name, plot) in [
            ("records", try await records()), ("connections", try await connections()),
            ("keys", try await blocks(keys)),
        ] {
            try Data(plot.svg.utf8).write(to: URL(filePath: "\(folder)/growth-\(name).svg"), options: .atomic)
            page += "![\(plot.title)](growth-\(name).svg)\n\n\(Self.table(plot))\n\n"
        }
        let stored = try await StoredKeys(context: context, keys: keys).run()
        return page + stored + "\n"
    }

    /// TACs a second through YB, by the number of records in a frame.
    private func records() async throws -> GrowthPlot {
        var plot = GrowthPlot(title: "Purchase TACs through YB", across: "records in a batch", up: "TACs/s")
        var line = GrowthPlot.Series(name: "4 connections x 2")
        for count in [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1_024, 1_536] {
            let batches = try await HostTACLoad.batches(context, size: count)
            let rate = try context.service(batches.pattern, connections: 4, depth: 2)
            line.points.append((Double(count), rate * batches.recordsPerRequest))
            context.tell("\(count) records in a batch: \(BenchTable.number(line.points.last?.y ?? 0)) TACs/s")
        }
        plot.series = [line]
        return plot
    }

    /// MACs a second and PINGs a second, by the number of connections.
    private func connections() async throws -> GrowthPlot {
        let macs = try await HostMACLoad.prepare(context.settings.crypto, key: context.macKey)
        var plot = GrowthPlot(title: "MACs verified, and redis PING", across: "connections", up: "requests/s")
        for depth in [1, 16] {
            var ours = GrowthPlot.Series(name: "MAC, \(depth) under way")
            var redis = GrowthPlot.Series(name: "PING, \(depth) under way")
            for count in [1, 2, 5, 10, 20, 50, 100, 200, 500] {
                ours.points.append((Double(count), try context.service(macs, connections: count, depth: depth)))
                redis.points.append((Double(count), try context.redis(connections: count, depth: depth)))
                let (mine, theirs) = (ours.points.last?.y ?? 0, redis.points.last?.y ?? 0)
                context.tell(
                    "\(count) connections x \(depth): \(BenchTable.number(mine)) / \(BenchTable.number(theirs))")
            }
            plot.series += [ours, redis]
        }
        return plot
    }

    /// MACs a second, by the number of different keys that the requests bring along as key blocks. The module holds 2,048
    /// keys open: beyond that more and more requests unwrap a block first.
    private func blocks(_ keys: [MadeKey]) async throws -> GrowthPlot {
        let requests = try await KeyLoad.exchanges(context, keys)
        var plot = GrowthPlot(title: "MACs made under many keys", across: "keys", up: "requests/s")
        var line = GrowthPlot.Series(name: "50 connections x 16")
        var count = 1
        while count <= keysAtMost {
            let part = Array(requests.prefix(count))
            // The generator's window must not be longer than the pattern.
            let pattern = LoadPattern(Array(repeating: part, count: max(1, 64 / count)).flatMap(\.self))
            line.points.append((Double(count), try context.service(pattern, connections: 50, depth: 16)))
            context.tell("\(count) keys: \(BenchTable.number(line.points.last?.y ?? 0)) requests/s")
            count *= 4
        }
        plot.series = [line]
        return plot
    }

    private static func table(_ plot: GrowthPlot) -> String {
        let names = plot.series.map(\.name).joined(separator: " | ")
        let head = "| \(plot.across) | \(names) |\n|\(String(repeating: "---:|", count: plot.series.count + 1))"
        let rows = (plot.series.first?.points ?? []).enumerated().map { index, point in
            "| \(BenchTable.number(point.x)) | "
                + plot.series.map { BenchTable.number($0.points[index].y) }.joined(separator: " | ") + " |"
        }
        return ([head] + rows).joined(separator: "\n")
    }
}
