import ArgumentParser
import Console
import Foundation

/// `kmsd client certificate …`: with what a client comes to the TLS ports.
struct ClientCertificateCommands: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "certificate", abstract: "Certificates that a client may come with.",
        discussion: """
            A client is known by its whole certificate (SHA-256 fingerprint), so a self-signed one does. Before it ends, add
            the new one, change the client over, and remove the old one. Connections that came with a removed certificate
            are closed within two seconds.
            """,
        subcommands: [Add.self, Remove.self])

    struct Add: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Let a client come with a certificate.",
            discussion: """
                FILE is the certificate alone, in PEM. The private key stays with the client.
                Example: kmsd client certificate add pos-front pos-front.crt
                """)
        @OptionGroup var options: AdminOptions
        @Argument(help: "The client.") var id: String
        @Argument(help: "File with one certificate in PEM.") var file: String

        func run() async throws {
            guard let data = FileManager.default.contents(atPath: file), data.count <= 32_768,
                let pem = String(data: data, encoding: .utf8)
            else { throw CommandFailure("\(file) cannot be read as a certificate in PEM.") }
            // It must not even travel to the server.
            guard !pem.contains("PRIVATE KEY") else {
                throw CommandFailure(
                    "\(file) holds a private key. Give the certificate alone; the key stays with the client.")
            }
            let client: ServiceClientMessage = try await options.client().post(
                AdminPath("clients", id, "certificates"), NewCertificateMessage(pem: pem))
            try options.show(client) { $0.say() }
        }
    }

    struct Remove: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "End a certificate: its connections are closed within two seconds.",
            discussion: """
                FINGERPRINT as `kmsd client show` or `openssl x509 -noout -fingerprint -sha256 -in FILE` print it.
                Example: kmsd client certificate remove pos-front 5F:1A:…
                """)
        @OptionGroup var options: AdminOptions
        @Argument(help: "The client.") var id: String
        @Argument(help: "SHA-256, 64 hexadecimal digits, with or without colons.") var fingerprint: String

        func run() async throws {
            let client: ServiceClientMessage = try await options.client().post(
                AdminPath("clients", id, "certificates", "remove"), CertificateNameMessage(fingerprint: fingerprint))
            try options.show(client) { $0.say() }
        }
    }
}

/// `kmsd client token …`: with what a client comes to the HTTP ports.
struct ClientTokenCommands: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "token", abstract: "API tokens of a client.",
        discussion: """
            A token is kmsd_NAME_SECRET. It is shown once and kept as a digest; NAME says which one is meant.
            """,
        subcommands: [New.self, Revoke.self])

    struct New: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Make a token; it is shown once, and the old ones end.",
            discussion: """
                Examples:
                  kmsd client token new settlement
                  kmsd client token new settlement --keep-old --until 2027-01-01
                """)
        @OptionGroup var options: AdminOptions
        @Argument(help: "The client.") var id: String
        @Option(help: "From then on it counts no more: 2027-01-01 or 2027-01-01T08:00:00Z.") var until: String?
        @Flag(help: "The old ones go on, for a change-over; revoke them afterwards.") var keepOld = false

        func run() async throws {
            let made: ClientTokenMessage = try await options.client().post(
                AdminPath("clients", id, "tokens"), NewTokenMessage(until: until, replacing: !keepOld))
            try options.show(made) { $0.say() }
        }
    }

    struct Revoke: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "End one token.", discussion: "Example: kmsd client token revoke settlement 1A2B3C4D")
        @OptionGroup var options: AdminOptions
        @Argument(help: "The client.") var id: String
        @Argument(help: "The NAME of kmsd_NAME_…: 8 characters, as `kmsd client show` prints them.") var name: String

        func run() async throws {
            let client: ServiceClientMessage = try await options.client().post(
                AdminPath("clients", id, "tokens", "revoke"), TokenNameMessage(prefix: name))
            try options.show(client) { $0.say() }
        }
    }
}

/// `kmsd client rate`.
struct ClientRateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rate", abstract: "How many requests a client may send.",
        discussion: """
            Counted over all its connections and both doors of this node. Over it, host commands are answered with error 39
            and HTTP with 429 and Retry-After. A batch counts as one request.

            Examples:
              kmsd client rate pos-front --per-second 500 --burst 1000
              kmsd client rate pos-front --unlimited
            """)
    @OptionGroup var options: AdminOptions
    @Argument(help: "The client.") var id: String
    @Option(help: "Requests a second, over time.") var perSecond: Int?
    @Option(help: "Requests at once after a pause; default: those of one second.") var burst: Int?
    @Flag(help: "As many as it likes.") var unlimited = false

    func validate() throws {
        guard unlimited == (perSecond == nil), !unlimited || burst == nil else {
            throw ValidationError("say --per-second N [--burst M], or --unlimited")
        }
    }

    func run() async throws {
        let client: ServiceClientMessage = try await options.client().post(
            AdminPath("clients", id, "rate"), RateMessage(perSecond: perSecond, burst: burst))
        try options.show(client) { $0.say() }
    }
}

/// `kmsd client addresses`.
struct ClientAddressesCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "addresses", abstract: "Where a client may come from.",
        discussion: """
            Examples:
              kmsd client addresses pos-front 192.0.2.7 192.0.2.64/26 2001:db8:5::/48
              kmsd client addresses pos-front --any
            """)
    @OptionGroup var options: AdminOptions
    @Argument(help: "The client.") var id: String
    @Argument(help: "Addresses, or beginnings of addresses with their length in bits.") var addresses: [String] = []
    @Flag(help: "From everywhere.") var any = false

    func validate() throws {
        guard any == addresses.isEmpty else { throw ValidationError("say ADDRESS…, or --any") }
    }

    func run() async throws {
        let client: ServiceClientMessage = try await options.client().post(
            AdminPath("clients", id, "addresses"), AddressesMessage(addresses: addresses))
        try options.show(client) { $0.say() }
    }
}
