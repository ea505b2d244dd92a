import Foundation
import Glibc
import Testing

@testable import MariaDB

/// TLS to a server on the network, here on a loopback port.
@Suite struct TransportTests {
    @Test func `a server is trusted by its authority and its name, or not at all`() async throws {
        let folder = try TestServer.temporaryFolder("tls")
        try openssl(
            folder, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
            "-subj", "/CN=database", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", "key.pem", "-out", "cert.pem")
        try openssl(
            folder, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
            "-subj", "/CN=other", "-keyout", "other.key", "-out", "other.pem")
        let port = try freePort()
        let server = try await TestServer.start(
            "network",
            settings: [
                "skip-networking": "OFF", "bind-address": "127.0.0.1,127.0.0.2", "port": "\(port)",
                "ssl-cert": "\(folder)/cert.pem", "ssl-key": "\(folder)/key.pem",
            ])
        let secret = String(repeating: "5", count: 40)
        try Data(secret.utf8).write(to: URL(filePath: "\(folder)/password"))
        try await TestServer.with(TestServer.administrator(of: server)) { database in
            try await database.plain { connection in
                // A statement's text of the test's own; the program never makes one from a password.
                try connection.execute(
                    SQL(text: "CREATE USER 'far'@'127.0.0.1' IDENTIFIED BY '\(secret)' REQUIRE SSL"))
            }
        }
        func settings(host: String, authority: String?) -> DatabaseSettings {
            var settings = DatabaseSettings(
                server: .tcp(host: host, port: port, authorityFile: authority.map { "\(folder)/\($0)" }),
                user: "far", password: .file(path: "\(folder)/password"), schema: nil)
            settings.reconnectSeconds = 0
            return settings
        }
        let cipher: @Sendable (Database) async throws -> String? = { database in
            try await database.read { connection in
                try connection.requireOne(
                    "SELECT VARIABLE_VALUE AS v FROM information_schema.SESSION_STATUS WHERE VARIABLE_NAME = 'SSL_CIPHER'"
                ).optionalText("v")
            }
        }
        let used = try await TestServer.with(settings(host: "127.0.0.1", authority: "cert.pem"), cipher)
        #expect(used?.isEmpty == false)
        // Another authority, and the right one for another name of the same machine.
        await #expect(throws: DatabaseError.other(code: 2026)) {
            try await TestServer.with(settings(host: "127.0.0.1", authority: "other.pem"), cipher)
        }
        await #expect(throws: DatabaseError.other(code: 2026)) {
            try await TestServer.with(settings(host: "127.0.0.2", authority: "cert.pem"), cipher)
        }
        // Without TLS the account does not let us in.
        await #expect(throws: DatabaseError.accessDenied) {
            try await TestServer.with(settings(host: "127.0.0.1", authority: nil), cipher)
        }
        await server.stop()
    }

    private func openssl(_ folder: String, _ arguments: String...) throws {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/openssl")
        process.currentDirectoryURL = URL(filePath: folder)
        process.arguments = arguments
        process.standardError = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        try #require(process.terminationStatus == 0)
    }

    private func freePort() throws -> UInt16 {
        let file = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        try #require(file >= 0)
        defer { close(file) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let failed = unsafe withUnsafeMutablePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                unsafe bind(file, address, length) != 0 || getsockname(file, address, &length) != 0
            }
        }
        try #require(!failed)
        return UInt16(bigEndian: address.sin_port)
    }
}
