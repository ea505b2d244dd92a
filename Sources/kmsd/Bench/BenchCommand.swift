import ArgumentParser
import CryptoClient
import FoundationEssentials
import HSMEngine

/// `kmsd bench`: measures a running service beside its references and writes the numbers down, whatever they are.
struct BenchCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench",
        abstract: "Measure the running service beside redis and libcrypto (make bench starts it all).",
        discussion: """
            Needs a running kmsd serve with an operational module, a MAC key that plain connections may generate and verify
            with, and a redis-server of its own. A missed target is printed and is no failure; a row that could not be
            measured, or whose replies were not all right, is not a figure and gives exit status 1.
            docs/performance.md says how each number is made.
            """)
    @OptionGroup var common: CommonOptions
    @Option(help: "Label of the MAC key, issuer/product/label.") var key = "PARK/POS/MAC-0001"
    @Option(help: "Port of the redis-server on 127.0.0.1.") var redisPort = 6_399
    @Option(
        name: .customLong("pin"),
        help: ArgumentHelp("Process to hold on one CPU for the depth-1 row; repeat it.", valueName: "pid"))
    var pins: [Int32] = []
    @Option(help: "Seconds of each measurement, 0.1 to 5.") var seconds = 2.0
    @Option(help: "Rounds of each row, ours and reference in turn.") var rounds = 5
    @Option(name: .customLong("row"), help: "Only this row; repeat it for more.") var wanted: [String] = []
    @Option(help: "Where the rows go as JSON.") var out = "var/bench.json"

    func validate() throws {
        guard (0.1...5).contains(seconds) else { throw ValidationError("--seconds must be 0.1 to 5") }
        guard (1...9).contains(rounds) else { throw ValidationError("--rounds must be 1 to 9") }
        // Three measured pairs a round, with the warm-up and what it takes to start them.
        guard Double(rounds) * 6 * (seconds + 0.4) <= 170 else {
            throw ValidationError("that would take more than three minutes")
        }
        for row in wanted where !BenchRows.ids.contains(row) {
            throw ValidationError("--row must be one of \(BenchRows.ids.joined(separator: ", "))")
        }
    }

    func run() async throws {
        let settings = try await common.settings()
        let rows = BenchRows(
            port: settings.crypto.port, redisPort: redisPort, pins: pins, rounds: rounds, seconds: seconds,
            tell: { Terminal.complain("  \($0)") })
        let facts = MachineFacts(
            redis: RedisReference.version(port: redisPort), libcrypto: TACBenchmark.library)
        for (name, value) in facts.lines { Terminal.say(name + String(repeating: " ", count: 11 - name.count) + value) }
        var results: [BenchRow] = []
        if isWanted(BenchRows.macTCP.id) || isWanted(BenchRows.macDepth1.id) {
            results += await networkRows(rows, settings)
        }
        if isWanted(BenchRows.tacBatch.id) { results.append(rows.measureTACBatch()) }
        Terminal.say("")
        if common.json { try Terminal.json(results) } else { Terminal.say(BenchTable.text(results)) }
        try write(results)
        if results.contains(where: { $0.trouble != nil }) { throw ExitCode.failure }
    }

    private func isWanted(_ id: String) -> Bool { wanted.isEmpty || wanted.contains(id) }

    private func networkRows(_ rows: BenchRows, _ settings: Settings) async -> [BenchRow] {
        do {
            let macs = try await HostMACLoad.prepare(settings.crypto, key: key)
            return (isWanted(BenchRows.macTCP.id) ? [rows.measureMACTCP(macs)] : [])
                + (isWanted(BenchRows.macDepth1.id) ? [rows.measureMACDepth1(macs)] : [])
        } catch {
            return [BenchRows.macTCP, BenchRows.macDepth1].filter { isWanted($0.id) }.map { row in
                var row = row
                row.trouble = "the MACs to be verified could not be had from port \(settings.crypto.port): \(error)"
                return row
            }
        }
    }

    private func write(_ rows: [BenchRow]) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        do {
            var text = try encoder.encode(rows)
            text.append(0x0A)
            try text.write(to: URL(filePath: out), options: .atomic)
        } catch { throw CommandFailure("The rows cannot be written to \(out): \(error)") }
    }
}
