import ArgumentParser
import FoundationEssentials
import HSMEngine

/// `kmsd bench`: measures a running service beside its references and writes the numbers down, whatever they are.
struct BenchCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench",
        abstract: "Measure the running service beside redis, nginx, SoftHSM2 and libcrypto (make bench starts it all).",
        discussion: """
            Needs a running kmsd serve with an operational module and the keys, clients and records of the story. A missed
            target is printed and is no failure; a row that could not be measured, or one of whose replies was not right, is
            not a figure and gives exit status 1. docs/performance.md says how each number is made.

            Rows: \(BenchPlan.all.map(\.row.id).joined(separator: " "))
            """)
    @OptionGroup var common: CommonOptions
    @OptionGroup var references: BenchReferences
    @Option(help: "Label of the MAC key, issuer/product/label.") var key = "PARK/POS/MAC-0001"
    @Option(help: "Label of the TAC master of the records.") var tacKey = "PARK/FLEET/TAC"
    @Option(help: "Label of the RSA key that plain connections may sign with.") var rsaKey = "PARK/AUDIT/CHECKPOINT"
    @Option(help: "Seconds of each measurement, 0.1 to 10; 2, or 0.3 with --quick.") var seconds: Double?
    @Option(help: "Rounds of each row, ours and reference in turn, 1 to 9; 5, or 1 with --quick.") var rounds: Int?
    @Flag(help: "Only see whether the rows can be measured.") var quick = false
    @Option(name: .customLong("row"), help: "Only this row; repeat it for more.") var wanted: [String] = []
    @Flag(help: "Instead of the rows: how the work grows, with plots beside --out (about three minutes).") var growth =
        false
    @Option(help: "Where the rows go as JSON; beside it the table as Markdown.") var out = "var/bench.json"

    func validate() throws {
        guard (0.1...10).contains(seconds ?? 2) else { throw ValidationError("--seconds must be 0.1 to 10") }
        guard (1...9).contains(rounds ?? 5) else { throw ValidationError("--rounds must be 1 to 9") }
        let ids = BenchPlan.all.map(\.row.id)
        for row in wanted where !ids.contains(row) {
            throw ValidationError("--row must be one of \(ids.joined(separator: ", "))")
        }
    }

    func run() async throws {
        let context = BenchContext(
            settings: try await common.settings(), references: references, macKey: key, tacKey: tacKey, rsaKey: rsaKey,
            rounds: rounds ?? (quick ? 1 : 5), seconds: seconds ?? (quick ? 0.3 : 2), isQuick: quick)
        let facts = MachineFacts(references).text
        Terminal.say(facts)
        if growth { return try await writeGrowth(context, facts) }
        var results: [BenchRow] = []
        for plan in BenchPlan.all where wanted.isEmpty || wanted.contains(plan.row.id) {
            results.append(await plan.run(context))
        }
        let table = BenchTable.text(results)
        Terminal.say("")
        if common.json { try Terminal.json(results) } else { Terminal.say(table) }
        try write(results, "```\n\(facts)\n```\n\n\(table)\n")
        if results.contains(where: { $0.trouble != nil }) { throw ExitCode.failure }
    }

    private func writeGrowth(_ context: BenchContext, _ facts: String) async throws {
        let file = URL(filePath: out)
        let page = try await GrowthCurves(context: context, folder: file.deletingLastPathComponent().path).run()
        Terminal.say("", page)
        try Data("```\n\(facts)\n```\n\n\(page)".utf8)
            .write(to: file.deletingLastPathComponent().appending(path: "growth.md"), options: .atomic)
    }

    private func write(_ rows: [BenchRow], _ page: String) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        do {
            var text = try encoder.encode(rows)
            text.append(0x0A)
            let file = URL(filePath: out)
            try text.write(to: file, options: .atomic)
            try Data(page.utf8).write(to: file.deletingPathExtension().appendingPathExtension("md"), options: .atomic)
        } catch { throw CommandFailure("The rows cannot be written to \(out): \(error)") }
    }
}
