import ArgumentParser
import Console

/// `kmsd client …`: programs that use the crypto service.
struct ClientCommandGroup: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "client", abstract: "Clients of the crypto service and their grants (role conf).",
        discussion:
            "A client may do nothing until it is granted operations on keys. Plain TCP connections act as crypto.plainClient.",
        subcommands: [Add.self, Grant.self, Revoke.self, List.self, Token.self, Disable.self, Enable.self])

    struct Add: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Make a client; its HTTP token is shown once.",
            discussion: "Example: kmsd client add host-port --description \"POS front end\"")
        @OptionGroup var options: AdminOptions
        @Argument(help: "a–z 0–9 . _ -, first a letter, at most 32.") var id: String
        @Option(help: "Description.") var description = ""

        func run() async throws {
            let made: ClientTokenMessage = try await options.client().post(
                AdminPath("clients"), NewClientMessage(id: id, description: description))
            try options.show(made) { $0.say() }
        }
    }

    struct Grant: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Allow operations on a key, on a key product, or with key blocks that the client brings along.",
            discussion: """
                Operations: generateMAC verifyMAC checkValue encrypt decrypt generateKey importKey exportKey diversify
                purseLoad pursePurchase purseVerify verifyTAC sign random

                Example: kmsd client grant host-port --product PARK/PURSE --operations purseLoad,purseVerify,verifyTAC
                """)
        @OptionGroup var options: AdminOptions
        @OptionGroup var grant: GrantOptions

        func run() async throws {
            let client: ServiceClientMessage = try await options.client().post(
                AdminPath("clients", grant.id, "grants"), try grant.message)
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
                AdminPath("clients", grant.id, "grants", "revoke"), try grant.message)
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

    struct Token: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Make a new HTTP token; the old one ends.")
        @OptionGroup var options: AdminOptions
        @Argument(help: "The client.") var id: String

        func run() async throws {
            let made: ClientTokenMessage = try await options.client().post(AdminPath("clients", id, "token"))
            try options.show(made) { $0.say() }
        }
    }

    struct Disable: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Refuse everything that a client asks for.")
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

    var message: GrantMessage {
        get throws {
            let scope = blocks ? "*" : product.map { "\($0)/*" } ?? key ?? ""
            return GrantMessage(scope: scope, operations: operations.split(separator: ",").map(String.init))
        }
    }
}

extension ClientTokenMessage {
    fileprivate func say() {
        Terminal.say("Client \(id). Its token, shown only now:", "客户端 \(id)。令牌只显示一次：")
        Terminal.say(token)
    }
}

extension ServiceClientMessage {
    fileprivate func say() {
        Terminal.say("\(id)\(enabled ? "" : " (disabled)")\(description.isEmpty ? "" : "  – " + description)")
        if grants.isEmpty { Terminal.say("  no grants: everything is denied") }
        for grant in grants { Terminal.say("  \(grant.scope)  \(grant.operations.joined(separator: ", "))") }
    }
}
