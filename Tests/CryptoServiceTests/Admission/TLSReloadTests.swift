import Foundation
import Logging
import NIOCore
import NIOPosix
import NIOSSL
import Testing

@testable import CryptoService
@testable import KMS

/// New TLS files without a restart.
@Suite struct TLSReloadTests {
    /// The fingerprint of the certificate that the port shows.
    private func shown(_ port: Int, _ client: Authority.Pair) async throws -> CertificateFingerprint? {
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.certificateVerification = .none
        configuration.certificateChain = try NIOSSLCertificate.fromPEMFile(client.certificate).map { .certificate($0) }
        configuration.privateKey = .privateKey(try NIOSSLPrivateKey(file: client.key, format: .pem))
        let context = try NIOSSLContext(configuration: configuration)
        let channel = try await World.clients
            .connect(host: "127.0.0.1", port: port) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(
                        NIOSSLClientHandler(context: context, serverHostname: nil))
                    return try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: channel)
                }
            }
        return try await channel.executeThenClose { inbound, outbound in
            try await outbound.write(ByteBuffer(bytes: Array("\u{0}\u{E}0001B20004PING".utf8)))
            var reads = inbound.makeAsyncIterator()
            guard try await reads.next() != nil else { return nil }
            let pipeline = channel.channel
            return try await pipeline.nioSSL_peerCertificate().map { certificate in
                certificate.flatMap { ClientCertificate($0)?.fingerprint }
            }.get()
        }
    }

    private func fingerprint(_ pair: Authority.Pair) throws -> CertificateFingerprint {
        try CertificateText.read(try pair.pem()).fingerprint
    }

    private func put(_ pair: Authority.Pair, in place: Authority.Pair) throws {
        for (from, to) in [(pair.certificate, place.certificate), (pair.key, place.key)] {
            // As certificate programs do it: a new file takes the old one's name.
            try FileManager.default.copyItem(atPath: from, toPath: to + ".new")
            guard unsafe rename(to + ".new", to) == 0 else { throw CocoaError(.fileWriteUnknown) }
        }
    }

    @Test func `a renewed pair is shown from the next handshake on, and open connections stay`() async throws {
        let door = try await TLSDoorTests.Door.open()
        let material = try #require(door.world.admission.tls)
        let place = Authority.Pair(
            certificate: "\(door.authority.folder)/server.crt", key: "\(door.authority.folder)/server.key")
        let before = try fingerprint(place)
        let renewed = try await door.authority.issue("renewed", "server")
        #expect(try await shown(door.port, door.pos) == before)
        #expect(material.reload() == .unchanged)
        try await door.client(door.pos).connect(door.port) { open in
            try await open.sendEcho(1)
            #expect(try await open.answer() == "0001B300")
            try put(renewed, in: place)
            #expect(material.reload() == .reloaded)
            #expect(material.reload() == .unchanged)
            #expect(try await shown(door.port, door.pos) == fingerprint(renewed))
            try await open.sendEcho(2)
            #expect(try await open.answer() == "0002B300")
        }
        await door.world.stop()
    }

    @Test func `files that do not fit are not taken, and the old ones go on`() async throws {
        let door = try await TLSDoorTests.Door.open()
        let material = try #require(door.world.admission.tls)
        let place = Authority.Pair(
            certificate: "\(door.authority.folder)/server.crt", key: "\(door.authority.folder)/server.key")
        let before = try fingerprint(place)
        let other = try await door.authority.issue("other", "server")
        func isRefused(always: Bool = false) -> Bool {
            if case .refused = material.reload(always: always) { true } else { false }
        }
        let (certificate, key) = (try Data(contentsOf: URL(filePath: place.certificate)), URL(filePath: place.key))
        let ownKey = try Data(contentsOf: key)
        // The key of another certificate.
        try Data(contentsOf: URL(filePath: other.key)).write(to: key)
        #expect(isRefused())
        // Said once, unless somebody asks for it.
        #expect(material.reload() == .unchanged)
        #expect(isRefused(always: true))
        // Half a file, no file, a file for everybody.
        try Data(certificate.prefix(100)).write(to: URL(filePath: place.certificate))
        #expect(isRefused(always: true))
        try FileManager.default.removeItem(at: key)
        #expect(isRefused(always: true))
        try certificate.write(to: URL(filePath: place.certificate))
        try ownKey.write(to: key)
        try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: place.key)
        #expect(isRefused(always: true))
        #expect(try await shown(door.port, door.pos) == before)
        try FileManager.default.setAttributes([.posixPermissions: 0o640], ofItemAtPath: place.key)
        #expect(material.reload(always: true) == .reloaded)
        #expect(try await shown(door.port, door.pos) == before)
        await door.world.stop()
    }

    @Test func `a server does not start with a key that everybody can read, or without a key`() async throws {
        let authority = try await Authority("start")
        let pair = try await authority.issue("server", "server")
        let logger = Logger(label: "test")
        try FileManager.default.setAttributes([.posixPermissions: 0o604], ofItemAtPath: pair.key)
        #expect(throws: TLSFault.self) {
            try TLSMaterial(TLSFiles(certificate: pair.certificate, key: pair.key), logger: logger)
        }
        #expect(throws: TLSFault.self) {
            try TLSMaterial(TLSFiles(certificate: pair.certificate, key: pair.key + "x"), logger: logger)
        }
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: pair.key)
        #expect(throws: TLSFault.self) {
            try TLSMaterial(
                TLSFiles(certificate: pair.certificate, key: pair.key, clientAuthority: pair.key), logger: logger)
        }
        _ = try TLSMaterial(TLSFiles(certificate: pair.certificate, key: pair.key), logger: logger)
    }

    @Test func `a certificate handed in is one certificate and no key`() async throws {
        let authority = try await Authority("hand")
        let pair = try await authority.issue("pos")
        let pem = try pair.pem()
        let read = try CertificateText.read(pem)
        #expect(read.subject.contains("common_name=pos"))
        #expect(read.validity.from != nil && read.validity.until != nil)
        for wrong in [
            "", "pos", pem + pem, try pem + String(contentsOfFile: pair.key, encoding: .utf8),
            String(pem.prefix(200)), try String(contentsOfFile: pair.key, encoding: .utf8),
        ] {
            #expect(throws: KMSError.self) { try CertificateText.read(wrong) }
        }
    }
}
