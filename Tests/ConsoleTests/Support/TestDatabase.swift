import Foundation
import Glibc
import KMS
import Personalization
import Synchronization

@testable import MariaDB

/// One private server for the whole run; each rig has a schema of its own in it.
enum TestDatabase {
    static let shared = Task { try await start() }
    private static let counter = Atomic<Int>(0)

    static func next() -> Int { counter.wrappingAdd(1, ordering: .relaxed).newValue }

    private static func start() async throws -> PrivateServer {
        let folder = try folder("server")
        var configuration = PrivateServer.Configuration(stateFolder: "\(folder)/db", socketPath: "\(folder)/s")
        // All tests run at once, each with connections of its own: more than a real node ever has.
        configuration.settings = ["innodb-log-file-size": "8M", "max-connections": "1000"]
        configuration.bufferPoolMegabytes = 16
        let server = try await PrivateServer.start(configuration)
        Cleanup.add(server: server)
        return server
    }

    static func folder(_ name: String) throws -> String {
        let path = "/tmp/kmsd-console-\(UInt32.random(in: 0 ... .max))-\(name)"
        guard unsafe mkdir(path, 0o700) == 0 else { throw DatabaseError.other(code: UInt32(errno)) }
        Cleanup.add(folder: path)
        return path
    }

    /// A schema with our tables, seen through the account that `kmsd serve` has.
    static func makeSchema(_ schema: String, on server: PrivateServer) async throws -> Database {
        let user = unsafe getpwuid(geteuid()).map { unsafe String(cString: $0.pointee.pw_name) } ?? ""
        let administrator = DatabaseSettings(
            server: .socket(path: server.socketPath), user: user, password: .none, schema: nil)
        try await with(administrator) { database async throws in
            try await database.plain { connection in
                try connection.execute(SQL(text: "CREATE SCHEMA \(schema) COLLATE utf8mb4_nopad_bin"))
                try connection.execute(
                    SQL(text: "GRANT ALL ON \(schema).* TO 'kms_migrate'@'localhost' WITH GRANT OPTION"))
            }
        }
        var migrate = server.settings(for: .kmsMigrate)
        migrate.schema = schema
        try await with(migrate) { database async throws in
            let migrations = Migrations(
                KMSSchema.steps + PersonalizationSchema.steps + KMSSchema.additions, runtime: ServerAccount.kms.account,
                auditor: ServerAccount.auditor.account)
            try await migrations.apply(to: database)
        }
        var settings = server.settings(for: .kms)
        settings.schema = schema
        return Database(settings, workers: 3)
    }

    private static func with<T>(_ settings: DatabaseSettings, _ body: (Database) async throws -> T) async throws -> T {
        let database = Database(settings, workers: 1)
        do {
            let result = try await body(database)
            await database.close()
            return result
        } catch {
            await database.close()
            throw error
        }
    }
}

/// What the run leaves behind, ended and removed at exit.
private enum Cleanup {
    private struct State {
        var folders: [String] = []
        var servers: [PrivateServer] = []
        var isRegistered = false
    }

    private static let state = Mutex(State())

    static func add(folder: String) {
        register()
        state.withLock { $0.folders.append(folder) }
    }

    static func add(server: PrivateServer) {
        register()
        state.withLock { $0.servers.append(server) }
    }

    private static func register() {
        let isFirst = state.withLock { state in
            defer { state.isRegistered = true }
            return !state.isRegistered
        }
        if isFirst { atexit { Cleanup.run() } }
    }

    private static func run() {
        let (servers, folders) = state.withLock { ($0.servers, $0.folders) }
        for server in servers { server.stopNow() }
        for folder in folders { try? FileManager.default.removeItem(atPath: folder) }
    }
}
