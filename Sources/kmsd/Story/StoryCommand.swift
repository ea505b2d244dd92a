import ArgumentParser
import Foundation

/// `kmsd story`: the main job end to end, from three blank admin cards to a settled canteen purchase, through the public doors
/// only: command line, PC/SC, Unix socket, TCP, HTTP.
struct StoryCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "story",
        abstract: "Tell the whole story on virtual cards, from blank admin cards to a settled purchase.",
        discussion: """
            The servers and the virtual readers must run already; `make run` starts them and this. Each step uses the commands
            that a person would use, and says so. The report holds published values only.
            """)
    @OptionGroup var common: CommonOptions
    @Option(help: "Where the report goes.") var report = "var/report.json"
    @Option(help: "Folder of the virtual readers' control sockets (slot-N.control).") var rack: String
    @Option(help: "Folder for what the story's people keep: PINs, passwords, records (made with mode 0700).") var desk:
        String
    @Option(help: "Shell command that stops kmsd hsm and starts it again.") var restartModule: String
    @Option(help: "Folder with the demonstration data (conf/demo).") var demo = "conf/demo"
    @Option(help: "Offline records that the simulated fleet makes.") var records = 10_000
    @Option(help: "Seed of the simulated fleet.") var seed: UInt64 = 20_260_101

    func run() async throws {
        let settings = try await common.settings()
        try ServiceFolder.make(desk)
        let story = try Story(
            doors: StoryDoors(config: common.config, desk: desk), settings: settings, rack: rack, desk: desk,
            restartModule: restartModule, demo: demo, records: records, seed: seed)
        var told = StoryReport()
        for chapter in story.chapters {
            let failure = await told.tell(chapter)
            try told.write(to: report)
            if let failure {
                Terminal.complain("\nThe story stopped at “\(chapter.title)”: \(failure)")
                Terminal.complain("The report so far: \(report); the logs of the services stand beside it in log/.")
                throw ExitCode.failure
            }
        }
        told.summary()
        Terminal.say("\nReport: \(report)")
    }
}

/// One chapter of the story.
struct StoryChapter: Sendable {
    let name: String
    let title: String
    let titleChinese: String
    let run: @Sendable (inout StoryNotes) async throws -> Void
}

/// What a chapter publishes: values for the report, never a secret.
struct StoryNotes: Sendable {
    private(set) var values: [String: String] = [:]
    private(set) var transcripts: [String: [String]] = [:]

    /// A line to the reader.
    func tell(_ text: String) { Terminal.say("    \(text)") }

    mutating func publish(_ name: String, _ value: String) { values[name] = value }

    mutating func transcript(_ name: String, _ lines: [String]) { transcripts[name] = lines }
}

/// The report as it is written: each chapter with its duration, result and published values.
struct StoryReport {
    struct Step: Codable {
        var name: String
        var title: String
        var milliseconds: Int
        var result: String
        var reason: String?
        var values: [String: String]
        var transcripts: [String: [String]]
    }

    private(set) var steps: [Step] = []

    /// Runs a chapter; the reason of a failure, nil if it went well.
    mutating func tell(_ chapter: StoryChapter) async -> String? {
        Terminal.say("\n[\(steps.count + 1)] \(chapter.title)\n    \(chapter.titleChinese)")
        let clock = ContinuousClock()
        let start = clock.now
        var notes = StoryNotes()
        var reason: String?
        do { try await chapter.run(&notes) } catch { reason = "\(error)" }
        let milliseconds = Int((clock.now - start) / .milliseconds(1))
        steps.append(
            Step(
                name: chapter.name, title: chapter.title, milliseconds: milliseconds,
                result: reason == nil ? "passed" : "failed",
                reason: reason, values: notes.values, transcripts: notes.transcripts))
        if reason == nil { Terminal.say("    ✓ \(milliseconds) ms") }
        return reason
    }

    func write(to path: String) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        try FileManager.default.createDirectory(
            at: URL(filePath: path).deletingLastPathComponent(), withIntermediateDirectories: true)
        try encoder.encode(["steps": steps]).write(to: URL(filePath: path), options: .atomic)
    }

    func summary() {
        Terminal.say("\n" + String(repeating: "─", count: 92))
        for (index, step) in steps.enumerated() {
            let title = step.title.padding(toLength: 68, withPad: " ", startingAt: 0)
            let time = "\(step.milliseconds) ms"
            Terminal.say(
                " \(index + 1)  \(title)  \(String(repeating: " ", count: max(0, 10 - time.count)))\(time)  \(step.result)"
            )
        }
        Terminal.say(String(repeating: "─", count: 92))
        Terminal.say(" \(steps.count) chapters, all passed", " 共 \(steps.count) 章，全部通过")
    }
}
