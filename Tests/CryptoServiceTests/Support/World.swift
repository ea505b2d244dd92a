import CryptoClient
import Foundation
import Glibc
import HSMBridge
import HSMEngine
import Logging
import NIOCore
import NIOPosix
import Synchronization

@testable import CryptoService
@testable import KMS
@testable import MariaDB

/// A whole service: real database, real module behind its real socket, key centre, host-command port.
///
/// The keys have the names of docs/protocol.md, but not its values: the module takes no key that is printed somewhere.
final class World: Sendable {
    static let plainClient = "host-port"
    static let master = "9E15F2C3A4B5D6E7F8091A2B3C4D5E61"
    static let macKey = "1A2B3C4D5E6F70819293A4B5C6D7E8F9"

    let folder: String
    let socket: String
    let module: SoftwareModule
    let centre: KeyCentre
    let settings: CryptoSettings
    let server: CryptoServer
    let admission: Admission
    let port: Int
    private let door: Mutex<ModuleServer?>

    /// One world for the tests that change nothing that others could notice.
    static let shared = Task { try await World.make() }

    /// A world with the keys of `CommandVectors`.
    static let ofVectors = Task { try await World.make(keysOf: CommandVectors.keys) }

    static let conf = Actor(name: "alice", origin: "test")
    static let key = Actor(name: "bob", origin: "test")

    private init(
        folder: String, socket: String, module: SoftwareModule, centre: KeyCentre, settings: CryptoSettings,
        server: CryptoServer, admission: Admission, port: Int, door: consuming ModuleServer?
    ) {
        self.folder = folder
        self.socket = socket
        self.module = module
        self.centre = centre
        self.settings = settings
        self.server = server
        self.admission = admission
        self.port = port
        self.door = Mutex(door)
    }

    /// `tls`: the doors with TLS are open too, on any free ports of 127.0.0.1. `time` is what the service takes for it.
    static func make(
        tls files: TLSFiles? = nil, logger: Logger = Logger(label: "test"), keysOf vectors: [CommandVectors.Key] = [],
        time: DrivenTime? = nil, _ adjust: (inout CryptoSettings) -> Void = { _ in }
    ) async throws -> World {
        let wall: @Sendable () -> Timestamp = { time?.now ?? Clocks.system.wall() }
        let folder = try TestDatabase.folder("world\(TestDatabase.next())")
        let database = try await TestDatabase.makeSchema()
        let module = try SoftwareModule(forTestsWithRandomLMKIn: folder)
        let centre = try await KeyCentre.open(
            database: database, module: module, settings: KMSSettings(auditFile: "\(folder)/audit.log"),
            clocks: Clocks(
                wall: wall, monotonicNanoseconds: Clocks.system.monotonicNanoseconds, boot: Clocks.system.boot))
        try await people(database)
        try await keys(centre, module)
        for vector in vectors {
            let id = try await centre.createKey(
                vector.name, attributes: vector.attributes, validity: .unlimited, description: "", by: conf)
            try await enter(vector.value, as: id, centre, module)
        }
        let socket = "\(folder)/hsm.sock"
        let door = try ModuleServer(module: module, settings: ModuleServerSettings(path: socket))
        var settings = CryptoSettings(moduleSocket: socket, plainClient: plainClient)
        settings.port = 0
        // Many tests run at once: only what the service does shall decide, not how busy the machine is.
        settings.stopSeconds = 600
        settings.frameSeconds = 600
        settings.requestSeconds = 600
        settings.moduleSeconds = 600
        settings.tlsHost = "127.0.0.1"
        settings.tlsPort = 0
        settings.httpsHost = "127.0.0.1"
        settings.httpsPort = 0
        settings.handshakeSeconds = 600
        adjust(&settings)
        let metrics = ServiceMetrics()
        let clocks = rateStandsStill(wall)
        let admission = Admission(
            settings, centre: centre, tls: try files.map { try TLSMaterial($0, logger: logger) }, metrics: metrics,
            clocks: clocks, logger: logger)
        let server = CryptoServer(
            settings, centre: centre, slowModule: ModuleBridge(path: socket, lanes: 4), metrics: metrics,
            admission: admission, clocks: clocks, logger: logger)
        let port = try await server.start()
        return World(
            folder: folder, socket: socket, module: module, centre: centre, settings: settings, server: server,
            admission: admission, port: port, door: door)
    }

    /// A client's bucket holds its burst and fills no more, however long the machine takes.
    private static func rateStandsStill(_ wall: @escaping @Sendable () -> Timestamp) -> Clocks {
        Clocks(wall: wall, monotonicNanoseconds: { 1_000_000_000_000 }, boot: Clocks.system.boot)
    }

    /// As long as the machine takes: see `moduleSeconds`.
    static let patient: CryptoConnection.Settings = {
        var settings = CryptoConnection.Settings()
        settings.connectTimeout = .seconds(300)
        settings.replyTimeout = .seconds(300)
        return settings
    }()

    func connect(_ settings: CryptoConnection.Settings = patient) async throws -> CryptoConnection {
        try await CryptoConnection.connect(host: "127.0.0.1", port: port, settings: settings)
    }

    /// Clients on the event loops that all tests share; those can be seconds late.
    static var clients: ClientBootstrap {
        ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton).connectTimeout(.seconds(300))
    }

    /// A second server over the same keys and module, with other settings; the caller starts and stops it.
    func anotherServer(_ settings: CryptoSettings) -> CryptoServer {
        CryptoServer(
            settings, centre: centre, slowModule: ModuleBridge(path: socket, lanes: 1), logger: Logger(label: "test"))
    }

    /// The module's process goes away: its socket closes in the middle of whatever there is.
    func stopModule() { door.withLock { $0.take() }?.stop() }

    func startModule() throws {
        let server = try ModuleServer(module: module, settings: ModuleServerSettings(path: socket))
        door.withLock { $0 = server }
    }

    func stop() async {
        await server.stop()
        stopModule()
    }

    // MARK: Content

    private static func people(_ database: Database) async throws {
        var bytes = Array("correct horse battery".utf8)
        let hash = try PasswordHash(of: Password(wiping: &bytes))
        try await database.write { connection in
            for (name, role) in [("alice", Role.conf), ("bob", Role.key), ("olga", .auditor)] {
                try AdministratorTable.insert(name, name, hash, &connection)
                try AdministratorRoleTable.insert(
                    role, to: name, by: "test", approvedBy: "test", now: Timestamp(microseconds: 0), &connection)
            }
        }
    }

    private static func keys(_ centre: KeyCentre, _ module: SoftwareModule) async throws {
        try await centre.createIssuer("canteen", name: "Canteen", description: "", by: conf)
        for product in ["pos", "purse", "card", "kek", "sign", "closed"] {
            try await centre.createProduct(
                product, issuer: "canteen", name: product, kind: "test", description: "", by: conf)
        }
        func attributes(_ usage: KeyUsage, _ mode: ModeOfUse, levels: Int? = nil) -> KeyAttributes {
            KeyAttributes(
                usage: usage, algorithm: .tripleDES2, mode: mode, exportability: .exportable, levels: levels)
        }
        let list: [(String, KeyAttributes, String?)] = [
            ("canteen/pos/mac", attributes(.mac3, .calculate), macKey),
            ("canteen/pos/spare", attributes(.mac3, .calculate), nil),
            ("canteen/purse/load", attributes(.load, .derive), master),
            ("canteen/purse/pay", attributes(.purchase, .derive), master),
            ("canteen/purse/tac", attributes(.tac, .derive), master),
            ("canteen/purse/regions", attributes(.tac, .derive, levels: 2), master),
            ("canteen/kek/bank", attributes(.keyEncryption, .both), nil),
            ("canteen/closed/mac", attributes(.mac3, .calculate), nil),
            (
                "canteen/sign/report",
                KeyAttributes(
                    usage: .signature, algorithm: .rsa(bits: 2_048), mode: .sign, exportability: .nonExportable), nil
            ),
        ]
        for (name, attributes, value) in list {
            guard let name = KeyName(name) else { continue }
            let id = try await centre.createKey(
                name, attributes: attributes, validity: .unlimited, description: "", by: conf)
            if let value {
                try await enter(value, as: id, centre, module)
            } else {
                _ = try await centre.generateValue(id, by: key)
            }
        }
        _ = try await centre.createClient(plainClient, description: "", by: conf)
        for product in ["pos", "purse", "card", "kek", "sign"] {
            try await centre.grant(
                .product(issuer: "canteen", product: product), Set(ServiceOperation.allCases), to: plainClient, by: conf
            )
        }
        try await centre.grant(.presentedBlocks, Set(ServiceOperation.allCases), to: plainClient, by: conf)
    }

    /// A key with a published value, typed in two components.
    private static func enter(
        _ value: String, as id: KeyIdentity, _ centre: KeyCentre, _ module: SoftwareModule
    ) async throws {
        let key = Hex.decode(value) ?? []
        let first = key.map { _ in UInt8.random(in: 0...255) }
        let second = zip(first, key).map { $0 ^ $1 }
        let session = try await centre.beginComponents(id, count: 2, by: Self.key).session
        for (number, component) in [first, second].enumerated() {
            _ = try await module.execute(
                EnterComponent(session: session, number: UInt8(number + 1), component: try typed(Hex.encode(component)))
            )
        }
        _ = try await centre.finishComponents(id, session: session, by: Self.key)
    }

    private static func typed(_ line: String) throws -> SecretInput {
        var ends: [Int32] = [0, 0]
        guard unsafe pipe(&ends) == 0 else { throw CocoaError(.fileReadUnknown) }
        defer { close(ends[0]) }
        let bytes = Array((line + "\n").utf8)
        _ = unsafe write(ends[1], bytes, bytes.count)
        close(ends[1])
        return try SecretInput(lineFrom: ends[0], hexadecimal: true)
    }
}
