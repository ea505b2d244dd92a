import ArgumentParser
import Logging
import MariaDB

/// `kmsd database`: the private MariaDB in the foreground, so that several services can share it.
struct DatabaseCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "database", abstract: "Run the private MariaDB (Unix socket only) in the foreground.")
    @OptionGroup var common: CommonOptions

    func run() async throws {
        _ = ProcessHardening.apply()
        let settings = try await common.settings()
        let log = ServiceLog.make("database", settings)
        try ServiceFolder.make(settings.state)
        try ServiceFolder.make(settings.run)
        let server: PrivateServer
        do {
            server = try await PrivateServer.start(
                .init(stateFolder: DatabaseConnections.folder(settings), socketPath: settings.database.socket))
        } catch { throw CommandFailure("The private database did not start: \(error)") }
        log.notice("database ready", metadata: ["socket": "\(server.socketPath)"])
        await ServiceSignals.waitForStop()
        await server.stop()
        log.notice("database stopped")
    }
}

/// How the services reach the database, by account.
enum DatabaseConnections {
    static func folder(_ settings: Settings) -> String { settings.state + "/database" }

    static func open(_ account: ServerAccount, schema: String, _ settings: Settings, workers: Int? = nil) -> Database {
        let access = settings.database
        let server: DatabaseSettings.Server =
            access.host.isEmpty
            ? .socket(path: access.socket)
            : .tcp(
                host: access.host, port: UInt16(clamping: access.port),
                authorityFile: access.passwords + "/authority.pem")
        var login = DatabaseSettings(
            server: server, user: account.rawValue, password: .file(path: "\(access.passwords)/\(account.rawValue)"),
            schema: schema)
        // A request that cannot be carried out without the database is refused soon, not held for long.
        login.reconnectSeconds = 2
        return Database(
            login, workers: workers ?? access.workers, queueLimit: access.queueLimit)
    }

    /// Brings a schema up to date with the migrating account, then refuses unsafe server settings with the running one.
    static func prepare(
        _ account: ServerAccount, migrating migrator: ServerAccount, schema: String, _ migrations: Migrations,
        _ settings: Settings
    ) async throws -> Database {
        let owner = open(migrator, schema: schema, settings, workers: 1)
        do { _ = try await migrations.apply(to: owner) } catch {
            await owner.close()
            throw CommandFailure("The schema \(schema) could not be brought up to date: \(error)")
        }
        await owner.close()
        let database = open(account, schema: schema, settings)
        do { try await database.refuseUnsafeSettings() } catch {
            await database.close()
            throw CommandFailure("The database server is not safe to use: \(error)")
        }
        return database
    }
}
