import CryptoClient
import HSMBridge
import KMS
import NIOCore
import Testing

@testable import CryptoService
@testable import KMS
@testable import MariaDB

/// What an administrator takes away, on this node or another, counts on connections that are open.
///
/// `KeyCentre.run` refreshes the directory each second (`PeriodicRefreshTests`); here it is refreshed by hand, so that nothing waits for
/// a clock.
@Suite struct RevocationTests {
    /// Another node on the same database: its changes reach the world's directory with the next refresh.
    static func otherNode(_ world: World) async throws -> KeyCentre {
        var settings = KMSSettings(auditFile: world.folder + "/audit-b.log")
        settings.node = "b"
        return try await KeyCentre.open(database: world.centre.database, module: world.module, settings: settings)
    }

    @Test func `a removed certificate closes its open connections and no others`() async throws {
        let door = try await TLSDoorTests.Door.open()
        let other = try await Self.otherNode(door.world)
        let second = try await door.authority.selfSigned("second")
        let added = try CertificateText.read(try second.pem())
        try await door.world.centre.addCertificate(added, to: "pos", by: World.conf)
        let (first, staying) = (door.client(door.pos), door.client(second))
        try await staying.connect(door.port) { stays in
            try await stays.sendEcho(1)
            #expect(try await stays.answer() == "0001B300")
            try await first.connect(door.port) { goes in
                try await goes.sendEcho(1)
                #expect(try await goes.answer() == "0001B300")
                let revoked = try CertificateText.read(try door.pos.pem()).fingerprint
                try await other.removeCertificate(revoked, from: "pos", by: World.conf)
                // Nothing has happened yet: this node has not looked.
                try await goes.sendEcho(2)
                #expect(try await goes.answer() == "0002B300")
                try await door.world.centre.directory.refresh()
                #expect(try await goes.answer() == nil)
            }
            try await stays.sendEcho(3)
            #expect(try await stays.answer() == "0003B300")
        }
        #expect(door.count("closed") == 1)
        #expect(await first.echo(door.port) == nil)
        #expect(await staying.echo(door.port) == "0001B300")
        await door.world.stop()
    }

    @Test func `a disabled client's connections are closed, and those whose address was taken away`() async throws {
        let door = try await TLSDoorTests.Door.open()
        let centre = door.world.centre
        let changes: [@Sendable () async throws -> Void] = [
            { try await centre.disableClient("pos", by: World.conf) },
            { try await centre.restrict("pos", to: [AddressRange("192.0.2.0/24")!], by: World.conf) },
        ]
        for change in changes {
            try await door.client(door.pos).connect(door.port) { session in
                try await session.sendEcho(1)
                #expect(try await session.answer() == "0001B300")
                try await change()
                #expect(try await session.answer() == nil)
            }
            try await centre.enableClient("pos", by: World.conf)
        }
        #expect(door.count("closed") == 2)
        await door.world.stop()
    }

    @Test func `a certificate that runs out closes its connections, without any change in the database`() async throws {
        let door = try await TLSDoorTests.Door.open()
        let fingerprint = try CertificateText.read(try door.pos.pem()).fingerprint
        try await door.client(door.pos).connect(door.port) { session in
            try await session.sendEcho(1)
            #expect(try await session.answer() == "0001B300")
            // Time goes on: the row says when it ended. The counter of changes does not move, as it would not for the clock.
            let change = door.world.centre.directory.snapshot.change
            try await door.world.centre.database.write { connection in
                try connection.execute("DELETE FROM service_certificate WHERE fingerprint = \(fingerprint.bytes)")
                try ServiceCertificateTable.insert(
                    ClientCertificate(
                        fingerprint: fingerprint, subject: "", validity: Validity(until: Timestamp(microseconds: 1))),
                    of: "pos", by: "test", now: Timestamp(microseconds: 0), &connection)
            }
            try await door.world.centre.directory.refreshNow()
            #expect(door.world.centre.directory.snapshot.change == change)
            #expect(try await session.answer() == nil)
        }
        await door.world.stop()
    }

    @Test func `a revoked grant and a suspended key count on an open connection`() async throws {
        let door = try await TLSDoorTests.Door.open()
        let (centre, key) = (door.world.centre, KeyName("canteen/pos/spare")!)
        let other = try await Self.otherNode(door.world)
        let mac = Array("0003M600031FFFL17canteen/pos/spare0004PING".utf8)
        try await door.client(door.pos).connect(door.port) { session in
            func ask(_ session: inout TLSClient.Session) async throws -> String? {
                try await session.send([0, UInt8(mac.count)] + mac)
                return try await session.answer()
            }
            #expect(try await ask(&session) == "0003M729")
            try await other.grant(.key(key), [.generateMAC], to: "pos", by: World.conf)
            try await centre.directory.refresh()
            #expect(try await ask(&session) == "0003M700")
            try await other.suspend(key.version(1)!, by: World.key)
            try await centre.directory.refresh()
            #expect(try await ask(&session) == "0003M7BE")
            try await other.resume(key.version(1)!, by: World.key)
            try await centre.directory.refresh()
            #expect(try await ask(&session) == "0003M700")
            try await other.revoke(.key(key), [.generateMAC], from: "pos", by: World.conf)
            try await centre.directory.refresh()
            #expect(try await ask(&session) == "0003M729")
        }
        await door.world.stop()
    }

    @Test func `a grant ends at its end on an open connection, without any change in the database`() async throws {
        let time = DrivenTime()
        let world = try await World.make(time: time)
        let connection = try await world.connect()
        func code() async throws -> String {
            try await connection.send(
                command: "M6", body: Array("00031FFFL18canteen/closed/mac0004PING".utf8)
            ).error.rawValue
        }
        #expect(try await code() == "29")
        try await world.centre.grant(
            .key(KeyName("canteen/closed/mac")!), [.generateMAC], to: World.plainClient,
            until: Timestamp(microseconds: time.now.microseconds + 60_000_000), by: World.conf)
        #expect(try await code() == "00")
        let change = world.centre.directory.snapshot.change
        time.advance(microseconds: 59_999_999)
        #expect(try await code() == "00")
        time.advance(microseconds: 1)
        // The service looks at its clock at each tick, whether requests come or not.
        var (asked, last) = (0, "00")
        while last == "00", asked < 1_000_000 {
            last = try await code()
            asked += 1
        }
        #expect(last == "29")
        #expect(world.centre.directory.snapshot.change == change)
        await connection.close()
        await world.stop()
    }

    @Test func `a rate holds for all connections of a client together, and a new one counts at once`() async throws {
        let door = try await TLSDoorTests.Door.open()
        let pos = door.client(door.pos)
        try await door.world.centre.limit("pos", to: RequestLimit(perSecond: 1, burst: 6), by: World.conf)
        let codes = try await pos.connect(door.port) { first in
            try await pos.connect(door.port) { second in
                var codes: [String] = []
                for _ in 0..<10 {
                    try await first.sendEcho(1)
                    try await second.sendEcho(1)
                    codes.append(try await first.answer() ?? "closed")
                    codes.append(try await second.answer() ?? "closed")
                }
                // Over the rate is no reason to close; without a limit the same connections go on.
                try await door.world.centre.limit("pos", to: nil, by: World.conf)
                try await first.sendEcho(1)
                codes.append(try await first.answer() ?? "closed")
                return codes
            }
        }
        // The clock of rates stands still in a test.
        let refused = Array(repeating: "0001B339", count: 14)
        #expect(codes == Array(repeating: "0001B300", count: 6) + refused + ["0001B300"])
        await door.world.stop()
    }
}
