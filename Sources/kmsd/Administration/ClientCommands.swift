import ArgumentParser
import Console
import KMS

/// `kmsd client …`: programs that use the crypto service.
struct ClientCommandGroup: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "client",
        abstract: "Clients of the crypto service: who they are and what they may ask (role conf).",
        discussion: """
            A client may do nothing until it is granted operations on keys. It shows who it is with a certificate (TLS ports
            2500 and 8444), with a token (HTTP), or by coming from this machine over plain TCP, as crypto.plainClient.
            Every change counts within two seconds, on open connections too. docs/clients.md walks through all of it.

            The usual way:
              kmsd client add pos-front --no-token --description "POS front end, hall 2"
              kmsd client certificate add pos-front pos-front.crt
              kmsd client grant pos-front --product PARK/PURSE --operations purseLoad,purseVerify,verifyTAC
              kmsd client rate pos-front --per-second 500 --burst 1000
              kmsd client show pos-front
            """,
        subcommands: [
            Add.self, Grant.self, Revoke.self, List.self, Show.self, ClientCertificateCommands.self,
            ClientTokenCommands.self, ClientRateCommand.self, ClientAddressesCommand.self, Disable.self, Enable.self,
        ])

    struct Add: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Make a client, without any grant. Its token is shown once.",
            discussion: """
                Examples:
                  kmsd client add settlement --description "Settlement, HTTP"
                  kmsd client add pos-front --no-token --description "POS front end with a certificate"
                """)
        @OptionGroup var options: AdminOptions
        @Argument(help: "a–z 0–9 . _ -, first a letter, at most 32.") var id: String
        @Option(help: "Description.") var description = ""
        @Flag(help: "No token: it comes with a certificate, or over a plain connection.") var noToken = false

        func run() async throws {
            let made: ClientTokenMessage = try await options.client().post(
                AdminPath("clients"), NewClientMessage(id: id, description: description, token: !noToken))
            try options.show(made) { $0.say() }
        }
    }

    struct Grant: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Allow operations on a key, on a key product, or with key blocks that the client brings along.",
            discussion: """
                Operations: \(ServiceOperation.allCases.map(\.rawValue).joined(separator: " "))

                Granting again gives a new end: without --until there is none.

                Examples:
                  kmsd client grant host-port --product PARK/PURSE --operations purseLoad,purseVerify,verifyTAC
                  kmsd client grant partner --key PARK/FLEET/TAC --operations verifyTAC --until 2027-01-01
                """)
        @Option(help: "From then on it counts no more: 2027-01-01 or 2027-01-01T08:00:00Z.") var until: String?
        @OptionGroup var options: AdminOptions
        @OptionGroup var grant: GrantOptions

        func run() async throws {
            let client: ServiceClientMessage = try await options.client().post(
                AdminPath("clients", grant.id, "grants"), try grant.message(until: until))
            try options.show(client) { $0.say() }
        }
    }

    struct Revoke: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Take operations away again.",
            discussion: "Example: kmsd client revoke host-port --product PARK/PURSE --operations purseLoad")
        @OptionGroup var options: AdminOptions
        @OptionGroup var grant: GrantOptions

        func run() async throws {
            let client: ServiceClientMessage = try await options.client().post(
                AdminPath("clients", grant.id, "grants", "revoke"), try grant.message(until: nil))
            try options.show(client) { $0.say() }
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List the clients and their grants.")
        @OptionGroup var options: AdminOptions

        func run() async throws {
            let clients: [ServiceClientMessage] = try await options.client().get(AdminPath("clients"))
            try options.show(clients) { clients in
                if clients.isEmpty { Terminal.say("There is no client yet: kmsd client add ID") }
                for client in clients { client.say() }
            }
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Show one client with everything it has.")
        @OptionGroup var options: AdminOptions
        @Argument(help: "The client.") var id: String

        func run() async throws {
            let client: ServiceClientMessage = try await options.client().get(AdminPath("clients", id))
            try options.show(client) { $0.say() }
        }
    }

    struct Disable: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Refuse everything that a client asks for, and close its TLS connections.")
        @OptionGroup var options: AdminOptions
        @Argument(help: "The client.") var id: String
        func run() async throws { try await ClientCommandGroup.change(id, "disable", options) }
    }

    struct Enable: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Let a disabled client work again.")
        @OptionGroup var options: AdminOptions
        @Argument(help: "The client.") var id: String
        func run() async throws { try await ClientCommandGroup.change(id, "enable", options) }
    }

    private static func change(_ id: String, _ verb: String, _ options: AdminOptions) async throws {
        let client: ServiceClientMessage = try await options.client().post(AdminPath("clients", id, verb))
        try options.show(client) { $0.say() }
    }
}

/// For whom, on what, which operations.
struct GrantOptions: ParsableArguments {
    @Argument(help: "The client.") var id: String
    @Option(help: "ISSUER/PRODUCT/LABEL: all versions of one key.") var key: String?
    @Option(help: "ISSUER/PRODUCT: all keys of a key product.") var product: String?
    @Flag(help: "Key blocks that the client brings along, and commands without a key.") var blocks = false
    @Option(help: "Operations, separated by commas.") var operations: String

    func validate() throws {
        let given = (key == nil ? 0 : 1) + (product == nil ? 0 : 1) + (blocks ? 1 : 0)
        guard given == 1 else { throw ValidationError("say one of --key NAME, --product ISSUER/PRODUCT, --blocks") }
    }

    func message(until: String?) throws -> GrantMessage {
        let scope = blocks ? "*" : product.map { "\($0)/*" } ?? key ?? ""
        return GrantMessage(scope: scope, operations: operations.split(separator: ",").map(String.init), until: until)
    }
}

extension ClientTokenMessage {
    func say() {
        guard let token else {
            return Terminal.say(
                "Client \(id). It has no token; next: kmsd client certificate add \(id) FILE",
                "客户端 \(id)。没有令牌；下一步：kmsd client certificate add \(id) FILE")
        }
        Terminal.say("Client \(id). Its token, shown only now:", "客户端 \(id)。令牌只显示一次：")
        Terminal.say(token)
    }
}

extension ServiceClientMessage {
    func say() {
        Terminal.say("\(id)\(enabled ? "" : " (disabled)")\(description.isEmpty ? "" : "  – " + description)")
        if grants.isEmpty { Terminal.say("  no grants: everything is denied", "  没有授权：一律拒绝") }
        for grant in grants {
            let end = grant.until.map { "  until \($0)" } ?? ""
            Terminal.say("  \(grant.scope)  \(grant.operations.joined(separator: ", "))\(end)")
        }
        for certificate in certificates {
            Terminal.say("  certificate \(certificate.fingerprint)")
            Terminal.say("              \(certificate.subject ?? "")  until \(certificate.validUntil ?? "-")")
        }
        for token in tokens {
            Terminal.say("  token kmsd_\(token.prefix)_…\(token.until.map { "  until \($0)" } ?? "")")
        }
        if let perSecond = rate?.perSecond {
            Terminal.say("  at most \(perSecond) requests a second, \(rate?.burst ?? perSecond) at once")
        }
        if !addresses.isEmpty { Terminal.say("  only from \(addresses.joined(separator: ", "))") }
    }
}
