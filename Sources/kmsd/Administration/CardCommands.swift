import ArgumentParser
import Console
import HSMBridge
import Personalization

/// `kmsd card …`: cards are made from profiles, and every blank is accounted for.
struct CardCommandGroup: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "card", abstract: "Personalise cards from profiles; jobs and stock (role operator).",
        discussion: """
            Book blanks in (stock-in), put one into a reader, personalise it. A job that was interrupted says at which step:
            put the same card back and `continue` it, or `scrap` it. Blanks in = finished + scrapped + left, always.
            """,
        subcommands: [
            Profiles.self, Readers.self, Personalise.self, Jobs.self, Job.self, Continue.self, Scrap.self, Stock.self,
            StockIn.self,
        ])

    struct Profiles: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List the card profiles and the data they need.")
        @OptionGroup var options: AdminOptions

        func run() async throws {
            let profiles: [CardProfileMessage] = try await options.client().get(AdminPath("cards", "profiles"))
            try options.show(profiles) { profiles in
                for profile in profiles {
                    Terminal.say("\(profile.name)  \(profile.title)  (blanks of kind \(profile.kind))")
                    for field in profile.fields {
                        let need = field.defaultText.map { "default \($0.isEmpty ? "empty" : $0)" } ?? "required"
                        Terminal.say(
                            "  --data \(field.name)=…  \(field.expected), \(need)\(field.isSecret ? ", secret" : "")")
                    }
                }
                if profiles.isEmpty { Terminal.say("There is no card profile in personalization.profiles.") }
            }
        }
    }

    struct Readers: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List the card readers at the server.")
        @OptionGroup var options: AdminOptions

        func run() async throws {
            let names: [String] = try await options.client().get(AdminPath("cards", "readers"))
            try options.show(names) { names in names.forEach { Terminal.say($0) } }
        }
    }

    struct Personalise: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Make one card and wait for its end (exit status 1 if it is not finished).",
            discussion: """
                Secret data (a PIN) that is not given is asked for without echo, or read as a line of standard input.

                Example: kmsd card personalise --profile psam-pboc --issuer PARK --reader "ACS ACR39U 00 00" \\
                             --data psamSerial=31010000000000000001 --data terminal=310000000001
                """)
        @OptionGroup var options: AdminOptions
        @Option(help: "Card profile (kmsd card profiles).") var profile: String
        @Option(help: "Issuer whose keys go onto the card.") var issuer: String
        @Option(help: "Reader with the blank (kmsd card readers).") var reader: String
        @Option(help: "Delivery that the blank is taken from (default: the oldest with blanks).") var batch: String?
        @Option(help: ArgumentHelp("A data field; repeat for each.", valueName: "name=value")) var data: [String] = []

        func run() async throws {
            let client = try await options.client()
            let values = try await CardData.complete(data, for: profile, client)
            let new = NewCardJobMessage(profile: profile, issuer: issuer, reader: reader, batch: batch, data: values)
            let number: CardJobNumberMessage = try await client.post(AdminPath("cards", "jobs"), new)
            try CardProgress.end(try await CardProgress.follow(number.id, client, options), options)
        }
    }

    struct Jobs: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List the newest jobs.")
        @OptionGroup var options: AdminOptions
        @Option(help: "How many.") var limit = 20

        func run() async throws {
            let jobs: [CardJob] = try await options.client().get(
                AdminPath("cards", "jobs", query: [("limit", String(limit))]))
            try options.show(jobs) { jobs in
                var table = TextTable("JOB", "STATE", "STEP", "PROFILE", "ISSUER", "READER", "OPERATOR", "STARTED")
                for job in jobs {
                    table.add(
                        String(job.id), job.state.rawValue, "\(job.step)/\(job.steps)", job.profile, job.issuer,
                        job.reader,
                        job.operator, job.startedAt)
                }
                table.show(orSay: "No card was made yet.")
            }
        }
    }

    struct Job: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show one job with its journal and APDU transcript (key data only as ciphertext).")
        @OptionGroup var options: AdminOptions
        @Argument(help: "Number of the job.") var id: Int64

        func run() async throws {
            let job: CardJob = try await options.client().get(AdminPath("cards", "jobs", String(id)))
            try options.show(job) { job in
                CardProgress.say(job)
                for step in job.journal {
                    Terminal.say("  \(step.number)  \(step.outcome.rawValue)  \(step.name)  \(step.statusWord ?? "")")
                }
                for line in job.transcript { Terminal.say("  \(line)") }
            }
        }
    }

    struct Continue: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Go on with an interrupted job and the same card.",
            discussion: "Example: kmsd card continue 12 --reader \"Rack 3 00 00\"")
        @OptionGroup var options: AdminOptions
        @Argument(help: "Number of the job.") var id: Int64
        @Option(help: "Reader with the card.") var reader: String
        @Option(
            help: ArgumentHelp(
                "Type this secret field again (after a restart of the server); repeat for each.", valueName: "name"))
        var ask: [String] = []

        func run() async throws {
            let client = try await options.client()
            let place = ContinueMessage(reader: reader, data: try CardData.askAgain(ask))
            let job: CardJob = try await client.post(AdminPath("cards", "jobs", String(id), "continue"), place)
            try CardProgress.end(job, options)
        }
    }

    struct Scrap: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Count the card of an interrupted or failed job as scrap.",
            discussion: "Example: kmsd card scrap 12 --reason \"pulled at step 17, card destroyed\"")
        @OptionGroup var options: AdminOptions
        @Argument(help: "Number of the job.") var id: Int64
        @Option(help: "Why.") var reason: String

        func run() async throws {
            let job: CardJob = try await options.client().post(
                AdminPath("cards", "jobs", String(id), "scrap"), ScrapMessage(reason: reason))
            try options.show(job) { CardProgress.say($0) }
        }
    }

    struct Stock: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show the stock: received = blank + working + finished + scrapped.")
        @OptionGroup var options: AdminOptions

        func run() async throws {
            let lines: [StockLine] = try await options.client().get(AdminPath("cards", "stock"))
            try options.show(lines) { lines in
                var table = TextTable("KIND", "BATCH", "RECEIVED", "BLANK", "WORKING", "FINISHED", "SCRAPPED")
                for line in lines {
                    table.add(
                        line.kind, line.batch, String(line.received), String(line.blank), String(line.working),
                        String(line.finished), String(line.scrapped))
                }
                table.show(orSay: "No delivery was booked in yet: kmsd card stock-in --kind KIND --count N")
            }
        }
    }

    struct StockIn: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "stock-in", abstract: "Book a delivery of blanks in.",
            discussion: "Example: kmsd card stock-in --kind psam --count 100 --batch 2026-11")
        @OptionGroup var options: AdminOptions
        @Option(help: "Kind of blank (kmsd card profiles).") var kind: String
        @Option(help: "How many.") var count: Int
        @Option(help: "Name of the delivery (default 1).") var batch: String?

        func run() async throws {
            let line: StockLine = try await options.client().post(
                AdminPath("cards", "stock"), DeliveryMessage(kind: kind, batch: batch, count: count))
            try options.show(line) {
                Terminal.say(
                    "\($0.kind), delivery \($0.batch): \($0.received) received, \($0.blank) blank.",
                    "\($0.kind) 批次 \($0.batch)：入库 \($0.received)，空白 \($0.blank)。")
            }
        }
    }
}
