import ArgumentParser
import Console
import CryptoService
import Foundation
import HSMBridge
import KMS
import Logging
import MariaDB
import Personalization
import ServiceLifecycle

/// `kmsd serve`: key management, personalisation and the crypto service. Holds wrapped keys only.
struct ServeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve", abstract: "Run key management, card personalisation and the crypto service.")
    @OptionGroup var common: CommonOptions

    func run() async throws {
        let hardening = ProcessHardening.apply()
        let settings = try await common.settings()
        let log = ServiceLog.make("serve", settings)
        for gap in hardening.missing { log.warning("hardening", metadata: ["missing": "\(gap)"]) }
        try ServiceFolder.make(settings.state)
        try ServiceFolder.make(settings.run)
        let own = try await EmbeddedDatabase.startIfNobodyAnswers(settings, log)
        let migrations = Migrations(
            KMSSchema.steps + PersonalizationSchema.steps + KMSSchema.additions, runtime: ServerAccount.kms.account,
            auditor: ServerAccount.auditor.account)
        let database = try await DatabaseConnections.prepare(
            .kms, migrating: .kmsMigrate, schema: "kms", migrations, settings)
        do { try await serve(settings, database, log) } catch {
            await database.close()
            await own?.stop()
            throw error
        }
        await database.close()
        await own?.stop()
    }

    private func serve(_ settings: Settings, _ database: Database, _ log: Logger) async throws {
        let module = ModuleBridge(path: settings.hsm.socket, lanes: 4)
        try ServiceFolder.make(settings.state + "/audit")
        var kms = KMSSettings(auditFile: settings.state + "/audit/trail")
        kms.sessionIdleSeconds = settings.admin.idleSeconds
        let centre: KeyCentre
        do { centre = try await KeyCentre.open(database: database, module: module, settings: kms) } catch {
            throw CommandFailure("Key management did not start: \(error.message) [\(error.code)]")
        }
        try await BootstrapToken.offer(centre, settings, log)

        var crypto = CryptoSettings(moduleSocket: settings.hsm.socket, plainClient: settings.crypto.plainClient)
        crypto.host = settings.crypto.host
        crypto.port = settings.crypto.port
        crypto.headerLength = settings.crypto.headerLength
        crypto.connectionLimit = settings.crypto.connectionLimit
        crypto.frameSeconds = settings.crypto.frameSeconds
        crypto.httpHost = settings.crypto.httpHost
        crypto.httpPort = settings.crypto.httpPort
        settings.crypto.access.apply(to: &crypto)
        settings.crypto.limits.apply(to: &crypto)
        crypto.version = KmsdVersion.number
        let metrics = ServiceMetrics()
        let issuing = try await issuing(settings, database, centre, module)
        var console = ConsoleSettings()
        console.host = settings.admin.host
        console.port = settings.admin.port
        let tls = try settings.crypto.access.material(log)
        let admission = Admission(crypto, centre: centre, tls: tls, metrics: metrics, logger: log)
        let hosts = CryptoServer(
            crypto, centre: centre, slowModule: module, metrics: metrics, admission: admission, logger: log)
        let web = CryptoHTTPServer(
            crypto, centre: centre, module: module, responder: hosts.responder, metrics: metrics,
            admission: admission, logger: log)
        var services: [any Service] = [
            KeyCentreService(centre: centre),
            hosts,
            web,
            ConsoleServer(console, centre: centre, issuing: issuing, logger: log),
        ]
        if let tls {
            services.append(web.behind(.https))
            services.append(TLSReload(material: tls, seconds: settings.crypto.access.watchSeconds))
        }
        // In the order of dependence: what stands later is stopped first.
        let run = ServiceRun(
            services: services, metrics: metrics, stopSeconds: crypto.stopSeconds,
            notice: SupervisorNotice.fromEnvironment(), log: log)
        let end: ServiceRun.End
        do { end = try await run.run() } catch { throw CommandFailure("kmsd serve stopped: \(error)") }
        if end == .hastened { throw ExitCode(3) }
        log.notice("stopped")
    }
}

extension ServeCommand {
    /// The card issuing desk at this machine's readers, with the profiles of the configured folder.
    private func issuing(
        _ settings: Settings, _ database: Database, _ centre: KeyCentre, _ module: any SecurityModule
    ) async throws -> CardIssuing {
        let profiles: ProfileLibrary
        do { profiles = try ProfileLibrary(folder: settings.personalization.profiles) } catch {
            throw CommandFailure("A card profile is not usable: \(error)")
        }
        let readers = CardReaders(transmitLimit: .seconds(settings.personalization.transmitSeconds))
        do {
            return try await CardIssuing.open(
                database: database, centre: centre, module: module, cards: .pcsc(readers), profiles: profiles)
        } catch { throw CommandFailure("The issuing desk did not open: \(error.message) [\(error.code)]") }
    }
}

/// Keeps the key directory fresh and the counters flushed for as long as the process lives.
struct KeyCentreService: Service {
    let centre: KeyCentre

    func run() async throws {
        // Being asked to stop is not a failure of this work.
        await cancelWhenGracefulShutdown { [centre] in await centre.run() }
        await centre.stop()
    }
}

/// The one-time token with which the first administrators are made: in a file that only the service's user can read.
enum BootstrapToken {
    static func offer(_ centre: KeyCentre, _ settings: Settings, _ log: Logger) async throws {
        let path = settings.state + "/bootstrap-token"
        let token: String?
        do { token = try await centre.offerBootstrap() } catch {
            throw CommandFailure("The first administrators cannot be offered: \(error.message)")
        }
        guard let token else {
            try? FileManager.default.removeItem(atPath: path)
            return
        }
        // A file that is there already would keep its mode.
        try? FileManager.default.removeItem(atPath: path)
        guard
            FileManager.default.createFile(
                atPath: path, contents: Data(token.utf8), attributes: [.posixPermissions: 0o600])
        else { throw CommandFailure("The bootstrap token cannot be written to \(path).") }
        log.notice("no administrators yet: kmsd admin bootstrap", metadata: ["tokenFile": "\(path)"])
    }
}

/// The private database for those who run `kmsd serve` alone: started where the configuration names no server and nobody
/// answers at the private one's socket.
enum EmbeddedDatabase {
    static func startIfNobodyAnswers(_ settings: Settings, _ log: Logger) async throws -> PrivateServer? {
        guard settings.database.isPrivate, !UnixSocket.answers(settings.database.socket) else { return nil }
        do {
            let server = try await PrivateServer.start(
                .init(stateFolder: DatabaseConnections.folder(settings), socketPath: settings.database.socket))
            log.notice("private database started", metadata: ["socket": "\(server.socketPath)"])
            return server
        } catch { throw CommandFailure("The private database did not start: \(error)") }
    }
}
