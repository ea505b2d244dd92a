import ArgumentParser
import HSMBridge

/// `kmsd lmk …`: the key ceremony. PINs are asked for on the terminal, or read as one line of standard input each.
struct LMKCommandGroup: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "lmk", abstract: "Hold the key ceremony: format admin cards, make and load the LMK.",
        discussion: """
            A new module: format three cards (format-card), then `begin generate`, `present` three times, `finish`.
            After each start of the module: `begin load`, `present` three times, `finish`.
            PINs are never options: they are asked for, or read from standard input, one line each.
            """,
        subcommands: [FormatCard.self, InspectCard.self, Begin.self, Present.self, Finish.self, Abort.self])

    struct FormatCard: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "format-card", abstract: "Make an admin card of a blank and set its PIN (6 to 8 digits).")
        @OptionGroup var common: CommonOptions
        @Option(help: "Reader name (kmsd module readers).") var reader: String
        @Option(help: "Custodian: 1, 2 or 3.") var custodian: Int
        @Flag(help: "Destroy an LMK component that is on the card.") var discardComponent = false

        func run() async throws {
            guard let holder = Custodian(rawValue: UInt8(clamping: custodian)) else {
                throw ValidationError("--custodian must be 1, 2 or 3")
            }
            let module = try await common.module()
            let pin = try SecretPrompt.required("New PIN for custodian \(custodian): ")
            let command = FormatAdminCard(
                reader: reader, custodian: holder, discardComponent: discardComponent, pin: pin)
            let info: AdminCardInfo
            do throws(ModuleRefusal) { info = try await module.execute(command) } catch {
                throw CommandFailure(ModuleErrorText.message(error))
            }
            try AdminCardReport(info).show(json: common.json)
        }
    }

    struct InspectCard: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "inspect-card", abstract: "Show an admin card's public part.")
        @OptionGroup var common: CommonOptions
        @Option(help: "Reader name.") var reader: String

        func run() async throws {
            let module = try await common.module()
            let name = reader
            let info = try await atModule { () async throws(ModuleRefusal) in
                try await module.execute(InspectAdminCard(reader: name))
            }
            try AdminCardReport(info).show(json: common.json)
        }
    }

    struct Begin: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Open a ceremony: generate (new module) or load.")
        @OptionGroup var common: CommonOptions
        @Argument(help: "generate or load") var kind: String

        func run() async throws {
            guard let wanted = ["generate": CeremonyKind.generate, "load": .load][kind] else {
                throw ValidationError("say `generate` or `load`")
            }
            let module = try await common.module()
            let progress = try await atModule { () async throws(ModuleRefusal) in
                try await module.execute(BeginCeremony(kind: wanted))
            }
            try CeremonyReport(progress).show(json: common.json)
        }
    }

    struct Present: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Present one custodian's card with its PIN.")
        @OptionGroup var common: CommonOptions
        @Option(help: "Reader name.") var reader: String

        func run() async throws {
            let module = try await common.module()
            let pin = try SecretPrompt.required("PIN of the card in \(reader): ")
            let command = PresentAdminCard(reader: reader, pin: pin)
            let progress: CeremonyProgress
            do throws(ModuleRefusal) { progress = try await module.execute(command) } catch {
                throw CommandFailure(ModuleErrorText.message(error))
            }
            try CeremonyReport(progress).show(json: common.json)
        }
    }

    struct Finish: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "End a ceremony whose three cards were presented.")
        @OptionGroup var common: CommonOptions

        func run() async throws {
            let module = try await common.module()
            let status = try await atModule { () async throws(ModuleRefusal) in
                try await module.execute(FinishCeremony())
            }
            try ModuleStatusReport(status).show(json: common.json)
        }
    }

    struct Abort: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "End a ceremony and forget what was presented.")
        @OptionGroup var common: CommonOptions

        func run() async throws {
            let module = try await common.module()
            let status = try await atModule { () async throws(ModuleRefusal) in
                try await module.execute(AbortCeremony())
            }
            try ModuleStatusReport(status).show(json: common.json)
        }
    }
}

/// An admin card as it is printed.
struct AdminCardReport: Encodable {
    let custodian: Int
    let serial: String
    let term: Int
    let componentCheckValue: String?
    let lmkCheckValue: String?

    init(_ info: AdminCardInfo) {
        custodian = Int(info.custodian.rawValue)
        serial = info.serial
        term = Int(info.term)
        componentCheckValue = info.componentCheckValue?.description
        lmkCheckValue = info.lmkCheckValue?.description
    }

    var line: String {
        let component = componentCheckValue.map { "component KCV \($0), LMK term \(term)" } ?? "no component"
        return "SO\(custodian)  card \(serial)  \(component)"
    }

    func show(json: Bool) throws {
        if json { try Terminal.json(self) } else { Terminal.say(line) }
    }
}

/// A ceremony's progress as it is printed.
struct CeremonyReport: Encodable {
    let kind: String
    let presented: [AdminCardReport]
    let secondsLeft: Int

    init(_ progress: CeremonyProgress) {
        kind = progress.kind == .generate ? "generate" : "load"
        presented = progress.presented.map { AdminCardReport($0) }
        secondsLeft = Int(progress.secondsLeft)
    }

    func show(json: Bool) throws {
        if json { return try Terminal.json(self) }
        for card in presented { Terminal.say(card.line) }
        Terminal.say(
            "\(presented.count) of 3 cards presented; \(secondsLeft) seconds left.",
            "已出示 3 张卡中的 \(presented.count) 张，剩余 \(secondsLeft) 秒。")
    }
}
