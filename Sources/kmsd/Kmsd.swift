import ArgumentParser

/// The one binary. Three of its verbs are servers with walls between them (`hsm`, `serve`, `platform`), the others are their
/// clients.
@main
struct Kmsd: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "kmsd",
        abstract: "Key management and PSAM personalisation security server for one-card systems.",
        discussion: """
            Servers:  kmsd hsm → kmsd serve → kmsd platform (each talks only to the one before it).
            Operation: kmsd status, kmsd top.
            Custodians: kmsd lmk, kmsd module.  Administrators: kmsd login, then issuer, product, key, audit.
            Cards: kmsd card, kmsd pos.  Try everything at once on virtual cards: make run (kmsd story).
            """,
        version: KmsdVersion.text,
        groupedSubcommands: [
            CommandGroup(
                name: "Servers",
                subcommands: [HSMCommand.self, ServeCommand.self, PlatformCommand.self, DatabaseCommand.self]),
            CommandGroup(name: "Operation", subcommands: [StatusCommand.self, TopCommand.self]),
            CommandGroup(name: "Custodians", subcommands: [ModuleCommandGroup.self, LMKCommandGroup.self]),
            CommandGroup(name: "Administrators", subcommands: AdministrationVerbs.all),
            CommandGroup(
                name: "Cards", subcommands: [CardCommandGroup.self, POSCommandGroup.self, CardSimulatorCommand.self]),
            CommandGroup(name: "Trying and measuring", subcommands: [StoryCommand.self, BenchCommand.self]),
        ])
}

/// The version that every part shows.
enum KmsdVersion {
    static let number = "0.1.0"
    static let text = "kmsd \(number)"
}
