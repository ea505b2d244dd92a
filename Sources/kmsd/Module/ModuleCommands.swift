import ArgumentParser
import HSMBridge

/// `kmsd module …`: what the security module is and in which state.
struct ModuleCommandGroup: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "module", abstract: "Show the security module's state, test it, seal it.",
        subcommands: [Status.self, SelfTest.self, Readers.self, SealNow.self], defaultSubcommand: Status.self)

    struct Status: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Show state, LMK check values and firmware.")
        @OptionGroup var common: CommonOptions

        func run() async throws {
            let module = try await common.module()
            let status = try await atModule { () async throws(ModuleRefusal) in try await module.execute(GetStatus()) }
            try ModuleStatusReport(status).show(json: common.json)
        }
    }

    struct SelfTest: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "selftest", abstract: "Run every known-answer test now.")
        @OptionGroup var common: CommonOptions

        func run() async throws {
            let module = try await common.module()
            let report = try await atModule { () async throws(ModuleRefusal) in try await module.execute(RunSelfTest())
            }
            if common.json {
                try Terminal.json(report.lines.map { ["name": $0.name, "result": $0.passed ? "passed" : "FAILED"] })
            } else {
                for line in report.lines { Terminal.say("\(line.passed ? "passed" : "FAILED")  \(line.name)") }
                Terminal.say(
                    "\(report.lines.count) known-answer tests, \(report.lines.filter { !$0.passed }.count) failed")
            }
            if !report.passed { throw ExitCode.failure }
        }
    }

    struct Readers: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List the card readers that the module sees.")
        @OptionGroup var common: CommonOptions

        func run() async throws {
            let module = try await common.module()
            let readers = try await atModule { () async throws(ModuleRefusal) in try await module.execute(ListReaders())
            }
            if common.json { try Terminal.json(readers.names) } else { readers.names.forEach { Terminal.say($0) } }
        }
    }

    struct SealNow: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "seal", abstract: "Wipe the LMK and all open keys from memory.")
        @OptionGroup var common: CommonOptions

        func run() async throws {
            let module = try await common.module()
            let status = try await atModule { () async throws(ModuleRefusal) in try await module.execute(SealModule()) }
            try ModuleStatusReport(status).show(json: common.json)
        }
    }
}

/// A module's status as it is printed.
struct ModuleStatusReport: Encodable {
    let state: String
    let firmware: String
    let term: Int
    let lmkCheckValue: String?
    let componentCheckValues: [String]
    let selfTestsPassed: Int
    let failure: String
    let openKeys: Int

    init(_ status: ModuleStatus) {
        state = status.state.name
        firmware = status.firmware
        term = Int(status.term)
        lmkCheckValue = status.lmkCheckValue?.description
        componentCheckValues = status.componentCheckValues.map(\.description)
        selfTestsPassed = Int(status.selfTestsPassed)
        failure = status.failure
        openKeys = Int(status.openKeys)
    }

    func show(json: Bool) throws {
        if json { return try Terminal.json(self) }
        Terminal.say("State:            \(state)", "状态：            \(state)")
        Terminal.say("Firmware:         \(firmware), \(selfTestsPassed) self-tests passed")
        if let lmkCheckValue {
            Terminal.say("LMK:              term \(term), KCV \(lmkCheckValue)")
            Terminal.say(
                "Components:       "
                    + componentCheckValues.enumerated().map { "SO\($0 + 1) \($1)" }.joined(separator: "  "))
        }
        if !failure.isEmpty { Terminal.say("Failure:          \(failure)") }
        if state == "operational" { Terminal.say("Open keys:        \(openKeys)") }
    }
}
