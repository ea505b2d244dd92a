import Foundation

/// Certificates of all kinds, made by `openssl` as docs/clients.md does it.
struct Authority: Sendable {
    let folder: String
    var certificate: String { folder + "/ca.crt" }

    init(_ name: String = "ca") async throws {
        folder = try TestDatabase.folder("tls-\(name)-\(TestDatabase.next())")
        try await run(
            "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", "ca.key",
            "-out", "ca.crt", "-days", "30", "-subj", "/CN=\(name)")
        try Data().write(to: URL(filePath: folder + "/index.txt"))
        try Data("01\n".utf8).write(to: URL(filePath: folder + "/serial"))
        try Data(
            """
            [ca]
            default_ca = own
            [own]
            dir = \(folder)
            database = \(folder)/index.txt
            new_certs_dir = \(folder)
            serial = \(folder)/serial
            certificate = \(folder)/ca.crt
            private_key = \(folder)/ca.key
            default_md = sha256
            policy = any
            unique_subject = no
            [any]
            commonName = supplied
            [client]
            extendedKeyUsage = clientAuth
            [server]
            extendedKeyUsage = serverAuth
            subjectAltName = IP:127.0.0.1
            """.utf8
        ).write(to: URL(filePath: folder + "/ca.cnf"))
    }

    /// A certificate of this authority and its key: `NAME.crt`, `NAME.key`.
    func issue(_ name: String, _ kind: String = "client", hasExpired: Bool = false) async throws -> Pair {
        try await run(
            "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", "\(name).key",
            "-out", "\(name).csr", "-subj", "/CN=\(name)")
        let dates = hasExpired ? ["-startdate", "20200101000000Z", "-enddate", "20200201000000Z"] : ["-days", "20"]
        try await run(
            [
                "ca", "-batch", "-notext", "-config", "ca.cnf", "-extensions", kind, "-in", "\(name).csr", "-out",
                "\(name).crt",
            ]
                + dates)
        return pair(name)
    }

    /// A certificate that nobody but itself has signed.
    func selfSigned(_ name: String) async throws -> Pair {
        try await run(
            "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", "\(name).key",
            "-out", "\(name).crt", "-days", "20", "-subj", "/CN=\(name)")
        return pair(name)
    }

    private func pair(_ name: String) -> Pair {
        Pair(certificate: "\(folder)/\(name).crt", key: "\(folder)/\(name).key")
    }

    struct Pair: Sendable {
        let certificate: String
        let key: String

        func pem() throws -> String { try String(contentsOfFile: certificate, encoding: .utf8) }
    }

    private func run(_ arguments: String...) async throws { try await run(arguments) }

    private func run(_ arguments: [String]) async throws {
        var openssl = Program("/usr/bin/openssl", arguments)
        openssl.folder = folder
        guard try await openssl.run().status == 0 else {
            throw Failed(words: arguments.prefix(2).joined(separator: " "))
        }
    }

    struct Failed: Error {
        let words: String
    }
}
