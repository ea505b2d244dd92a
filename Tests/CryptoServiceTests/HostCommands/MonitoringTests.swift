import CryptoClient
import CryptoService
import HSMBridge
import Testing

/// NO, J2, J4, J8 and JK at the port: the figures are those of what was done.
struct MonitoringTests {
    @Test func `J4 counts what was asked, by command, refusals included`() async throws {
        let world = try await World.make()
        let connection = try await world.connect()
        for _ in 0..<17 { _ = try await connection.run(EchoRequest([1])) }
        for _ in 0..<5 { _ = try await connection.send(command: "N0", body: Array("000".utf8)) }
        for _ in 0..<3 { _ = try await connection.send(command: "ZZ", body: []) }
        // The loops publish at their tick, four times a second; asking takes part of a millisecond.
        var counts: [HostCommandCode: UInt64] = [:]
        for _ in 0..<20_000 where counts[.echo] != 17 || counts[.randomValue] != 5 {
            let reply = try await connection.run(VolumesRequest())
            counts = Dictionary(uniqueKeysWithValues: reply.volumes.map { ($0.command, $0.count) })
        }
        #expect(counts[.echo] == 17 && counts[.randomValue] == 5)
        #expect(!counts.keys.contains { $0.description == "ZZ" })
        await connection.close()
        await world.stop()
    }

    @Test func `J2's seconds are those of its ten groups, which hold every percentage once`() async throws {
        let connection = try await World.shared.value.connect()
        let reply = try await connection.run(LoadingRequest())
        #expect(reply.groups.flatMap { Array($0.percent) } == Array(0...100))
        #expect(reply.groups.reduce(0) { $0 + $1.periods } == reply.seconds)
        #expect(reply.period.start.digits <= reply.period.now.digits && reply.period.end == reply.period.now)
        await connection.close()
    }

    @Test func `NO says what the port takes, in eighteen characters`() async throws {
        let world = try await World.shared.value
        let connection = try await world.connect()
        let reply = try await connection.run(StatusRequest())
        #expect(reply == .hostPort(connections: min(99, world.settings.connectionLimit), firmware: "0001-E000"))
        #expect(try await connection.run(StatusRequest(.compliance)) == .compliance(2))
        #expect(try await connection.send(command: "NO", body: Array("00".utf8)).bytes.count == 18)
        await connection.close()
    }

    @Test func `JK names the LMK, and none while the module is away`() async throws {
        let world = try await World.make()
        let connection = try await world.connect()
        let status = try await world.module.execute(GetStatus())
        let checkValue = try #require(status.lmkCheckValue)
        let health = try await connection.run(HealthRequest())
        #expect(health.lmks.map(\.comment) == ["Term \(status.term) check value \(checkValue)"])
        #expect(health.serial == "KMSD00\(checkValue)" && health.hostPort == .running && health.tamper == .unknown)
        world.stopModule()
        #expect(try await connection.run(HealthRequest()).lmks.isEmpty)
        #expect(try await connection.send(command: "J8", body: []).error == .internalError)
        try world.startModule()
        #expect(try await connection.run(HealthCountsRequest()).restarts == 0)
        await connection.close()
        await world.stop()
    }

    @Test func `A client without the grant learns nothing but NO`() async throws {
        let world = try await World.make { $0.plainClient = "nobody" }
        let connection = try await world.connect()
        for command in ["NO", "J2", "J4", "J8", "JK", "GM", "EI"] {
            let body = command == "NO" ? "00" : command == "GM" ? "0600000" : command == "EI" ? "0204802#0000" : ""
            let reply = try await connection.send(command: command, body: Array(body.utf8))
            #expect(reply.error == .commandDisabled, "\(command)")
        }
        await connection.close()
        await world.stop()
    }
}
