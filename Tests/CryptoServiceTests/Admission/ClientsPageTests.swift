import Foundation
import Testing

@testable import CryptoService
@testable import KMS

/// docs/clients.md makes certificates with which a client really comes in.
@Suite struct ClientsPageTests {
    /// The blocks of the page that are to be run, in their order.
    private func commands(file: String = #filePath) throws -> String {
        var root = URL(filePath: file)
        for _ in 0..<4 { root.deleteLastPathComponent() }
        let page = try String(contentsOf: root.appending(path: "docs/clients.md"), encoding: .utf8)
        return page.components(separatedBy: "```sh run\n").dropFirst()
            .map { $0.components(separatedBy: "```")[0] }.joined()
    }

    @Test func `the page's authority, server and clients work together`() async throws {
        let folder = try TestDatabase.folder("page-\(TestDatabase.next())")
        var shell = Program("/bin/sh", ["-e", "-c", try commands()])
        shell.folder = folder
        try #require(try await shell.run().status == 0)
        for authority in [nil, folder + "/ca.crt"] {
            let world = try await World.make(
                tls: TLSFiles(
                    certificate: folder + "/server.crt", key: folder + "/server.key", clientAuthority: authority))
            let port = try #require(world.server.tlsPort)
            for name in ["pos-front", "settlement"] {
                let pair = Authority.Pair(certificate: "\(folder)/\(name).crt", key: "\(folder)/\(name).key")
                try await world.centre.createClientWithoutToken(name, description: "", by: World.conf)
                try await world.centre.addCertificate(
                    CertificateText.read(try pair.pem()), to: name, by: World.conf)
                let answer = await TLSClient(certificate: pair, roots: folder + "/ca.crt").echo(port)
                // The one that signed itself is none of the authority's.
                let isExpected = authority == nil || name == "pos-front"
                #expect(answer == (isExpected ? "0001B300" : nil), "\(name)")
            }
            await world.stop()
        }
    }
}
