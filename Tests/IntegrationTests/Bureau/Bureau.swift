import Foundation
import Glibc
import HSMBridge
import KMS
import MariaDB
import Personalization
import Synchronization
import Testing

/// A card bureau: a private MariaDB, a key centre with the keys of the story over a module's socket, and a desk that makes
/// cards in the readers of the rack.
final class Bureau: Sendable {
    /// The one that the suite's tests share.
    @TaskLocal static var current: Bureau?
    static let issuer = "PARK"
    static let pin = "135790"

    let folder: String
    let database: Database
    let module: ModuleBridge
    let centre: KeyCentre
    let desk: CardIssuing
    let people: People
    private let server: Mutex<PrivateServer>
    private let configuration: PrivateServer.Configuration
    private let number = Atomic<Int>(0)

    struct People: Sendable { let carl, kate, olga: KMS.Actor }

    private init(
        folder: String, database: Database, module: ModuleBridge, centre: KeyCentre, desk: CardIssuing, people: People,
        server: PrivateServer, configuration: PrivateServer.Configuration
    ) {
        self.folder = folder
        self.database = database
        self.module = module
        self.centre = centre
        self.desk = desk
        self.people = people
        self.server = Mutex(server)
        self.configuration = configuration
    }

    /// `folder` must exist; the module must be operational.
    static func open(in folder: String, moduleSocket: String) async throws -> Bureau {
        var configuration = PrivateServer.Configuration(stateFolder: "\(folder)/db", socketPath: "\(folder)/s")
        configuration.bufferPoolMegabytes = 16
        let server = try await PrivateServer.start(configuration)
        let migrator = Database(server.settings(for: .kmsMigrate), workers: 1)
        try await Migrations(
            KMSSchema.steps + PersonalizationSchema.steps + KMSSchema.additions, runtime: ServerAccount.kms.account,
            auditor: ServerAccount.auditor.account
        ).apply(to: migrator)
        await migrator.close()
        var settings = server.settings(for: .kms)
        settings.reconnectSeconds = 1
        let database = Database(settings, workers: 8)
        let module = ModuleBridge(path: moduleSocket, lanes: 4)
        let centre = try await KeyCentre.open(
            database: database, module: module, settings: KMSSettings(auditFile: "\(folder)/audit.log"))
        let people = try await Self.bootstrap(centre)
        try await BureauKeys(centre: centre, module: module, people: people).make()
        let desk = try await CardIssuing.open(
            database: database, centre: centre, module: module, cards: .pcsc(Rack.readers), profiles: profiles)
        return Bureau(
            folder: folder, database: database, module: module, centre: centre, desk: desk, people: people,
            server: server, configuration: configuration)
    }

    func close() async {
        await database.close()
        await stopDatabase()
    }

    static var profiles: ProfileLibrary { get throws { try ProfileLibrary(folder: "\(Rack.checkout)/conf/cards") } }

    // MARK: The database's end and return

    var databaseSocket: String { configuration.socketPath }

    func stopDatabase() async { await server.withLock { $0 }.stop() }

    func startDatabase() async throws {
        let next = try await PrivateServer.start(configuration)
        server.withLock { $0 = next }
    }

    // MARK: People

    private static func password() throws -> Password {
        var bytes = Array("seventeen green umbrellas".utf8)
        return try Password(wiping: &bytes)
    }

    private static func bootstrap(_ centre: KeyCentre) async throws -> People {
        let offered = try await centre.offerBootstrap()
        var token = Array(try #require(offered).utf8)
        let hash = try await centre.hash(password())
        let first: [(String, Set<Role>)] = [("carl", [.conf]), ("kate", [.key]), ("olga", [.operator])]
        try await centre.bootstrap(
            token: try Password(wiping: &token),
            first.map { NewAdministrator(name: $0.0, fullName: $0.0, roles: $0.1, password: hash) }, origin: "test")
        return People(
            carl: try await signIn("carl", centre), kate: try await signIn("kate", centre),
            olga: try await signIn("olga", centre))
    }

    static func signIn(_ name: String, _ centre: KeyCentre) async throws -> KMS.Actor {
        let session = try await centre.signIn(name: name, password: password(), origin: "test")
        return try centre.actor(token: session.token, origin: "test")
    }

    // MARK: Jobs

    func request(_ card: RackCard, batch: String) -> JobRequest {
        let data: [String: String] =
            switch card.kind {
            case .psam: ["psamSerial": "31010000000000000001", "terminal": "310000000001"]
            case .fmcos: ["asn": "00003101000000000042", "holder": "Demo Holder", "pin": Self.pin]
            }
        return JobRequest(
            profile: card.kind == .psam ? "psam-pboc" : "fmcos-canteen", issuer: Self.issuer, reader: card.reader,
            batch: batch, data: data)
    }

    /// A delivery of one blank, for one test alone.
    func delivery(_ card: RackCard) async throws -> String {
        let batch = "D\(number.wrappingAdd(1, ordering: .relaxed).newValue)"
        _ = try await desk.receiveStock(kind: card.kind.rawValue, batch: batch, count: 1, by: people.olga)
        return batch
    }

    func stock(_ batch: String) async throws -> StockLine {
        let lines = try await desk.stock(by: people.olga)
        return try #require(lines.first { $0.batch == batch })
    }

    /// Makes a card in one go.
    func make(_ card: RackCard) async throws -> CardJob {
        try await card.makeBlank()
        let job = try await desk.personalise(request(card, batch: delivery(card)), by: people.olga)
        try #require(job.state == .finished, "\(card): \(job.message ?? "")")
        return job
    }

    func key(_ label: String) throws -> KeyReference {
        let name = try #require(KeyName("\(Self.issuer)/\(label)"))
        return try #require(centre.directory.snapshot.currentKey(name)).reference
    }
}

extension StockLine {
    /// What a delivery of one blank has become.
    var place: String {
        guard received == 1, blank + working + finished + scrapped == 1 else { return "unbalanced: \(self)" }
        return blank == 1 ? "blank" : working == 1 ? "working" : finished == 1 ? "finished" : "scrapped"
    }
}
