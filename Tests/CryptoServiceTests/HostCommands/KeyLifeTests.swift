import CryptoClient
import HSMBridge
import Testing

@testable import CryptoService
@testable import KMS

/// What state and dates of a stored key allow, by its label, by a copy of its block and by the block of a card's key that was
/// diversified from it while it was good.
struct KeyLifeTests {
    struct Case: Sendable, CustomStringConvertible {
        let label: String
        /// By these moves from `active`.
        let moves: [KeyState]
        let validity: Validity
        /// What a request that makes something new is answered, and one that looks at what there is; nil: carried out.
        let protecting: HostErrorCode?
        let verifying: HostErrorCode?

        var description: String { label }
    }

    private static let past = Validity(
        from: Timestamp("2020-01-01T00:00:00Z"), until: Timestamp("2021-01-01T00:00:00Z"))
    private static let future = Validity(from: Timestamp("2990-01-01T00:00:00Z"))

    static let cases = [
        Case(label: "active", moves: [], validity: .unlimited, protecting: nil, verifying: nil),
        Case(
            label: "suspended", moves: [.suspended], validity: .unlimited, protecting: .keyBlockOther,
            verifying: .keyBlockOther),
        Case(label: "retired", moves: [.retired], validity: .unlimited, protecting: .keyBlockOther, verifying: nil),
        Case(
            label: "compromised", moves: [.compromised], validity: .unlimited, protecting: .keyBlockOther,
            verifying: .keyBlockOther),
        Case(
            label: "destroyed", moves: [.suspended, .destroyed], validity: .unlimited, protecting: .keyBlockOther,
            verifying: .keyBlockOther),
        Case(label: "not-begun", moves: [], validity: future, protecting: .startDate, verifying: .startDate),
        Case(label: "ended", moves: [], validity: past, protecting: .endDate, verifying: nil),
        Case(
            label: "ended-and-suspended", moves: [.suspended], validity: past, protecting: .keyBlockOther,
            verifying: .keyBlockOther),
    ]

    /// A key of the case, by each of its names.
    private static func names(
        _ wanted: Case, _ world: World
    ) async throws -> [(name: String, key: HostKeyReference)] {
        let name = try #require(KeyName("canteen/purse/\(wanted.label)"))
        let attributes = KeyAttributes(
            usage: .tac, algorithm: .tripleDES2, mode: .derive, exportability: .nonExportable)
        let id = try await world.centre.createKey(
            name, attributes: attributes, validity: wanted.validity, description: "", by: World.conf)
        _ = try await world.centre.generateValue(id, by: World.key)
        let stored = try #require(world.centre.directory.snapshot.key(id))
        let card = try await world.module.execute(DiversifyKey(key: DerivedKey(stored.reference, factors: [7])))
        var state = KeyState.active
        for next in wanted.moves {
            let before = state
            // By the table alone: some moves take two people, who are tested elsewhere.
            let hasMoved = try await world.centre.change { connection in
                try KeyVersionTable.move(
                    id, from: before, to: next, now: Timestamp(microseconds: 0), &connection)
            }
            #expect(hasMoved)
            state = next
        }
        return [
            ("label", CommandTests.label("\(name)/01")), ("block", try .lmkBlock(stored.key.block)),
            ("block of a card's key", try .lmkBlock(card.block)),
        ]
    }

    private static func code(
        _ connection: CryptoConnection, _ request: some HostCommand
    ) async throws -> HostErrorCode? {
        do throws(CryptoClientError) {
            _ = try await connection.run(request)
            return nil
        } catch {
            guard case .refused(let code) = error else { throw error }
            return code
        }
    }

    @Test func `State and dates decide alike by label, by block and by the block of a card's key`() async throws {
        let world = try await World.make()
        var keys: [(wanted: Case, name: String, key: HostKeyReference)] = []
        for wanted in Self.cases {
            for (name, key) in try await Self.names(wanted, world) { keys.append((wanted, name, key)) }
        }
        // Begun after all of it, so that its first picture of the keys is the last one.
        let server = world.anotherServer(world.settings)
        let port = try await server.start()
        let connection = try await CryptoConnection.connect(host: "127.0.0.1", port: port, settings: World.patient)
        for (wanted, name, key) in keys {
            let protecting = try await Self.code(connection, TranslateLMKRequest(key: key))
            #expect(protecting == wanted.protecting, "\(wanted) by \(name), protecting")
            let verifying = try await Self.code(connection, CheckValueRequest(key: key))
            #expect(verifying == wanted.verifying, "\(wanted) by \(name), verifying")
        }
        await connection.close()
        await server.stop()
        await world.stop()
    }

    @Test func `A block of a name that is nobody's opens only if it was made for a host`() async throws {
        let world = try await World.shared.value
        let connection = try await world.connect()
        func block(_ issuer: String) async throws -> HostKeyReference {
            let identity = try #require(KeyIdentity(issuer: issuer, product: "pos", label: "never-stored", version: 1))
            let attributes = KeyAttributes(
                usage: .mac3, algorithm: .tripleDES2, mode: .calculate, exportability: .nonExportable)
            let key = try await world.module.execute(GenerateKey(attributes: attributes, identity: identity))
            return try .lmkBlock(key.block)
        }
        #expect(try await Self.code(connection, CheckValueRequest(key: try await block("canteen"))) == .keyBlockOther)
        #expect(try await Self.code(connection, CheckValueRequest(key: try await block("host"))) == nil)
        await connection.close()
    }

    @Test func `A wrong MAC of issuer data and a wrong check value of a cryptogram are recorded as failed checks`()
        async throws
    {
        let world = try await World.make(keysOf: CommandVectors.keys)
        let connection = try await world.connect()
        let message = try #require(CommandVectors.messages.first { $0.id == "KQ.issuer.wrong" })
        // Length 2, client header 4, command 2, the body.
        let wrong = try await connection.send(command: "KQ", body: Array(message.request.dropFirst(8)))
        #expect(wrong.error == .issuerDataMAC)
        let row = try #require(ErrorCodeTests.rows.first { $0.command == "A6" && $0.code == "84" })
        let refused = try await connection.send(command: "A6", body: Array(row.body.utf8))
        #expect(refused.error.rawValue == "84")
        await connection.close()
        await world.stop()
        try await world.centre.failedChecks.flush()
        let failed = try await world.centre.failedChecks.recent(limit: 100)
        #expect(failed.map(\.code).sorted() == ["06", "84"])
        #expect(Set(failed.map(\.key)) == ["canteen/card/ac/01", "canteen/kek/bank/01"])
        #expect(failed.allSatisfy { $0.count == 1 && $0.client == World.plainClient })
    }
}
