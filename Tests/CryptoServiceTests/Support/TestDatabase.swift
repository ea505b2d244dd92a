import Foundation
import Glibc
import Synchronization

@testable import KMS
@testable import MariaDB

/// One private server for the whole run; each world has a schema of its own in it.
enum TestDatabase {
    static let shared = Task { try await start() }
    private static let counter = Atomic<Int>(0)

    static func next() -> Int { counter.wrappingAdd(1, ordering: .relaxed).newValue }

    private static func start() async throws -> PrivateServer {
        let folder = try folder("db")
        var configuration = PrivateServer.Configuration(stateFolder: "\(folder)/db", socketPath: "\(folder)/s")
        // All tests run at once, each with connections of its own: more than a real node ever has.
        configuration.settings = ["innodb-log-file-size": "8M", "max-connections": "1000"]
        configuration.bufferPoolMegabytes = 16
        let server = try await PrivateServer.start(configuration)
        Cleanup.add(server: server)
        return server
    }

    static func folder(_ name: String) throws -> String {
        let path = "/tmp/kmsd-crypto-\(UInt32.random(in: 0 ... .max))-\(name)"
        guard unsafe mkdir(path, 0o700) == 0 else { throw DatabaseError.other(code: UInt32(errno)) }
        Cleanup.add(folder: path)
        return path
    }

    /// A schema with the tables of key management, seen through the account that `kmsd serve` has.
    /// Seconds for a lock. Many tests make schemas at once, and their GRANTs wait for each other at one table of the server.
    private static let patience: UInt32 = 300

    static func makeSchema() async throws -> Database {
        let server = try await shared.value
        let schema = "t\(next())"
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
                KMSSchema.steps + KMSSchema.additions, runtime: ServerAccount.kms.account,
                auditor: ServerAccount.auditor.account)
            try await migrations.apply(to: database)
        }
        var settings = server.settings(for: .kms)
        settings.schema = schema
        settings.lockWaitSeconds = patience
        return Database(settings, workers: 2)
    }

    private static func with(_ settings: DatabaseSettings, _ body: (Database) async throws -> Void) async throws {
        var settings = settings
        settings.lockWaitSeconds = patience
        let database = Database(settings, workers: 1)
        do { try await body(database) } catch {
            await database.close()
            throw error
        }
        await database.close()
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
