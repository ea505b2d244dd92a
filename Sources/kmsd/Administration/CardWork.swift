import ArgumentParser
import Console
import HSMBridge
import Personalization

/// The data fields of a card, as they are typed.
enum CardData {
    /// `name=value` each.
    static func parse(_ items: [String]) throws -> [String: String] {
        var values: [String: String] = [:]
        for item in items {
            guard let equals = item.firstIndex(of: "="), equals > item.startIndex else {
                throw ValidationError("--data must be NAME=VALUE")
            }
            let name = String(item[..<equals])
            guard values.updateValue(String(item[item.index(after: equals)...]), forKey: name) == nil else {
                throw ValidationError("--data \(name) is there twice")
            }
        }
        return values
    }

    /// Asks for required secret fields that were not given.
    static func complete(_ items: [String], for profile: String, _ client: AdminClient) async throws -> [String: String]
    {
        var values = try parse(items)
        let profiles: [CardProfileMessage] = try await client.get(AdminPath("cards", "profiles"))
        guard let form = profiles.first(where: { $0.name == profile }) else {
            let names = profiles.map(\.name).joined(separator: ", ")
            throw CommandFailure("There is no card profile “\(profile)”; there are: \(names).")
        }
        for field in form.fields where field.isSecret {
            // A command line is readable by every user of the machine, and stays in the shell's history.
            guard values[field.name] == nil else {
                throw ValidationError("\(field.name) is secret: leave it out, it is asked for")
            }
            if field.defaultText == nil { values[field.name] = try ask("\(field.title) (\(field.expected)): ") }
        }
        return values
    }

    /// Secret fields to be typed again.
    static func askAgain(_ names: [String]) throws -> [String: String]? {
        if names.isEmpty { return nil }
        var values: [String: String] = [:]
        for name in names { values[name] = try ask("\(name): ") }
        return values
    }

    private static func ask(_ question: String) throws -> String {
        let typed = try SecretPrompt.required(question)
        return unsafe typed.withBytes { bytes in unsafe String(decoding: bytes, as: UTF8.self) }
    }
}

/// Following a job and saying how it ended.
enum CardProgress {
    private static let pollMilliseconds = 150
    /// About half an hour: far beyond the server's own limit for a card.
    private static let polls = 12_000

    /// Asks until the job has ended; says each step on the way.
    static func follow(_ id: Int64, _ client: AdminClient, _ options: AdminOptions) async throws -> CardJob {
        var last = 0
        for _ in 0..<polls {
            let job: CardJob = try await client.get(AdminPath("cards", "jobs", String(id)))
            if !options.json, job.step != last, let name = job.stepName {
                Terminal.ask("step \(job.step)/\(job.steps) \(name)\n")
                last = job.step
            }
            if job.state != .running { return job }
            try await Task.sleep(for: .milliseconds(pollMilliseconds))
        }
        throw CommandFailure("Job \(id) has not ended yet; it goes on at the server: kmsd card job \(id)")
    }

    /// Prints the job; exit status 1 where the card is not finished.
    static func end(_ job: CardJob, _ options: AdminOptions) throws {
        try options.show(job) { say($0) }
        if job.state != .finished { throw ExitCode.failure }
    }

    static func say(_ job: CardJob) {
        let serial = job.cardSerial.map { ", card \($0)" } ?? ""
        Terminal.say(
            "Job \(job.id): \(job.profile) for \(job.issuer) in \(job.reader)\(serial): \(job.state.rawValue), step \(job.step) of \(job.steps)"
        )
        if let message = job.message { Terminal.say("  \(message)") }
        for (name, kcv) in job.checkValues.sorted(by: { $0.key < $1.key }) { Terminal.say("  \(name)  KCV \(kcv)") }
        if job.mayContinue {
            Terminal.say(
                "  Put the same card back: kmsd card continue \(job.id) --reader \"\(job.reader)\"; or: kmsd card scrap \(job.id) --reason …",
                "  请放回同一张卡：kmsd card continue \(job.id) --reader \"\(job.reader)\"；或报废：kmsd card scrap \(job.id) --reason …"
            )
        } else if job.needsScrap {
            Terminal.say(
                "  Destroy the card and count it: kmsd card scrap \(job.id) --reason …",
                "  请销毁卡片并登记：kmsd card scrap \(job.id) --reason …")
        }
    }
}
