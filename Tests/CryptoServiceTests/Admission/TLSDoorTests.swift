import CryptoClient
import Foundation
import KMS
import Logging
import NIOCore
import NIOPosix
import NIOSSL
import Testing

@testable import CryptoService
@testable import KMS
@testable import MariaDB

/// Host commands over TLS: who is let in, and who is not.
@Suite struct TLSDoorTests {
    /// A world with a TLS door, its authority, and a client `pos` with a self-signed certificate.
    struct Door {
        let world: World
        let authority: Authority
        let pos: Authority.Pair
        let port: Int

        static func open(
            needsAuthority: Bool = false, time: DrivenTime? = nil,
            _ adjust: (inout CryptoSettings) -> Void = { _ in }
        ) async throws -> Door {
            let authority = try await Authority("own")
            let server = try await authority.issue("server", "server")
            let pos = try await needsAuthority ? authority.issue("pos") : authority.selfSigned("pos")
            let world = try await World.make(
                tls: TLSFiles(
                    certificate: server.certificate, key: server.key,
                    clientAuthority: needsAuthority ? authority.certificate : nil), time: time, adjust)
            try await world.centre.createClientWithoutToken("pos", description: "", by: World.conf)
            try await world.centre.addCertificate(
                CertificateText.read(try pos.pem()), to: "pos", by: World.conf)
            try await world.centre.grant(.presentedBlocks, [.random], to: "pos", by: World.conf)
            return Door(world: world, authority: authority, pos: pos, port: try #require(world.server.tlsPort))
        }

        func client(_ pair: Authority.Pair?) -> TLSClient {
            TLSClient(certificate: pair, roots: authority.certificate)
        }

        func count(_ outcome: String) -> UInt64 {
            world.admission.figures.first { $0.door == .tls && $0.outcome == outcome }?.count ?? 0
        }

        /// Whether an outcome is counted so often, once the server has had its turn: a client whose handshake is refused hears of
        /// it before the server counts it.
        func count(_ outcome: String, reaches number: UInt64) async -> Bool {
            var turns = 0
            while count(outcome) < number, turns < 1_000_000 {
                turns += 1
                await Task.yield()
            }
            return count(outcome) == number
        }
    }

    @Test func `a client comes with its certificate and has its own grants`() async throws {
        let door = try await Door.open()
        let codes = try await door.client(door.pos).connect(door.port) { session in
            try await session.sendEcho(1)
            let random = Array("0002N0008".utf8)
            try await session.send([0, UInt8(random.count)] + random)
            // `host-port` could do this, `pos` was not granted it.
            let mac = Array("0003M600031FFFL15canteen/pos/mac0004PING".utf8)
            try await session.send([0, UInt8(mac.count)] + mac)
            return [try await session.answer(), try await session.answer(), try await session.answer()]
        }
        #expect(codes == ["0001B300", "0002N100", "0003M729"])
        #expect(door.count("admitted") == 1)
        await door.world.stop()
    }

    @Test func `who has no certificate, an unknown one, or an old TLS is not let in, and counted with the reason`()
        async throws
    {
        let door = try await Door.open()
        var old = door.client(door.pos)
        old.newest = .tlsv12
        // The right certificate, and a key that is not its own: BoringSSL's client would not even try, so it is another pair.
        for (client, reason) in [
            (door.client(nil), "noCertificate"),
            (door.client(try await door.authority.selfSigned("pos")), "certificateUnknown"),
            (door.client(try await door.authority.issue("stranger")), "certificateUnknown"),
            (old, "protocolVersion"),
        ] {
            let before = door.count(reason)
            #expect(await client.echo(door.port) == nil, "\(reason)")
            #expect(await door.count(reason, reaches: before + 1), "\(reason): \(door.world.admission.figures)")
        }
        #expect(door.count("admitted") == 0)
        try await door.world.centre.failedChecks.flush()
        let recorded = try await door.world.centre.failedChecks.recent(limit: 100)
        #expect(recorded.contains { $0.code == "certificateUnknown" && $0.origin == "tls 127.0.0.1" })
        #expect(recorded.contains { $0.code == "noCertificate" })
        // A stranger on the wire that speaks no TLS at all.
        let nonsense = try await RawClient.with(port: door.port) { session in
            try await session.send(Array("\u{0}\u{A}0001B20004PING".utf8))
            while let frame = try? await session.frame() { if frame.count > 2_000 { return false } }
            return true
        }
        #expect(nonsense)
        #expect(await door.count("handshakeFailed", reaches: 1))
        await door.world.stop()
    }

    @Test func `a disabled client, a certificate that has run out, and a wrong address are not let in`() async throws {
        let door = try await Door.open()
        let (centre, pos) = (door.world.centre, door.client(door.pos))
        try await centre.restrict("pos", to: [AddressRange("127.0.0.9")!], by: World.conf)
        #expect(await pos.echo(door.port) == nil)
        #expect(await door.count("addressNotAllowed", reaches: 1))
        var fromThere = pos
        fromThere.sourceAddress = "127.0.0.9"
        #expect(await fromThere.echo(door.port) == "0001B300")
        try await centre.restrict("pos", to: [], by: World.conf)
        #expect(await pos.echo(door.port) == "0001B300")
        try await centre.disableClient("pos", by: World.conf)
        #expect(await pos.echo(door.port) == nil)
        #expect(await door.count("clientDisabled", reaches: 1))
        try await centre.enableClient("pos", by: World.conf)
        #expect(await pos.echo(door.port) == "0001B300")
        // Registered while it counted; time has passed since.
        let expired = try await door.authority.issue("late", hasExpired: true)
        let certificate = try CertificateText.read(try expired.pem())
        try await centre.database.write { connection in
            try ServiceCertificateTable.insert(
                certificate, of: "pos", by: "test", now: Timestamp(microseconds: 0), &connection)
        }
        try await centre.directory.refreshNow()
        #expect(await door.client(expired).echo(door.port) == nil)
        #expect(await door.count("certificateExpired", reaches: 1))
        await #expect(throws: KMSError.invalidInput("certificate (it has expired)")) {
            try await centre.addCertificate(certificate, to: "pos", by: World.conf)
        }
        await door.world.stop()
    }

    @Test func `with an authority a certificate must be issued by it and be added`() async throws {
        let door = try await Door.open(needsAuthority: true)
        #expect(await door.client(door.pos).echo(door.port) == "0001B300")
        // Issued, and not added.
        let other = try await door.authority.issue("other")
        #expect(await door.client(other).echo(door.port) == nil)
        #expect(await door.count("certificateUnknown", reaches: 1))
        // Added, and of another authority, of none, run out, or made for servers.
        let foreign = try await Authority("foreign")
        for pair in [
            try await foreign.issue("pos"), try await door.authority.selfSigned("alone"),
            try await door.authority.issue("late", hasExpired: true), try await door.authority.issue("web", "server"),
        ] {
            let certificate = try CertificateText.read(try pair.pem())
            try await door.world.centre.database.write { connection in
                try ServiceCertificateTable.insert(
                    certificate, of: "pos", by: "test", now: Timestamp(microseconds: 0), &connection)
            }
        }
        try await door.world.centre.directory.refreshNow()
        for (number, name) in ["alone", "late", "web"].enumerated() {
            let pair = Authority.Pair(
                certificate: "\(door.authority.folder)/\(name).crt", key: "\(door.authority.folder)/\(name).key")
            #expect(await door.client(pair).echo(door.port) == nil, "\(name)")
            #expect(await door.count("certificateNotTrusted", reaches: UInt64(number + 1)), "\(name)")
        }
        let wrong = Authority.Pair(certificate: "\(foreign.folder)/pos.crt", key: "\(foreign.folder)/pos.key")
        #expect(await door.client(wrong).echo(door.port) == nil)
        #expect(await door.count("certificateNotTrusted", reaches: 4))
        await door.world.stop()
    }

    @Test func `who opens a connection and says nothing is sent away`() async throws {
        let door = try await Door.open { $0.handshakeSeconds = 1 }
        let bytes = try await RawClient.with(port: door.port) { session in try await session.frame() }
        #expect(bytes == nil)
        #expect(door.count("handshakeTimeout") == 1)
        await door.world.stop()
    }

    @Test func `handshakes and connections of one address have their limits`() async throws {
        let few = try await Door.open { $0.handshakeLimit = 2 }
        let refused = try await RawClient.with(port: few.port) { _ in
            try await RawClient.with(port: few.port) { _ in
                // Two stand in the door without a word: a third has to wait outside.
                await few.client(few.pos).echo(few.port) == nil
            }
        }
        #expect(refused)
        #expect(few.count("handshakeLimit") >= 1)
        await few.world.stop()
        let crowd = try await Door.open { $0.addressConnectionLimit = 2 }
        let pos = crowd.client(crowd.pos)
        try await pos.connect(crowd.port) { first in
            try await first.sendEcho(1)
            #expect(try await first.answer() == "0001B300")
            try await pos.connect(crowd.port) { second in
                try await second.sendEcho(1)
                #expect(try await second.answer() == "0001B300")
                #expect(await pos.echo(crowd.port) == nil)
                // Another address has places of its own.
                var elsewhere = pos
                elsewhere.sourceAddress = "127.0.0.9"
                #expect(await elsewhere.echo(crowd.port) == "0001B300")
            }
        }
        #expect(crowd.count("addressLimit") == 1)
        await crowd.world.stop()
    }

    @Test func `a stop answers over TLS what was accepted`() async throws {
        let door = try await Door.open()
        let answers = try await door.client(door.pos).connect(door.port) { session in
            // In one record: when the first is answered, all have been accepted. Random values take the way over the module.
            var bytes: [UInt8] = Array("\u{0}\u{E}0001B20004PING".utf8)
            for number in 1...50 {
                bytes += [0, 9]
                bytes += Array("00\(10 + number)N0008".utf8)
            }
            try await session.send(bytes)
            var answers = [try await session.answer()]
            async let stopped: Void = door.world.server.stop()
            while let answer = try await session.answer() { answers.append(answer) }
            await stopped
            return answers.compactMap { $0 }
        }
        #expect(answers == ["0001B300"] + (1...50).map { "00\(10 + $0)N100" })
        door.world.stopModule()
    }
}
