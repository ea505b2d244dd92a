import CryptoClient
import HSMBridge
import Logging
import Testing

@testable import CryptoService
@testable import KMS

/// What was granted, and what a change of it does to connections that are open.
struct GrantTests {
    private static func fields(_ key: HostKeyReference) -> HostMACFields {
        HostMACFields(algorithm: .algorithm3, padding: .method2, key: key, message: HostMACMessage([1, 2, 3]))
    }

    /// Asks until the answer is `code`; what is asked when two seconds are over is the last.
    private static func becomes(
        _ code: HostErrorCode?, _ connection: CryptoConnection, _ key: HostKeyReference
    ) async throws -> Bool {
        let end = ContinuousClock.now + .seconds(2)
        var asked: ContinuousClock.Instant
        repeat {
            asked = .now
            do throws(CryptoClientError) {
                _ = try await connection.run(GenerateMACRequest(fields(key)))
                if code == nil { return true }
            } catch {
                if case .refused(let given) = error, given == code { return true }
            }
        } while asked < end
        return false
    }

    @Test func `A suspended key is refused within two seconds, also by its block, and serves again when resumed`()
        async throws
    {
        let world = try await World.make()
        let connection = try await world.connect()
        let key = CommandTests.label("canteen/pos/mac")
        let id = try #require(KeyIdentity("canteen/pos/mac/01"))
        let stored = try #require(world.centre.directory.snapshot.key(id))
        let block = try HostKeyReference.lmkBlock(stored.key.block)
        #expect(try await Self.becomes(nil, connection, key))
        #expect(try await Self.becomes(nil, connection, block))
        try await world.centre.suspend(id, by: World.key)
        #expect(try await Self.becomes(.keyBlockOther, connection, key))
        #expect(try await Self.becomes(.keyBlockOther, connection, block))
        try await world.centre.resume(id, by: World.key)
        #expect(try await Self.becomes(nil, connection, key))
        await connection.close()
        await world.stop()
    }

    @Test func `A revoked grant and a disabled client are refused within two seconds on open connections`() async throws
    {
        let world = try await World.make()
        let connection = try await world.connect()
        let key = CommandTests.label("canteen/pos/mac")
        #expect(try await Self.becomes(nil, connection, key))
        try await world.centre.revoke(
            .product(issuer: "canteen", product: "pos"), [.generateMAC], from: World.plainClient, by: World.conf)
        #expect(try await Self.becomes(.functionNotPermitted, connection, key))
        try await world.centre.disableClient(World.plainClient, by: World.conf)
        #expect(try await Self.becomes(.commandDisabled, connection, key))
        await #expect(throws: CryptoClientError.refused(.commandDisabled)) {
            try await connection.run(EchoRequest([1]))
        }
        await connection.close()
        await world.stop()
    }

    @Test func `A client that does not exist gets nothing`() async throws {
        let world = try await World.make { $0.plainClient = "nobody" }
        let connection = try await world.connect()
        await #expect(throws: CryptoClientError.refused(.commandDisabled)) {
            try await connection.run(GenerateMACRequest(Self.fields(CommandTests.label("canteen/pos/mac"))))
        }
        await #expect(throws: CryptoClientError.refused(.commandDisabled)) {
            try await connection.run(DiagnosticsRequest())
        }
        await connection.close()
        await world.stop()
    }

    @Test func `The port is not opened on an address that others could reach`() async throws {
        let world = try await World.shared.value
        var settings = world.settings
        settings.host = "0.0.0.0"
        let server = CryptoServer(
            settings, centre: world.centre, slowModule: world.module, logger: .init(label: "test"))
        await #expect(throws: CryptoServerError.notLoopback("0.0.0.0")) { try await server.start() }
    }
}
