import ArgumentParser
import Console
import FoundationEssentials
import HSMBridge

/// `kmsd key components …`: a key typed by two or three people, none of whom knows it.
struct KeyComponentsGroup: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "components", abstract: "Give a value in full-length components, each typed by another person.",
        discussion: """
            The key administrator begins; each custodian types a component straight to the module; the administrator finishes.
            The entry closes by itself after ten minutes.

            Example: kmsd key components begin PARK/TRANSPORT/KEK-A --count 3
                     kmsd key components enter --session 123456 --number 1      (three times)
                     kmsd key components finish PARK/TRANSPORT/KEK-A --session 123456
            """,
        subcommands: [Begin.self, Enter.self, Finish.self, Abort.self])

    struct Begin: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Open an entry (role key).")
        @OptionGroup var options: AdminOptions
        @Argument(help: "ISSUER/PRODUCT/LABEL[/NN]") var name: String
        @Option(help: "How many components: 2 or 3.") var count = 3

        func run() async throws {
            let entry: ComponentEntryMessage = try await options.client().post(
                try .key(name, "components"), ComponentCountMessage(count: count))
            try options.show(entry) { entry in
                Terminal.say(
                    "Session \(entry.session) for \(entry.identity). Each custodian now types a component:",
                    "密钥 \(entry.identity) 的录入会话 \(entry.session) 已打开。请各保管员依次录入分量：")
                for number in 1...max(1, entry.count) {
                    Terminal.say("  kmsd key components enter --session \(entry.session) --number \(number)")
                }
            }
        }
    }

    struct Enter: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Type one component in hexadecimal, straight to the module.",
            discussion:
                "It is asked for without echo, or read as one line of standard input. Compare the check value shown.")
        @OptionGroup var options: AdminOptions
        @Option(help: "The session that `begin` showed.") var session: UInt64
        @Option(help: "Which component: 1, 2 or 3.") var number: UInt8

        func run() async throws {
            guard (1...3).contains(number) else { throw ValidationError("--number must be 1, 2 or 3") }
            let module = try await options.common.module()
            let component = try SecretPrompt.required("Component \(number), hexadecimal: ", hexadecimal: true)
            let command = EnterComponent(session: session, number: number, component: component)
            let entry: ComponentEntry
            do throws(ModuleRefusal) { entry = try await module.execute(command) } catch {
                throw CommandFailure(ModuleErrorText.message(error))
            }
            let index = Int(number) - 1
            let report = EnteredReport(
                session: String(session), number: Int(number),
                checkValue: entry.entered.indices.contains(index) ? entry.entered[index]?.description : nil,
                entered: entry.entered.count { $0 != nil }, count: entry.entered.count)
            try options.show(report) {
                let kcv = $0.checkValue ?? "-"
                Terminal.say(
                    "Component \($0.number): KCV \(kcv); \($0.entered) of \($0.count) entered.",
                    "分量 \($0.number)：校验值 \(kcv)；已录入 \($0.entered)/\($0.count)。")
            }
        }
    }

    struct Finish: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Form the key of the components entered (role key).")
        @OptionGroup var options: AdminOptions
        @Argument(help: "ISSUER/PRODUCT/LABEL[/NN]") var name: String
        @Option(help: "The session that `begin` showed.") var session: UInt64

        func run() async throws {
            let version: KeyVersionMessage = try await options.client().post(
                try .key(name, "components", String(session)))
            try options.show(version) { $0.sayValue() }
        }
    }

    struct Abort: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Forget the components entered so far (role key).")
        @OptionGroup var options: AdminOptions
        @Argument(help: "ISSUER/PRODUCT/LABEL[/NN]") var name: String
        @Option(help: "The session that `begin` showed.") var session: UInt64

        func run() async throws {
            try await options.client().delete(try .key(name, "components", String(session)))
            try options.show(["aborted": String(session)]) { _ in Terminal.say("The entry is closed.", "录入会话已关闭。") }
        }
    }
}

/// One component as it is printed after it was typed.
private struct EnteredReport: Encodable {
    let session: String
    let number: Int
    let checkValue: String?
    let entered: Int
    let count: Int
}

/// `kmsd key import`: a value from another system, under a transport key.
struct KeyImportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "import",
        abstract: "Take a value from a key block or cryptogram under a transport key (role key).",
        discussion: """
            Example: kmsd key import PARK/FLEET/TAC --under PARK/TRANSPORT/KEK-A --block-file fleet-tac.tr31
                     kmsd key import PARK/POS/MAC --under PARK/TRANSPORT/KEK-A --cryptogram 0123… --kcv 1A2B3C
            A cryptogram says nothing of what its key is for: it becomes a MAC key or one for card codes, nothing else. A
            transport key that has ever carried masters as cryptograms must not be used for this.
            """)
    @OptionGroup var options: AdminOptions
    @Argument(help: "ISSUER/PRODUCT/LABEL[/NN]") var name: String
    @Option(help: "The transport key.") var under: String
    @Option(help: "File with an X9.143 key block.") var blockFile: String?
    @Option(help: "The key enciphered under the transport key (ECB), hexadecimal.") var cryptogram: String?
    @Option(help: "The check value that came with the cryptogram, six digits.") var kcv: String?

    /// Characters of a key block; the format's own limit is 9,999.
    private static let blockLimit = 16_384

    func run() async throws {
        guard (blockFile == nil) != (cryptogram == nil), (cryptogram == nil) == (kcv == nil) else {
            throw ValidationError("say --block-file FILE, or --cryptogram HEX with --kcv HHHHHH")
        }
        var block: String?
        if let blockFile {
            guard let data = try? Data(contentsOf: URL(filePath: blockFile)), data.count <= Self.blockLimit,
                let text = String(data: data, encoding: .utf8)
            else { throw CommandFailure("Cannot read a key block from \(blockFile).") }
            block = text.filter { !$0.isWhitespace }
        }
        let version: KeyVersionMessage = try await options.client().post(
            try .key(name, "import"), ImportMessage(under: under, block: block, cryptogram: cryptogram, checkValue: kcv)
        )
        try options.show(version) { $0.sayValue() }
    }
}

/// `kmsd key export`: two people let a key out, under a transport key.
struct KeyExportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export", abstract: "Let an exportable key out under a transport key (role key, two people).",
        discussion: """
            Example: kmsd approval request export PARK/PURSE/TAC PARK/TRANSPORT/KEK-A     (answers a number, say 5)
                     kmsd approval approve 5 --as mia
                     kmsd key export PARK/PURSE/TAC --under PARK/TRANSPORT/KEK-A --approval 5
            """)
    @OptionGroup var options: AdminOptions
    @Argument(help: "ISSUER/PRODUCT/LABEL[/NN]") var name: String
    @Option(help: "The transport key.") var under: String
    @Option(help: "Number of the approval.") var approval: Int64

    func run() async throws {
        let exported: ExportedKeyMessage = try await options.client().post(
            try .key(name, "export"), ExportMessage(under: under, approval: approval))
        try options.show(exported) {
            Terminal.say("Key \($0.identity)  KCV \($0.checkValue)  under \($0.under)")
            Terminal.say($0.block)
        }
    }
}

/// `kmsd key destroy`: two people take a value away for good.
struct KeyDestroyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "destroy", abstract: "Take a key's value away for good (role key, two people).",
        discussion: "Example: kmsd key destroy PARK/PURSE/TAC/01 --approval 6")
    @OptionGroup var options: AdminOptions
    @Argument(help: "ISSUER/PRODUCT/LABEL[/NN]") var name: String
    @Option(help: "Number of the approval.") var approval: Int64

    func run() async throws {
        let version: KeyVersionMessage = try await options.client().post(
            try .key(name, "destroy"), ApprovedMessage(approval: approval))
        try options.show(version) {
            Terminal.say("Key \($0.identity) is destroyed; its check value \($0.checkValue ?? "-") is kept.")
        }
    }
}

/// `kmsd key compromise`: two people say that a key is known to others.
struct KeyCompromiseCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "compromise",
        abstract: "Mark a key, and everything that travelled under it, as known to others (role key, two people).",
        discussion: "Example: kmsd key compromise PARK/TRANSPORT/KEK-A --approval 9")
    @OptionGroup var options: AdminOptions
    @Argument(help: "ISSUER/PRODUCT/LABEL[/NN]") var name: String
    @Option(help: "Number of the approval.") var approval: Int64

    func run() async throws {
        let reached: CompromisedMessage = try await options.client().post(
            try .key(name, "compromise"), ApprovedMessage(approval: approval))
        try options.show(reached) {
            Terminal.say("\($0.identities.count) keys are marked as compromised and serve no more:")
            for identity in $0.identities { Terminal.say("  \(identity)") }
        }
    }
}
