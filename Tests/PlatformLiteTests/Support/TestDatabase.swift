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
        let folder = "/tmp/kmsd-platform-\(getpid())"
        try FileManager.default.createDirectory(
            atPath: folder, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o700])
        let server = try await PrivateServer.start(.init(stateFolder: "\(folder)/db", socketPath: "\(folder)/s"))
        Cleanup.set(server, folder)
        return server
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

/// Ends the server and removes its folder at the end of the run.
private enum Cleanup {
    private static let state = Mutex<(PrivateServer, String)?>(nil)

    static func set(_ server: PrivateServer, _ folder: String) {
        state.withLock { $0 = (server, folder) }
        atexit {
            guard let (server, folder) = Cleanup.state.withLock({ $0 }) else { return }
            server.stopNow()
            try? FileManager.default.removeItem(atPath: folder)
        }
    }
}
