import ArgumentParser
import Console

/// `kmsd issuer …`: who issues cards.
struct IssuerCommandGroup: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "issuer", abstract: "Issuers (发卡行): create, list, delete.",
        subcommands: [Create.self, List.self, Delete.self])

    struct Create: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Make an issuer (role conf).",
            discussion: "Example: kmsd issuer create PARK --name \"Park one-card centre\"")
        @OptionGroup var options: AdminOptions
        @Argument(help: "Code, at most 24 of A–Z a–z 0–9 . _ -; part of its keys' identities, so it never changes.")
        var code: String
        @Option(help: "Name.") var name: String
        @Option(help: "Description.") var description = ""

        func run() async throws {
            let issuer: IssuerMessage = try await options.client().post(
                AdminPath("issuers"), IssuerMessage(code: code, name: name, description: description))
            try options.show(issuer) { Terminal.say("Issuer \($0.code) made.", "发卡行 \($0.code) 已建立。") }
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List the issuers.")
        @OptionGroup var options: AdminOptions

        func run() async throws {
            let issuers: [IssuerMessage] = try await options.client().get(AdminPath("issuers"))
            try options.show(issuers) { issuers in
                var table = TextTable("CODE", "NAME", "DESCRIPTION")
                for issuer in issuers { table.add(issuer.code, issuer.name, issuer.description ?? "") }
                table.show(orSay: "There is no issuer yet: kmsd issuer create CODE --name NAME")
            }
        }
    }

    struct Delete: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Delete an issuer that has no key product (role conf).")
        @OptionGroup var options: AdminOptions
        @Argument(help: "Code.") var code: String

        func run() async throws {
            try await options.client().delete(AdminPath("issuers", code))
            try options.show(["deleted": code]) { _ in Terminal.say("Issuer \(code) deleted.") }
        }
    }
}

/// `kmsd product …`: groups of keys of one kind.
struct ProductCommandGroup: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "product", abstract: "Key products (密钥产品): create, list, delete.",
        subcommands: [Create.self, List.self, Delete.self])

    struct Create: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Make a key product (role conf).",
            discussion: "Example: kmsd product create PARK/PURSE --name \"PBOC e-purse masters\" --kind \"DKEY PURSE\"")
        @OptionGroup var options: AdminOptions
        @Argument(help: "ISSUER/CODE") var product: String
        @Option(help: "Name.") var name: String
        @Option(help: "Kind, in your own words.") var kind: String
        @Option(help: "Description.") var description = ""

        func run() async throws {
            let (issuer, code) = try ProductCommandGroup.split(product)
            let made: ProductMessage = try await options.client().post(
                AdminPath("issuers", issuer, "products"),
                ProductMessage(issuer: issuer, code: code, name: name, kind: kind, description: description))
            try options.show(made) { _ in Terminal.say("Key product \(product) made.", "密钥产品 \(product) 已建立。") }
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "List the key products of one issuer, or of all.", discussion: "Example: kmsd product list PARK")
        @OptionGroup var options: AdminOptions
        @Argument(help: "Code of the issuer.") var issuer: String?

        func run() async throws {
            let client = try await options.client()
            var issuers = [String]()
            if let issuer {
                issuers = [issuer]
            } else {
                issuers = try await client.get(AdminPath("issuers"), as: [IssuerMessage].self).map(\.code)
            }
            var products: [ProductMessage] = []
            for code in issuers {
                products += try await client.get(AdminPath("issuers", code, "products"), as: [ProductMessage].self)
            }
            try options.show(products) { products in
                var table = TextTable("PRODUCT", "NAME", "KIND", "DESCRIPTION")
                for product in products {
                    table.add(
                        "\(product.issuer ?? "")/\(product.code)", product.name, product.kind, product.description ?? ""
                    )
                }
                table.show(
                    orSay: "There is no key product yet: kmsd product create ISSUER/CODE --name NAME --kind KIND")
            }
        }
    }

    struct Delete: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Delete a key product that has no key (role conf).")
        @OptionGroup var options: AdminOptions
        @Argument(help: "ISSUER/CODE") var product: String

        func run() async throws {
            let (issuer, code) = try ProductCommandGroup.split(product)
            try await options.client().delete(AdminPath("issuers", issuer, "products", code))
            try options.show(["deleted": product]) { _ in Terminal.say("Key product \(product) deleted.") }
        }
    }

    static func split(_ product: String) throws -> (issuer: String, code: String) {
        let parts = product.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 2, !parts.contains("") else {
            throw CommandFailure("“\(product)” is not the name of a key product: ISSUER/CODE.")
        }
        return (parts[0], parts[1])
    }
}
