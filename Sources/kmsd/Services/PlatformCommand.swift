import ArgumentParser
import FoundationEssentials
import Logging
import MariaDB
import PlatformLite
import ServiceLifecycle
import UnixSignals

/// `kmsd platform`: the one-card back office, a client of the crypto service with a schema of its own.
struct PlatformCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "platform", abstract: "Run the back office: records, ledger, settlement, web pages.")
    @OptionGroup var common: CommonOptions

    func run() async throws {
        _ = ProcessHardening.apply()
        let settings = try await common.settings()
        let log = ServiceLog.make("platform", settings)
        let migrations = Migrations(
            PlatformMigrations.all, runtime: ServerAccount.platform.account, auditor: ServerAccount.auditor.account)
        let database = try await DatabaseConnections.prepare(
            .platform, migrating: .platformMigrate, schema: "platform", migrations, settings)
        try ServiceFolder.make(FilePathText.folder(of: settings.platform.tokens))
        if !FileManager.default.fileExists(atPath: settings.platform.tokens) {
            try AccessTokens.make(
                path: settings.platform.tokens, staff: [("pos", .uploader), ("clerk", .clerk), ("auditor", .auditor)])
            log.notice("access tokens made", metadata: ["file": "\(settings.platform.tokens)"])
        }
        let tokens = try AccessTokens(path: settings.platform.tokens)
        guard !settings.platform.tacKey.isEmpty else {
            throw CommandFailure(
                "platform.tacKey is not configured: the label of the TAC master that verifies uploaded records.")
        }
        var asking = CryptoServiceVerifier.Settings(
            host: settings.platform.cryptoHost, port: settings.platform.cryptoPort, keyLabel: settings.platform.tacKey)
        asking.keysByCardPrefix = settings.platform.tacKeysByCard
        let verifier = CryptoServiceVerifier(asking)
        let office = BackOffice(
            database: database, verifier: verifier,
            clock: { Timestamp(microseconds: Int64(Date().timeIntervalSince1970 * 1_000_000)) })
        var platform = PlatformSettings()
        platform.host = settings.platform.host
        platform.port = settings.platform.port
        let service = PlatformService(platform, office: office, tokens: tokens, logger: log) { port in
            log.notice("platform ready", metadata: ["port": "\(port)"])
        }
        let group = ServiceGroup(
            configuration: .init(
                services: [.init(service: service)], gracefulShutdownSignals: [.sigterm, .sigint], logger: log))
        do { try await group.run() } catch {
            await database.close()
            throw CommandFailure("The back office stopped: \(error)")
        }
        await database.close()
    }
}

enum FilePathText {
    /// The folder part of a path.
    static func folder(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/"), slash > path.startIndex else { return "/" }
        return String(path[..<slash])
    }
}
