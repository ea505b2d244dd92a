import Foundation
import Glibc
import Synchronization
import Testing

@testable import MariaDB

/// One private server for the whole test run, in a temporary folder that goes when the process ends.
///
/// Each test takes a schema-free corner of it: tables are named by the test, so tests do not meet.
enum TestServer {
    private static let shared = Task { try await start() }

    static func running() async throws -> PrivateServer { try await shared.value }

    /// Makes a folder that is removed at the end of the run.
    static func temporaryFolder(_ name: String) throws -> String {
        let path = "/tmp/kmsd-mariadb-\(UInt32.random(in: 0 ... .max))-\(name)"
        guard unsafe mkdir(path, 0o700) == 0 else { throw PrivateServerError.fileFailed(path: path, errno: errno) }
        Cleanup.add(folder: path)
        return path
    }

    /// Starts a server of its own for a test that kills or misconfigures it.
    static func start(_ name: String = "shared", settings: [String: String] = [:]) async throws -> PrivateServer {
        let folder = try temporaryFolder(name)
        var configuration = PrivateServer.Configuration(stateFolder: "\(folder)/db", socketPath: "\(folder)/s")
        configuration.settings = settings.merging(["innodb-log-file-size": "8M"]) { first, _ in first }
        configuration.bufferPoolMegabytes = 16
        let server = try await PrivateServer.start(configuration)
        Cleanup.add(process: server)
        return server
    }

    /// Settings of a new, empty schema of the test's own, for `kms_migrate` (all rights, may grant).
    static func schema(_ name: StaticString) async throws -> DatabaseSettings {
        let server = try await running()
        let schema = "t_\(name)"
        try await withAdministrator { connection in
            try connection.execute(SQL(text: "CREATE SCHEMA \(schema) COLLATE utf8mb4_nopad_bin"))
            try connection.execute(SQL(text: "GRANT ALL ON \(schema).* TO 'kms_migrate'@'localhost' WITH GRANT OPTION"))
        }
        var settings = server.settings(for: .kmsMigrate)
        settings.schema = schema
        return settings
    }

    /// Runs `body` as the server's administrator, which is the system's user that runs the tests.
    @discardableResult
    static func withAdministrator<T: Sendable>(
        _ body: @escaping @Sendable (inout Connection) throws -> T
    ) async throws -> T {
        let settings = try await administrator(of: running())
        return try await with(settings, workers: 1) { try await $0.plain(body) }
    }

    static func administrator(of server: PrivateServer) -> DatabaseSettings {
        let user = unsafe getpwuid(geteuid()).map { unsafe String(cString: $0.pointee.pw_name) } ?? ""
        return DatabaseSettings(server: .socket(path: server.socketPath), user: user, password: .none, schema: nil)
    }

    /// Runs `body` with a pool, and closes the pool.
    @discardableResult
    static func with<T>(
        _ settings: DatabaseSettings, workers: Int = 2, queueLimit: Int = 64, _ body: (Database) async throws -> T
    ) async throws -> T {
        let database = Database(settings, workers: workers, queueLimit: queueLimit)
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

/// What the run leaves behind: servers and folders, ended and removed at exit.
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

    static func add(process server: PrivateServer) {
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
