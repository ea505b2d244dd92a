import CryptoClient
import HSMBridge
import KMS
import Testing

@testable import CryptoService
@testable import KMS
@testable import MariaDB

/// `KeyCentre.run`, as `kmsd serve` starts it, brings to open connections what was changed elsewhere: here nobody else refreshes.
@Suite(.timeLimit(.minutes(15))) struct PeriodicRefreshTests {
    @Test func `a certificate that another node removes closes its connection`() async throws {
        let door = try await TLSDoorTests.Door.open()
        let other = try await RevocationTests.otherNode(door.world)
        let centre = door.world.centre
        let running = Task { await centre.run() }
        try await door.client(door.pos).connect(door.port) { session in
            try await session.sendEcho(1)
            #expect(try await session.answer() == "0001B300")
            let fingerprint = try CertificateText.read(try door.pos.pem()).fingerprint
            try await other.removeCertificate(fingerprint, from: "pos", by: World.conf)
            #expect(try await session.answer() == nil)
        }
        #expect(door.count("closed") == 1)
        running.cancel()
        await running.value
        await door.world.stop()
    }

    @Test func `a certificate that runs out closes its connection`() async throws {
        let time = DrivenTime()
        let door = try await TLSDoorTests.Door.open(time: time)
        let centre = door.world.centre
        let fingerprint = try CertificateText.read(try door.pos.pem()).fingerprint
        let end = Timestamp(microseconds: time.now.microseconds + 3_600_000_000)
        try await centre.database.write { connection in
            try connection.execute("DELETE FROM service_certificate WHERE fingerprint = \(fingerprint.bytes)")
            try ServiceCertificateTable.insert(
                ClientCertificate(fingerprint: fingerprint, subject: "", validity: Validity(until: end)), of: "pos",
                by: "test", now: Timestamp(microseconds: 0), &connection)
        }
        try await centre.directory.refreshNow()
        let running = Task { await centre.run() }
        try await door.client(door.pos).connect(door.port) { session in
            try await session.sendEcho(1)
            #expect(try await session.answer() == "0001B300")
            time.advance(microseconds: 3_600_000_000)
            #expect(try await session.answer() == nil)
        }
        running.cancel()
        await running.value
        await door.world.stop()
    }

    @Test func `a suspended key, a revoked grant and one at its end are refused on an open connection`() async throws {
        let time = DrivenTime()
        let world = try await World.make(time: time)
        let other = try await RevocationTests.otherNode(world)
        let (centre, key) = (world.centre, KeyName("canteen/closed/mac")!)
        let running = Task { await centre.run() }
        let connection = try await world.connect()
        /// Asks until it is answered so: the first question after the change may come before anybody has looked.
        func becomes(_ code: String) async throws -> Bool {
            while true {
                try Task.checkCancellation()
                let reply = try await connection.send(
                    command: "M6", body: Array("00031FFFL18canteen/closed/mac0004PING".utf8))
                if reply.error.rawValue == code { return true }
            }
        }
        #expect(try await becomes("29"))
        try await other.grant(.key(key), [.generateMAC], to: World.plainClient, by: World.conf)
        #expect(try await becomes("00"))
        try await other.suspend(key.version(1)!, by: World.key)
        #expect(try await becomes("BE"))
        try await other.resume(key.version(1)!, by: World.key)
        #expect(try await becomes("00"))
        try await other.revoke(.key(key), [.generateMAC], from: World.plainClient, by: World.conf)
        #expect(try await becomes("29"))
        try await other.grant(
            .key(key), [.generateMAC], to: World.plainClient,
            until: Timestamp(microseconds: time.now.microseconds + 3_600_000_000), by: World.conf)
        #expect(try await becomes("00"))
        time.advance(microseconds: 3_600_000_000)
        #expect(try await becomes("29"))
        await connection.close()
        running.cancel()
        await running.value
        await world.stop()
    }
}
