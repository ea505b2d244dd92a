import ArgumentParser

/// The options of every administrators' verb.
struct AdminOptions: ParsableArguments {
    @OptionGroup var common: CommonOptions

    @Option(
        name: .customLong("as"),
        help: ArgumentHelp("Whose session to use (default $KMSD_AS, or the only one there is).", valueName: "name"))
    var name: String?

    var json: Bool { common.json }

    /// A client that speaks for a person who has signed in.
    func client() async throws -> AdminClient {
        let person = try SessionFiles.person(name)
        return AdminClient(try await common.settings(), token: try SessionFiles.read(person))
    }

    /// A client without a session: bootstrap and signing in.
    func stranger() async throws -> AdminClient { AdminClient(try await common.settings(), token: nil) }

    /// Prints a result: as JSON, or as people read it.
    func show<Value: Encodable>(_ value: Value, _ human: (Value) -> Void) throws {
        if json { try Terminal.json(value) } else { human(value) }
    }
}
