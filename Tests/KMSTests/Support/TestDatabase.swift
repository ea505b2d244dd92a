import Foundation
import Glibc
import Synchronization

@testable import KMS
@testable import MariaDB

/// One private server for the whole run; each rig has a schema of its own in it.
enum TestDatabase {
    static let shared = Task { try await start("shared") }
    private static let counter = Atomic<Int>(0)

    static func next() -> Int { counter.wrappingAdd(1, ordering: .relaxed).newValue }

    static func start(_ name: String) async throws -> PrivateServer {
        let folder = try folder(name)
        var configuration = PrivateServer.Configuration(stateFolder: "\(folder)/db", socketPath: "\(folder)/s")
        // All tests run at once, each with connections of its own: more than a real node ever has.
        configuration.settings = ["innodb-log-file-size": "8M", "max-connections": "1000"]
        configuration.bufferPoolMegabytes = 16
        let server = try await PrivateServer.start(configuration)
        Cleanup.add(server: server)
        return server
    }

    /// The same server again, after it was stopped.
    static func restart(_ server: PrivateServer) async throws -> PrivateServer {
        let folder = (server.socketPath as NSString).deletingLastPathComponent
        var configuration = PrivateServer.Configuration(stateFolder: "\(folder)/db", socketPath: server.socketPath)
        configuration.settings = ["innodb-log-file-size": "8M", "max-connections": "1000"]
        configuration.bufferPoolMegabytes = 16
        let next = try await PrivateServer.start(configuration)
        Cleanup.add(server: next)
        return next
    }

    static func folder(_ name: String) throws -> String {
        let path = "/tmp/kmsd-kms-\(UInt32.random(in: 0 ... .max))-\(name)"
        guard unsafe mkdir(path, 0o700) == 0 else { throw DatabaseError.other(code: UInt32(errno)) }
        Cleanup.add(folder: path)
        return path
    }

    /// A schema with our tables, seen through the account that `kmsd serve` has.
    static func makeSchema(_ schema: String, on server: PrivateServer) async throws -> Database {
        try await with(administrator(of: server, schema: nil)) { database async throws in
            try await database.plain { connection in
                try connection.execute(SQL(text: "CREATE SCHEMA \(schema) COLLATE utf8mb4_nopad_bin"))
                try connection.execute(
                    SQL(text: "GRANT ALL ON \(schema).* TO 'kms_migrate'@'localhost' WITH GRANT OPTION"))
            }
        }
        try await migrate(schema, on: server, KMSSchema.steps + KMSSchema.additions)
        return runtime(schema, on: server)
    }

    /// Applies what is missing of `steps`.
    static func migrate(_ schema: String, on server: PrivateServer, _ steps: [Migration]) async throws {
        var migrate = server.settings(for: .kmsMigrate)
        migrate.schema = schema
        try await with(migrate) { database async throws in
            let migrations = Migrations(
                steps, runtime: ServerAccount.kms.account, auditor: ServerAccount.auditor.account)
            try await migrations.apply(to: database)
        }
    }

    /// The schema through the account that `kmsd serve` has.
    static func runtime(_ schema: String, on server: PrivateServer) -> Database {
        var settings = server.settings(for: .kms)
        settings.schema = schema
        settings.reconnectSeconds = 1
        return Database(settings, workers: 2)
    }

    static func administrator(of server: PrivateServer, schema: String?) -> DatabaseSettings {
        let user = unsafe getpwuid(geteuid()).map { unsafe String(cString: $0.pointee.pw_name) } ?? ""
        return DatabaseSettings(server: .socket(path: server.socketPath), user: user, password: .none, schema: schema)
    }

    static func with<T>(_ settings: DatabaseSettings, _ body: (Database) async throws -> T) async throws -> T {
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
