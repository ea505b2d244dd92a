import ArgumentParser
import Console

/// `kmsd key …`: application keys and their versions.
struct KeyCommandGroup: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "key", abstract: "Application keys (应用密钥): create, give a value, suspend, export, destroy.",
        discussion: """
            Two steps: `create` decides what a key is for (role conf); then it gets a value (role key) by `generate`, by typed
            `components`, or by `import` under a transport key.
            A key is named ISSUER/PRODUCT/LABEL; /NN behind it names a version, else the newest is meant.
            `export`, `destroy` and `compromise` need another person's approval: kmsd approval request ….
            """,
        subcommands: [
            Create.self, Generate.self, KeyComponentsGroup.self, KeyImportCommand.self, NewVersion.self, List.self,
            Show.self,
            Verify.self, Suspend.self, Resume.self, Retire.self, KeyExportCommand.self, KeyDestroyCommand.self,
            KeyCompromiseCommand.self, Delete.self,
        ])

    struct Create: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Decide what a key is for; its version 01 has no value yet (role conf).",
            discussion: """
                Usage: purchase, load, tac, unload, applicationMaintenance, cardControl, cardMaintenance, keyEncryption, mac3,
                signature … Mode: X master of card keys, N single key, B both, C MAC, S sign. Export: N never, E under a
                transport key.

                Levels: how many diversification factors a master's card keys are away from it (1: the card's serial number; 2:
                region, then card; at most 4). Fixed for ever: the module calculates for a card with exactly that many factors.

                Example: kmsd key create PARK/PURSE/TAC --usage tac --algorithm 3des2 --mode X --levels 1 --export N
                """)
        @OptionGroup var options: AdminOptions
        @Argument(help: "ISSUER/PRODUCT/LABEL") var name: String
        @Option(help: "What the key is for.") var usage: String
        @Option(help: "3des2, 3des3, aes128, aes256, sm4, rsa2048 …") var algorithm: String
        @Option(help: "Mode of use, a letter of X9.143.") var mode: String
        @Option(help: "Levels of diversification of a master, 1 to 4 (default: 1 with mode X).") var levels: Int?
        @Option(help: "Exportability: N, E or S.") var export: String
        @Option(help: "First day, 2026-11-23 or with a time (UTC).") var from: String?
        @Option(help: "The day on which it ends.") var until: String?
        @Option(help: "Description.") var description = ""

        func run() async throws {
            let new = NewKeyMessage(
                name: name, usage: usage, algorithm: algorithm, mode: mode, levels: levels, exportability: export,
                description: description, validFrom: from, validUntil: until)
            let version: KeyVersionMessage = try await options.client().post(AdminPath("keys"), new)
            try options.show(version) {
                Terminal.say(
                    "Key \($0.identity) made, without a value. Next: kmsd key generate \(name)",
                    "密钥 \($0.identity) 已建立，尚无值。下一步：kmsd key generate \(name)")
            }
        }
    }

    struct Generate: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Let the module make the value (role key).",
            discussion: "Example: kmsd key generate PARK/PURSE/TAC")
        @OptionGroup var options: AdminOptions
        @Argument(help: "ISSUER/PRODUCT/LABEL[/NN]") var name: String

        func run() async throws {
            let version: KeyVersionMessage = try await options.client().post(try .key(name, "value"))
            try options.show(version) { $0.sayValue() }
        }
    }

    struct NewVersion: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "new-version", abstract: "Make the next version, without a value (role key).",
            discussion: "Example: kmsd key new-version PARK/PURSE/TAC --from 2027-01-01")
        @OptionGroup var options: AdminOptions
        @Argument(help: "ISSUER/PRODUCT/LABEL") var name: String
        @Option(help: "First day (default: as the version before).") var from: String?
        @Option(help: "The day on which it ends.") var until: String?

        func run() async throws {
            let version: KeyVersionMessage = try await options.client().post(
                try .keyName(name, "versions"), ValidityMessage(validFrom: from, validUntil: until))
            try options.show(version) { Terminal.say("Version \($0.identity) made, without a value.") }
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "List all versions of all keys, or those that begin with PREFIX.",
            discussion: "Example: kmsd key list PARK/PURSE")
        @OptionGroup var options: AdminOptions
        @Argument(help: "Beginning of the name.") var prefix = ""

        func run() async throws {
            let all: [KeyVersionMessage] = try await options.client().get(AdminPath("keys"))
            try options.show(all.filter { $0.identity.hasPrefix(prefix) }) { versions in
                var table = TextTable("KEY", "USAGE", "ALGORITHM", "MODE", "EXPORT", "STATE", "KCV", "ORIGIN")
                for one in versions {
                    table.add(
                        one.identity, one.usage, one.algorithm, one.mode, one.exportability, one.state,
                        one.checkValue ?? "-", one.origin ?? "-")
                }
                table.show(orSay: "There is no such key.")
            }
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show one version.", discussion: "Example: kmsd key show PARK/PURSE/TAC/01")
        @OptionGroup var options: AdminOptions
        @Argument(help: "ISSUER/PRODUCT/LABEL[/NN]") var name: String

        func run() async throws {
            let version: KeyVersionMessage = try await options.client().get(try .key(name))
            try options.show(version) { $0.sayAll() }
        }
    }

    struct Verify: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Check that every stored key opens as the key that its row says (exit status 1 if not).",
            discussion: "A row that was moved, renamed, edited or damaged in the database is named.")
        @OptionGroup var options: AdminOptions

        func run() async throws {
            let verification: KeyVerificationMessage = try await options.client().post(AdminPath("key-verification"))
            try options.show(verification) { verification in
                for finding in verification.findings { Terminal.say("\(finding.identity)  \(finding.problem)") }
                Terminal.say(
                    "\(verification.checked) keys checked, \(verification.findings.count) findings",
                    "已检查 \(verification.checked) 个密钥，发现 \(verification.findings.count) 个问题")
            }
            if !verification.findings.isEmpty { throw ExitCode.failure }
        }
    }

    struct Suspend: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Take a key out of use for now (role key).")
        @OptionGroup var options: AdminOptions
        @Argument(help: "ISSUER/PRODUCT/LABEL[/NN]") var name: String
        func run() async throws { try await KeyCommandGroup.move(name, "suspend", options) }
    }

    struct Resume: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Bring a suspended key back into use (role key).")
        @OptionGroup var options: AdminOptions
        @Argument(help: "ISSUER/PRODUCT/LABEL[/NN]") var name: String
        func run() async throws { try await KeyCommandGroup.move(name, "resume", options) }
    }

    struct Retire: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "End a key's use for protecting; it still verifies what exists (role key).")
        @OptionGroup var options: AdminOptions
        @Argument(help: "ISSUER/PRODUCT/LABEL[/NN]") var name: String
        func run() async throws { try await KeyCommandGroup.move(name, "retire", options) }
    }

    struct Delete: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Delete a key that never had a value (role conf).")
        @OptionGroup var options: AdminOptions
        @Argument(help: "ISSUER/PRODUCT/LABEL") var name: String

        func run() async throws {
            try await options.client().delete(try .keyName(name))
            try options.show(["deleted": name]) { _ in Terminal.say("Key \(name) deleted.") }
        }
    }

    private static func move(_ name: String, _ move: String, _ options: AdminOptions) async throws {
        let version: KeyVersionMessage = try await options.client().post(
            try .key(name, "state"), MoveMessage(move: move))
        try options.show(version) {
            Terminal.say("Key \($0.identity) is \($0.state).", "密钥 \($0.identity) 状态：\($0.state)。")
        }
    }
}

extension KeyVersionMessage {
    /// What a person compares after a value was given.
    func sayValue() {
        let kcv = checkValue ?? "-"
        Terminal.say("Key \(identity)  KCV \(kcv)  \(state)", "密钥 \(identity)  校验值 \(kcv)  \(state)")
        if !sameValueAs.isEmpty {
            Terminal.say(
                "Careful: the same check value as \(sameValueAs.joined(separator: ", ")); probably the same key twice.")
        }
    }

    fileprivate func sayAll() {
        var lines: [(String, String?)] = [
            ("Key", identity), ("Usage", usage), ("Algorithm", algorithm), ("Mode of use", mode),
            ("Levels", levels > 0 ? String(levels) : nil), ("Exportability", exportability), ("State", state),
            ("Check value", checkValue), ("Valid from", validFrom),
            ("Valid until", validUntil), ("Origin", origin), ("Made by", madeBy), ("Made at", madeAt), ("Block", block),
            ("Public key", publicKey),
        ]
        if !sameValueAs.isEmpty { lines.append(("Same value as", sameValueAs.joined(separator: ", "))) }
        for (name, value) in lines {
            guard let value else { continue }
            Terminal.say(name + String(repeating: " ", count: 15 - name.count) + value)
        }
    }
}
