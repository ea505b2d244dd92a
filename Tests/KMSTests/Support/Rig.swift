import Foundation
import Glibc
import HSMBridge
import HSMEngine
import Synchronization
import Testing

@testable import KMS
@testable import MariaDB

/// Clocks that tests turn.
final class TestClock: Sendable {
    private let state = Mutex((wall: Timestamp("2026-11-23T08:00:00Z")!.microseconds, monotonic: UInt64(1_000_000_000)))

    var clocks: Clocks {
        Clocks(
            wall: { Timestamp(microseconds: self.state.withLock { $0.wall }) },
            monotonicNanoseconds: { self.state.withLock { $0.monotonic } }, boot: "test-boot")
    }

    func advance(seconds: Int64) {
        state.withLock {
            $0.wall += seconds * 1_000_000
            $0.monotonic += UInt64(seconds) * 1_000_000_000
        }
    }

    /// Somebody sets the wall clock; time itself goes on.
    func setWall(bySeconds seconds: Int64) { state.withLock { $0.wall += seconds * 1_000_000 } }
}

/// A key centre over a real database schema of its own and a real module in this process.
final class Rig: Sendable {
    let folder: String
    let server: PrivateServer
    let schema: String
    let database: Database
    let module: SoftwareModule
    let clock: TestClock
    let settings: KMSSettings
    let centre: KeyCentre
    private let ticket: RigGate.Ticket

    /// alice: conf, bob: key, carol: mk, dave: operator, erin: auditor, frank: cert, gina: key and conf.
    static let people: [String: Set<Role>] = [
        "alice": [.conf], "bob": [.key], "carol": [.mk], "dave": [.operator], "erin": [.auditor], "frank": [.cert],
        "gina": [.key, .conf],
    ]

    private init(
        folder: String, server: PrivateServer, schema: String, database: Database, module: SoftwareModule,
        clock: TestClock, settings: KMSSettings, centre: KeyCentre, ticket: RigGate.Ticket
    ) {
        self.folder = folder
        self.server = server
        self.schema = schema
        self.database = database
        self.module = module
        self.clock = clock
        self.settings = settings
        self.centre = centre
        self.ticket = ticket
    }

    static func make(
        on server: PrivateServer? = nil, auditFile: String? = nil, withPeople: Bool = true
    ) async throws -> Rig {
        let ticket = await RigGate.shared.enter()
        let running: PrivateServer
        if let server { running = server } else { running = try await TestDatabase.shared.value }
        let number = TestDatabase.next()
        let folder = try TestDatabase.folder("rig\(number)")
        let schema = "t\(number)"
        let database = try await TestDatabase.makeSchema(schema, on: running)
        let module = try SoftwareModule(forTestsWithRandomLMKIn: folder)
        let clock = TestClock()
        var settings = KMSSettings(auditFile: auditFile ?? "\(folder)/audit.log")
        settings.node = "n\(number)"
        let centre = try await KeyCentre.open(
            database: database, module: module, settings: settings, clocks: clock.clocks)
        let rig = Rig(
            folder: folder, server: running, schema: schema, database: database, module: module, clock: clock,
            settings: settings, centre: centre, ticket: ticket)
        if withPeople { try await rig.addPeople() }
        return rig
    }

    /// A second process on the same state: what a restart of `kmsd serve` is.
    func reopened() async throws -> KeyCentre {
        try await KeyCentre.open(database: database, module: module, settings: settings, clocks: clock.clocks)
    }

    /// Another node on the same database.
    func reopenedOnNewFile() async throws -> KeyCentre {
        var other = settings
        other.node = "\(settings.node)-b"
        other.auditFile = "\(folder)/audit-b.log"
        return try await KeyCentre.open(database: database, module: module, settings: other, clocks: clock.clocks)
    }

    func actor(_ name: String) -> Actor { Actor(name: name, origin: "test") }
    var alice: Actor { actor("alice") }
    var bob: Actor { actor("bob") }
    var carol: Actor { actor("carol") }
    var erin: Actor { actor("erin") }
    var gina: Actor { actor("gina") }

    /// Does something to the tables that no program of ours would do.
    func tamper(_ statements: SQL...) async throws {
        let settings = TestDatabase.administrator(of: server, schema: schema)
        try await TestDatabase.with(settings) { database async throws in
            try await database.plain { connection in
                for statement in statements { try connection.execute(statement) }
            }
        }
    }

    static func name(_ label: String) -> KeyName { KeyName("ICBC/PURSE/\(label)")! }
    static func id(_ label: String, _ version: Int = 1) -> KeyIdentity { name(label).version(version)! }

    static let purchase = KeyAttributes(
        usage: .purchase, algorithm: .tripleDES2, mode: .derive, exportability: .exportable)
    static let terminalMAC = KeyAttributes(
        usage: .mac3, algorithm: .tripleDES2, mode: .calculate, exportability: .nonExportable)
    static let transport = KeyAttributes(
        usage: .keyEncryption, algorithm: .tripleDES2, mode: .both, exportability: .exportable)
    static let signing = KeyAttributes(
        usage: .signature, algorithm: .rsa(bits: 2_048), mode: .sign, exportability: .nonExportable)

    func makeProduct() async throws {
        try await centre.createIssuer("ICBC", name: "Bank", description: "", by: alice)
        try await centre.createProduct(
            "PURSE", issuer: "ICBC", name: "Purse", kind: "PBOC", description: "", by: alice)
    }

    /// A key with a generated value.
    @discardableResult
    func makeKey(_ label: String, _ attributes: KeyAttributes) async throws -> KeyVersion {
        let id = try await centre.createKey(
            Self.name(label), attributes: attributes, validity: .unlimited, description: "", by: alice)
        return try await centre.generateValue(id, by: bob)
    }

    /// An approval that somebody requested and somebody else gave.
    func approved(_ intent: Intent, by requester: Actor, and approver: Actor) async throws -> ApprovalID {
        let id = try await centre.requestApproval(intent, by: requester)
        try await centre.approve(id, by: approver)
        return id
    }

    private func addPeople() async throws {
        let hash = try await TestPasswords.hash.value
        try await database.write { connection in
            for (name, roles) in Self.people {
                try AdministratorTable.insert(name, name, hash, &connection)
                for role in roles {
                    try AdministratorRoleTable.insert(
                        role, to: name, by: "test", approvedBy: "test", now: Timestamp(microseconds: 0), &connection)
                }
            }
        }
    }
}

/// Lets a few rigs live at a time: each has connections to the one server.
final class RigGate: Sendable {
    static let shared = RigGate(places: 5)

    /// A place; free again when nobody holds the ticket any more.
    final class Ticket: Sendable {
        private let gate: RigGate
        fileprivate init(_ gate: RigGate) { self.gate = gate }
        deinit { gate.leave() }
    }

    private let state: Mutex<(free: Int, waiting: [CheckedContinuation<Void, Never>])>

    init(places: Int) { state = Mutex((places, [])) }

    func enter() async -> Ticket {
        await withCheckedContinuation { continuation in
            let isFree = state.withLock { state in
                guard state.free > 0 else {
                    state.waiting.append(continuation)
                    return false
                }
                state.free -= 1
                return true
            }
            if isFree { continuation.resume() }
        }
        return Ticket(self)
    }

    private func leave() {
        let next = state.withLock { state -> CheckedContinuation<Void, Never>? in
            guard state.waiting.isEmpty else { return state.waiting.removeFirst() }
            state.free += 1
            return nil
        }
        next?.resume()
    }
}

/// One password for everybody, hashed once.
enum TestPasswords {
    static let right = "correct horse battery"
    static func right_() throws -> Password { try password(right) }
    static func password(_ text: String) throws -> Password {
        var bytes = Array(text.utf8)
        return try Password(wiping: &bytes)
    }
    static let hash = Task { try PasswordHash(of: password(right)) }
}
