import ArgumentParser
import Console

/// `kmsd login NAME`: begins a session; the password is asked for without echo.
struct LoginCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "login", abstract: "Sign in as an administrator.",
        discussion: """
            The password is asked for, or read as one line of standard input; it is never an option.
            The session is kept in a file of mode 0600 under $KMSD_SESSIONS (default ~/.kmsd) until logout or idle time.

            Example: kmsd login carl
            """)
    @OptionGroup var options: AdminOptions
    @Argument(help: "Name of the administrator.") var person: String

    func run() async throws {
        let client = try await options.stranger()
        let password = try SecretLines(asking: "Password of \(person): ")
        let session: SessionMessage = try await client.post(
            AdminPath("sessions", query: [("name", person)]), secret: password)
        try SessionFiles.write(session.token, for: session.administrator)
        // The token itself is not printed.
        try options.show(SignedInReport(administrator: session.administrator, roles: session.roles)) {
            let roles = $0.roles.joined(separator: ", ")
            Terminal.say("\($0.administrator) is signed in; roles: \(roles)", "\($0.administrator) 已登录，角色：\(roles)")
        }
    }
}

/// A session as it is printed.
private struct SignedInReport: Encodable {
    let administrator: String
    let roles: [String]
}

/// `kmsd logout NAME`: ends a session at the server and here.
struct LogoutCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "logout", abstract: "End a session.", discussion: "Example: kmsd logout carl")
    @OptionGroup var options: AdminOptions
    @Argument(help: "Name of the administrator (default: as for every verb).") var person: String?

    func run() async throws {
        let name = try SessionFiles.person(person ?? options.name)
        let client = AdminClient(try await options.common.settings(), token: try SessionFiles.read(name))
        // Here it ends whatever the server says.
        try SessionFiles.remove(name)
        try await client.delete(AdminPath("sessions", "mine"))
        try options.show(["administrator": name]) { _ in Terminal.say("\(name) is signed out.", "\(name) 已退出。") }
    }
}

/// `kmsd whoami`: whose session is used, and what they may do.
struct WhoAmICommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "whoami", abstract: "Show who is signed in.", discussion: "Example: kmsd whoami --as carl")
    @OptionGroup var options: AdminOptions

    func run() async throws {
        let person: AdministratorMessage = try await options.client().get(AdminPath("me"))
        try options.show(person) { Terminal.say("\($0.name) (\($0.fullName)): \($0.roles.joined(separator: ", "))") }
    }
}
