import Foundation
import Glibc
import Synchronization
import Testing

@testable import MariaDB
@testable import PlatformLite

/// One private server for the run; every test has a schema of its own in it, with the rights of production.
enum TestDatabase {
    private static let shared = Task { try await start() }

    private static func start() async throws -> PrivateServer {
        let folder = "/tmp/kmsd-platform-\(UInt32.random(in: 0 ... .max))"
        try FileManager.default.createDirectory(
            atPath: folder, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o700])
        var configuration = PrivateServer.Configuration(stateFolder: "\(folder)/db", socketPath: "\(folder)/s")
        // All tests at once, each with a pool of its own.
        configuration.settings = ["max-connections": "1000"]
        let server = try await PrivateServer.start(configuration)
        Cleanup.add(server, folder)
        return server
    }

    /// A server of the test's own, to be killed, with the schema `platform` as in production.
    static func withOwnServer(_ body: @Sendable (PrivateServer, Database) async throws -> Void) async throws {
        let folder = "/tmp/kmsd-platform-\(UInt32.random(in: 0 ... .max))-own"
        try FileManager.default.createDirectory(
            atPath: folder, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o700])
        let server = try await PrivateServer.start(.init(stateFolder: "\(folder)/db", socketPath: "\(folder)/s"))
        Cleanup.add(server, folder)
        let migrator = Database(server.settings(for: .platformMigrate), workers: 1)
        _ = try await Migrations(PlatformMigrations.all, runtime: ServerAccount.platform.account).apply(to: migrator)
        await migrator.close()
        var settings = server.settings(for: .platform)
        settings.reconnectSeconds = 60
        let database = Database(settings, workers: 4)
        try await body(server, database)
        await database.close()
        await server.stop()
    }

    /// Runs `body` with the runtime account's pool on a new schema of this name; names are used once.
    static func with<T>(
        _ schema: StaticString, _ body: (Database) async throws -> T
    ) async throws -> T {
        let server = try await shared.value
        let user = unsafe getpwuid(geteuid()).map { unsafe String(cString: $0.pointee.pw_name) } ?? ""
        var root = DatabaseSettings(
            server: .socket(path: server.socketPath), user: user, password: .none, schema: "platform")
        try administer(server, "CREATE SCHEMA t_\(schema) COLLATE utf8mb4_nopad_bin")
        root.schema = "t_\(schema)"
        let migrator = Database(root, workers: 1)
        _ = try await Migrations(PlatformMigrations.all, runtime: ServerAccount.platform.account).apply(to: migrator)
        await migrator.close()
        var settings = server.settings(for: .platform)
        settings.schema = "t_\(schema)"
        let database = Database(settings, workers: 4)
        do {
            let result = try await body(database)
            await database.close()
            return result
        } catch {
            await database.close()
            throw error
        }
    }

    /// Runs one statement with the server's own client: the database room has no door to DDL but migrations.
    private static func administer(_ server: PrivateServer, _ statement: String) throws {
        let client = Process()
        client.executableURL = URL(filePath: "/usr/bin/mariadb")
        client.arguments = ["--no-defaults", "--socket=\(server.socketPath)", "--execute=\(statement)"]
        try client.run()
        client.waitUntilExit()
        try #require(client.terminationStatus == 0)
    }

    /// The administrator's pool on a test's schema: what a thief with the database would use.
    static func withAdministrator<T>(_ schema: StaticString, _ body: (Database) async throws -> T) async throws -> T {
        let server = try await shared.value
        let user = unsafe getpwuid(geteuid()).map { unsafe String(cString: $0.pointee.pw_name) } ?? ""
        let settings = DatabaseSettings(
            server: .socket(path: server.socketPath), user: user, password: .none, schema: "t_\(schema)")
        let database = Database(settings, workers: 1)
        let result = try await body(database)
        await database.close()
        return result
    }
}

/// Ends the servers and removes their folders at the end of the run.
private enum Cleanup {
    private static let state = Mutex<[(PrivateServer, String)]>([])

    static func add(_ server: PrivateServer, _ folder: String) {
        let isFirst = state.withLock { state in
            state.append((server, folder))
            return state.count == 1
        }
        guard isFirst else { return }
        atexit {
            for (server, folder) in Cleanup.state.withLock({ $0 }) {
                server.stopNow()
                try? FileManager.default.removeItem(atPath: folder)
            }
        }
    }
}
