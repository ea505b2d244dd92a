import ArgumentParser
import Console
import FoundationEssentials
import HSMBridge

/// `kmsd audit …`: the trail of everything that administrators did.
struct AuditCommandGroup: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "audit", abstract: "The audit trail: verify, show, sign a checkpoint.",
        subcommands: [Verify.self, Show.self, Checkpoint.self, Checkpoints.self])

    struct Verify: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Check the whole trail in file and table; the first bad record is named (exit status 1).",
            discussion: "Example: kmsd audit verify --as adam")
        @OptionGroup var options: AdminOptions

        func run() async throws {
            let verification: AuditVerificationMessage = try await options.client().post(
                AdminPath("audit", "verification"))
            try options.show(verification) { verification in
                for finding in verification.findings { Terminal.say(finding.text) }
                if verification.findings.isEmpty {
                    Terminal.say(
                        "\(verification.records) records of node \(verification.node), intact. Head \(verification.head)",
                        "节点 \(verification.node) 共 \(verification.records) 条记录，审计链完整。链头 \(verification.head)")
                } else {
                    Terminal.say(
                        "The trail is NOT intact: \(verification.findings.count) findings; the first bad one is record \(verification.findings[0].sequence).",
                        "审计链不完整：发现 \(verification.findings.count) 处问题，首条问题记录为 \(verification.findings[0].sequence)。")
                }
            }
            if !verification.findings.isEmpty { throw ExitCode.failure }
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show records: the last ones, or from a number on.",
            discussion: "Example: kmsd audit show --from 100 --limit 20")
        @OptionGroup var options: AdminOptions
        @Option(help: "First record (default: so that the last ones are shown).") var from: UInt64?
        @Option(help: "How many, at most 1000.") var limit = 20

        func run() async throws {
            var query = [("limit", String(limit))]
            if let from { query.append(("from", String(from))) }
            let records: [AuditRecordMessage] = try await options.client().get(
                AdminPath("audit", "records", query: query))
            try options.show(records) { records in
                var table = TextTable("RECORD", "TIME", "WHO", "WHAT", "ON", "OUTCOME", "KCV")
                for one in records {
                    table.add(
                        String(one.sequence), one.time, one.actors.joined(separator: "+"), one.operation, one.object,
                        one.code.isEmpty ? one.outcome : "\(one.outcome) \(one.code)", one.checkValue)
                }
                table.show(orSay: "There is no such record.")
            }
        }
    }

    struct Checkpoint: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Sign the head of the trail with an RSA key (role mk or key).",
            discussion: """
                With --out, the files message, signature, public.pem and public.der are written; openssl alone can check them:
                openssl dgst -sha256 -verify public.pem -signature signature message

                Example: kmsd audit checkpoint --key PARK/AUDIT/CHECKPOINT --out /media/usb/2026-11-23
                """)
        @OptionGroup var options: AdminOptions
        @Option(help: "The signing key.") var key: String
        @Option(help: "Folder for the files.") var out: String?

        func run() async throws {
            let checkpoint: CheckpointMessage = try await options.client().post(
                AdminPath("audit", "checkpoints"), NewCheckpointMessage(key: key))
            if let out { try Self.write(checkpoint, to: out) }
            try options.show(checkpoint) {
                Terminal.say(
                    "Checkpoint of record \($0.sequence), head \($0.head), signed with \($0.key).",
                    "已为第 \($0.sequence) 条记录签署检查点，链头 \($0.head)，签名密钥 \($0.key)。")
                guard let out else { return Terminal.say("Signature: \($0.signature)") }
                Terminal.say(
                    "Check it: openssl dgst -sha256 -verify \(out)/public.pem -signature \(out)/signature \(out)/message"
                )
            }
        }

        private static func write(_ checkpoint: CheckpointMessage, to folder: String) throws {
            guard let signature = Hex.decode(checkpoint.signature), let key = Hex.decode(checkpoint.publicKey) else {
                throw CommandFailure("The server's checkpoint is not understood; both sides must be of one version.")
            }
            do {
                try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
                for (name, data) in [
                    ("message", Data(checkpoint.message.utf8)), ("signature", Data(signature)),
                    ("public.pem", Data(checkpoint.publicKeyPEM.utf8)), ("public.der", Data(key)),
                ] {
                    try data.write(to: URL(filePath: "\(folder)/\(name)"))
                }
            } catch { throw CommandFailure("The checkpoint is made, but cannot be written to \(folder).") }
        }
    }

    struct Checkpoints: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List the checkpoints made so far.")
        @OptionGroup var options: AdminOptions

        func run() async throws {
            let all: [CheckpointMessage] = try await options.client().get(AdminPath("audit", "checkpoints"))
            try options.show(all) { all in
                var table = TextTable("RECORD", "TIME", "KEY", "HEAD")
                for one in all { table.add(String(one.sequence), one.time, one.key, one.head) }
                table.show(orSay: "No checkpoint was made yet: kmsd audit checkpoint --key NAME")
            }
        }
    }
}
