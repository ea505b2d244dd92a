import CardSimulator
import Foundation
import Glibc
import HSMBridge
import HSMEngine
import Synchronization
import Testing

@testable import KMS
@testable import MariaDB
@testable import Personalization

/// A whole card bureau in one process: a private MariaDB, a module with a throw-away LMK, a key centre with the story's keys,
/// and readers whose cards are in memory. One for the run; tests have readers and deliveries of their own.
final class Workshop: Sendable {
    static let shared = Task { try await Workshop("shared") }
    static let issuer = "PARK"
    static let pin = "123456"

    let folder: String
    let server: PrivateServer
    let database: Database
    let module: SoftwareModule
    let centre: KeyCentre
    let readers = CardsInMemory()
    let desk: CardIssuing
    let kate = Actor(name: "kate", origin: "test")
    let olga = Actor(name: "olga", origin: "test")
    private let number = Atomic<Int>(0)

    static let profileFolder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().appending(path: "conf/cards").path

    init(_ name: String) async throws {
        folder = "/tmp/kmsd-perso-\(UInt32.random(in: 0 ... .max))-\(name)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: false)
        Cleanup.add(folder: folder)
        var configuration = PrivateServer.Configuration(stateFolder: "\(folder)/db", socketPath: "\(folder)/s")
        configuration.settings = ["innodb-log-file-size": "8M"]
        configuration.bufferPoolMegabytes = 16
        server = try await PrivateServer.start(configuration)
        Cleanup.add(server: server)
        let migrator = Database(server.settings(for: .kmsMigrate), workers: 1)
        try await Migrations(
            KMSSchema.steps + PersonalizationSchema.steps + KMSSchema.additions, runtime: ServerAccount.kms.account,
            auditor: ServerAccount.auditor.account
        ).apply(to: migrator)
        await migrator.close()
        var settings = server.settings(for: .kms)
        settings.reconnectSeconds = 1
        database = Database(settings, workers: 4)
        let state = "\(folder)/module"
        try FileManager.default.createDirectory(atPath: state, withIntermediateDirectories: false)
        module = try SoftwareModule(forTestsWithRandomLMKIn: state)
        centre = try await KeyCentre.open(
            database: database, module: module, settings: KMSSettings(auditFile: "\(folder)/audit.log"))
        try await Self.addPeople(database)
        try await StoryKeys(centre: centre, module: module).make()
        desk = try await Self.openDesk(database, centre, module, readers)
    }

    /// The same database server again, after it was stopped.
    func restartDatabase() async throws {
        var configuration = PrivateServer.Configuration(stateFolder: "\(folder)/db", socketPath: "\(folder)/s")
        configuration.settings = ["innodb-log-file-size": "8M"]
        configuration.bufferPoolMegabytes = 16
        Cleanup.add(server: try await PrivateServer.start(configuration))
    }

    /// What a restart of the server is.
    func reopened(node: String = "a", profiles: String = profileFolder) async throws -> CardIssuing {
        try await Self.openDesk(database, centre, module, readers, node: node, profiles: profiles)
    }

    private static func openDesk(
        _ database: Database, _ centre: KeyCentre, _ module: SoftwareModule, _ readers: CardsInMemory,
        node: String = "a", profiles: String = profileFolder
    ) async throws -> CardIssuing {
        var settings = IssuingSettings()
        settings.node = node
        settings.stationLimit = 64
        return try await CardIssuing.open(
            database: database, centre: centre, module: module, cards: readers.access,
            profiles: ProfileLibrary(folder: profiles), settings: settings)
    }

    private static func addPeople(_ database: Database) async throws {
        var bytes = Array("correct horse battery".utf8)
        let hash = try PasswordHash(of: Password(wiping: &bytes))
        let people: [(String, Set<Role>)] = [
            ("carl", [.conf]), ("kate", [.key]), ("olga", [.operator]), ("rita", [.auditor]),
        ]
        try await database.write { connection in
            for (name, roles) in people {
                try AdministratorTable.insert(name, name, hash, &connection)
                for role in roles {
                    try AdministratorRoleTable.insert(
                        role, to: name, by: "test", approvedBy: "test", now: Timestamp(microseconds: 0), &connection)
                }
            }
        }
    }

    /// A name that no other test has.
    func fresh(_ word: String) -> String { "\(word)-\(number.wrappingAdd(1, ordering: .relaxed).newValue)" }

    func serial() -> [UInt8] { (0x4D00_0000 + UInt32(number.wrappingAdd(1, ordering: .relaxed).newValue)).octets }

    /// A blank in a reader of its own.
    func blank(_ kind: String, pull: CardsInMemory.Pull? = nil) -> String {
        let reader = fresh("Reader")
        let card: any SmartCard = kind == "psam" ? PSAMCard(serial: serial()) : FMCOSCard(serial: serial())
        readers.insert(card, in: reader, pull: pull)
        return reader
    }

    func request(_ kind: String, _ reader: String, batch: String, asn: String = "00003101000000000042") -> JobRequest {
        kind == "psam"
            ? JobRequest(
                profile: "psam-pboc", issuer: Self.issuer, reader: reader, batch: batch,
                data: ["psamSerial": "31010000000000000001", "terminal": "310000000001"])
            : JobRequest(
                profile: "fmcos-canteen", issuer: Self.issuer, reader: reader, batch: batch,
                data: ["asn": asn, "holder": "Demo Holder", "pin": Self.pin])
    }

    func delivery(_ kind: String, _ count: Int) async throws -> String {
        let batch = fresh("D")
        _ = try await desk.receiveStock(kind: kind, batch: batch, count: count, by: olga)
        return batch
    }

    func line(_ batch: String) async throws -> StockLine {
        try #require(try await desk.stock(by: olga).first { $0.batch == batch })
    }
}

/// The application keys of the story, with values.
private struct StoryKeys {
    let centre: KeyCentre
    let module: SoftwareModule
    let carl = Actor(name: "carl", origin: "test")
    let kate = Actor(name: "kate", origin: "test")

    static let masters: [(String, KeyUsage)] = [
        ("PURSE/PURCHASE", .purchase), ("PURSE/LOAD", .load), ("PURSE/TAC", .tac), ("PURSE/UNLOAD", .unload),
        ("PURSE/MAINTENANCE", .applicationMaintenance), ("PURSE/PIN-UNBLOCK", .pinUnblock),
        ("PURSE/PIN-RELOAD", .pinReload),
        ("PURSE/MF-CONTROL", .cardControl), ("PURSE/CONTROL", .cardControl), ("PSAM/CARD-CONTROL", .cardControl),
        ("PSAM/CARD-MAINTENANCE", .cardMaintenance),
        ("PSAM/APP-CONTROL", .cardControl), ("PSAM/APP-MAINTENANCE", .cardMaintenance),
    ]

    func make() async throws {
        try await centre.createIssuer("PARK", name: "Park", description: "", by: carl)
        for product in ["TRANSPORT", "VENDOR", "PURSE", "PSAM"] {
            try await centre.createProduct(
                product, issuer: "PARK", name: product, kind: "DKEY", description: "", by: carl)
        }
        for (label, usage) in Self.masters {
            let id = try await create(label, usage, .derive)
            try await centre.generateValue(id, by: kate)
        }
        let transport = try await create("TRANSPORT/KEK", .keyEncryption, .both)
        let entry = try await centre.beginComponents(transport, count: 3, by: kate)
        let components = [
            "E0C25DDAD6FEBC325D02F2F8EAE9266B", "570E3115102C9D6B70EA920B134AE594", "F494C4E5CB1F02F143209B2364E0B66D",
        ]
        for (index, text) in components.enumerated() {
            let component = try Self.typed(text)
            _ = try await module.execute(
                EnterComponent(session: entry.session, number: UInt8(index + 1), component: component))
        }
        _ = try await centre.finishComponents(transport, session: entry.session, by: kate)
        for (label, id) in [
            ("VENDOR/PSAM-BLANK", "vendor key of the blank PSAM (virtual)"),
            ("VENDOR/FMCOS-BLANK", "transport key of the blank FMCOS card (virtual)"),
        ] {
            let key = try await create(label, .vendorTransport, .unrestricted)
            try await centre.importValue(key, block: Self.block(id), under: transport, by: kate)
        }
        try await centre.directory.refreshNow()
    }

    private func create(_ label: String, _ usage: KeyUsage, _ mode: ModeOfUse) async throws -> KeyIdentity {
        try await centre.createKey(
            try #require(KeyName("PARK/\(label)")),
            attributes: KeyAttributes(usage: usage, algorithm: .tripleDES2, mode: mode, exportability: .nonExportable),
            validity: .unlimited, description: "", by: carl)
    }

    private static func block(_ id: String) throws -> String {
        let path = URL(filePath: Workshop.profileFolder).deletingLastPathComponent().appending(
            path: "demo/keys-under-kek.json")
        for line in try String(contentsOf: path, encoding: .utf8).split(separator: "\n") {
            let entry = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
            if entry?["id"] as? String == id, let block = entry?["block"] as? String { return block }
        }
        throw CocoaError(.fileReadCorruptFile)
    }

    private static func typed(_ text: String) throws -> SecretInput {
        var ends: [Int32] = [0, 0]
        try #require(unsafe pipe(&ends) == 0)
        defer { close(ends[0]) }
        let line = Array((text + "\n").utf8)
        _ = unsafe write(ends[1], line, line.count)
        close(ends[1])
        return try SecretInput(lineFrom: ends[0], hexadecimal: true)
    }
}

/// Servers and folders, ended and removed at exit.
private enum Cleanup {
    private static let state = Mutex((folders: [String](), servers: [PrivateServer](), isRegistered: false))

    static func add(folder: String) { register { $0.folders.append(folder) } }
    static func add(server: PrivateServer) { register { $0.servers.append(server) } }

    private static func register(
        _ change: (inout sending (folders: [String], servers: [PrivateServer], isRegistered: Bool)) -> Void
    ) {
        let isFirst = state.withLock { state in
            change(&state)
            defer { state.isRegistered = true }
            return !state.isRegistered
        }
        if isFirst {
            atexit {
                let (folders, servers, _) = Cleanup.state.withLock { $0 }
                for server in servers { server.stopNow() }
                for folder in folders { try? FileManager.default.removeItem(atPath: folder) }
            }
        }
    }
}

extension Workshop {
    /// For workshops of one test: their server goes with the process.
    func close() async { await database.close() }
}
