import ArgumentParser
import Console

/// `kmsd admin …`: the people and their roles.
struct AdminCommandGroup: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "admin", abstract: "Administrators: bootstrap, create, roles, lock.",
        discussion: """
            Roles: mk (LMK and module), conf (issuers, products, keys, people), key (values of keys), cert (certificates),
            operator (cards), auditor (reads everything, changes nothing, stands alone).
            A role is given by a `conf` administrator with another person's approval: kmsd approval request grant ROLE NAME.
            """,
        subcommands: [
            Bootstrap.self, List.self, Create.self, Grant.self, Revoke.self, Disable.self, Enable.self, Unlock.self,
            Password.self, ResetPassword.self,
        ])

    struct Bootstrap: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Make the first administrators, once, with the token that kmsd serve wrote.",
            discussion: """
                There is no default account and no default password. At least two people, with conf and key among their roles.
                Passwords (12 to 64 bytes) are asked for, or read from standard input, one line for each person in their order.

                Example: kmsd admin bootstrap --token-file /var/lib/kmsd/bootstrap-token \\
                             --person carl=conf --person kate=key --person adam=auditor
                """)
        @OptionGroup var options: AdminOptions
        @Option(help: "File with the token (<state>/bootstrap-token).") var tokenFile: String
        @Option(help: ArgumentHelp("NAME=ROLE or NAME=ROLE+ROLE; repeat for each person.", valueName: "name=roles"))
        var person: [String]

        func run() async throws {
            var lines = SecretLines()
            try lines.append(lineOf: tokenFile)
            for one in person {
                let name = one.split(separator: "=").first.map(String.init) ?? one
                try lines.appendNew("New password of \(name): ")
            }
            let client = try await options.stranger()
            let names: [String] = try await client.post(
                AdminPath("bootstrap", query: person.map { ("person", $0) }), secret: lines)
            try options.show(["administrators": names]) { _ in
                Terminal.say(
                    "Administrators made: \(names.joined(separator: ", ")). Each signs in with kmsd login NAME.",
                    "已建立管理员：\(names.joined(separator: "、"))。请各自用 kmsd login 登录。")
            }
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List the administrators.")
        @OptionGroup var options: AdminOptions

        func run() async throws {
            let people: [AdministratorMessage] = try await options.client().get(AdminPath("administrators"))
            try options.show(people) { people in
                var table = TextTable("NAME", "FULL NAME", "ROLES", "STATE")
                for person in people {
                    table.add(person.name, person.fullName, person.roles.joined(separator: " "), person.stateText)
                }
                table.show(orSay: "There is no administrator.")
            }
        }
    }

    struct Create: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Make an administrator without a role; the password is asked for.",
            discussion: "Example: kmsd admin create li --full-name \"Li Ming\"")
        @OptionGroup var options: AdminOptions
        @Argument(help: "a–z 0–9 . _ -, first a letter, at most 32.") var name: String
        @Option(help: "Full name (default: the name).") var fullName: String?

        func run() async throws {
            let client = try await options.client()
            var lines = SecretLines()
            try lines.appendNew("First password of \(name): ")
            let person: AdministratorMessage = try await client.post(
                AdminPath("administrators", query: [("name", name), ("fullName", fullName ?? name)]), secret: lines)
            try options.show(person) {
                Terminal.say("\($0.name) exists, without a role. Next: kmsd approval request grant ROLE \($0.name)")
            }
        }
    }

    struct Grant: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Give a role, with another person's approval.",
            discussion: "Example: kmsd approval request grant key li; … approve 7; kmsd admin grant key li --approval 7"
        )
        @OptionGroup var options: AdminOptions
        @Argument(help: "mk, conf, key, cert, operator or auditor.") var role: String
        @Argument(help: "Name of the administrator.") var person: String
        @Option(help: "Number of the approval.") var approval: Int64

        func run() async throws {
            let after: AdministratorMessage = try await options.client().post(
                AdminPath("administrators", person, "roles"), RoleGrantMessage(role: role, approval: approval))
            try options.show(after) { $0.say() }
        }
    }

    struct Revoke: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Take a role away.", discussion: "Example: kmsd admin revoke key li")
        @OptionGroup var options: AdminOptions
        @Argument(help: "mk, conf, key, cert, operator or auditor.") var role: String
        @Argument(help: "Name of the administrator.") var person: String

        func run() async throws {
            let after = try await options.client().delete(
                AdminPath("administrators", person, "roles", role), as: AdministratorMessage.self)
            try options.show(after) { $0.say() }
        }
    }

    struct Disable: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Lock a person out; their sessions end.")
        @OptionGroup var options: AdminOptions
        @Argument(help: "Name of the administrator.") var person: String
        func run() async throws { try await AdminCommandGroup.change(person, "disable", options) }
    }

    struct Enable: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Let a disabled person in again.")
        @OptionGroup var options: AdminOptions
        @Argument(help: "Name of the administrator.") var person: String
        func run() async throws { try await AdminCommandGroup.change(person, "enable", options) }
    }

    struct Unlock: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "End the wait after wrong passwords.")
        @OptionGroup var options: AdminOptions
        @Argument(help: "Name of the administrator.") var person: String
        func run() async throws { try await AdminCommandGroup.change(person, "unlock", options) }
    }

    struct Password: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Change one's own password; all one's sessions end.",
            discussion: "Two lines: the present password, then the new one.")
        @OptionGroup var options: AdminOptions

        func run() async throws {
            let client = try await options.client()
            var lines = try SecretLines(asking: "Present password: ")
            try lines.appendNew("New password: ")
            try await client.post(AdminPath("me", "password"), secret: lines)
            try options.show(["changed": true]) { _ in
                Terminal.say("The password is changed. Sign in again.", "口令已修改，请重新登录。")
            }
        }
    }

    struct ResetPassword: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "reset-password", abstract: "Give a person a new password, with another person's approval.",
            discussion:
                "Example: kmsd approval request reset-password li; … approve 8; kmsd admin reset-password li --approval 8"
        )
        @OptionGroup var options: AdminOptions
        @Argument(help: "Name of the administrator.") var person: String
        @Option(help: "Number of the approval.") var approval: Int64

        func run() async throws {
            let client = try await options.client()
            var lines = SecretLines()
            try lines.appendNew("New password of \(person): ")
            let path = AdminPath("administrators", person, "password", query: [("approval", String(approval))])
            let after: AdministratorMessage = try await client.post(path, secret: lines)
            try options.show(after) { $0.say() }
        }
    }

    private static func change(_ person: String, _ verb: String, _ options: AdminOptions) async throws {
        let after: AdministratorMessage = try await options.client().post(AdminPath("administrators", person, verb))
        try options.show(after) { $0.say() }
    }
}

extension AdministratorMessage {
    fileprivate var stateText: String {
        if disabled { return "disabled" }
        if let lockedUntil { return "locked until \(lockedUntil)" }
        return "enabled"
    }

    fileprivate func say() {
        let held = roles.isEmpty ? "none" : roles.joined(separator: ", ")
        Terminal.say("\(name): \(stateText), roles: \(held)")
    }
}
