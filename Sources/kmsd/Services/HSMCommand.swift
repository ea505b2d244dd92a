import ArgumentParser
import FoundationEssentials
import Glibc
import HSMBridge
import HSMEngine
import Logging
import UnixSignals

/// `kmsd hsm`: the software security module, the one process in which clear keys exist.
struct HSMCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "hsm", abstract: "Run the software security module (no network, no database; one Unix socket).",
        discussion: """
            Start it with SWIFT_BACKTRACE=enable=no in the environment: a crash of the Swift runtime would otherwise print
            memory. The units in conf/systemd do so.
            """)
    @OptionGroup var common: CommonOptions
    @Flag(help: "Start although SWIFT_BACKTRACE is not set. For development on virtual cards only.")
    var allowBacktraces = false

    func run() async throws {
        let hardening = ProcessHardening.apply()
        guard ProcessHardening.backtracesAreOff || allowBacktraces else {
            throw CommandFailure(
                "SWIFT_BACKTRACE=enable=no is not in the environment: a crash could print keys. Not started.")
        }
        let settings = try await common.settings()
        let log = ServiceLog.make("hsm", settings)
        for gap in hardening.missing { log.warning("hardening", metadata: ["missing": "\(gap)"]) }
        let folder = settings.state + "/hsm"
        try ServiceFolder.make(folder)
        try ServiceFolder.make(settings.run)
        let module = SoftwareModule(ModuleSettings(stateFolder: folder, readers: .pcsc(CardReaders())))
        var serverSettings = ModuleServerSettings(path: settings.hsm.socket)
        serverSettings.mode = settings.hsm.socketMode
        if !settings.hsm.calculationUsers.isEmpty {
            serverSettings.calculationUsers = Set(settings.hsm.calculationUsers)
        }
        if !settings.hsm.ceremonyUsers.isEmpty { serverSettings.managementUsers = Set(settings.hsm.ceremonyUsers) }
        let server: ModuleServer
        do { server = try ModuleServer(module: module, settings: serverSettings) } catch {
            throw CommandFailure("The module's socket \(settings.hsm.socket) cannot be opened: \(error)")
        }
        let status = try await atModule { () async throws(ModuleRefusal) in try await module.execute(GetStatus()) }
        log.notice(
            "module ready",
            metadata: [
                "state": "\(status.state.name)", "selfTests": "\(status.selfTestsPassed)",
                "socket": "\(settings.hsm.socket)",
            ])
        await ServiceSignals.waitForStop()
        server.stop()
        log.notice("module stopped")
    }
}

/// Folders of a service: made private, never loosened.
enum ServiceFolder {
    static func make(_ path: String) throws {
        do {
            try FileManager.default.createDirectory(
                atPath: path, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        } catch {
            throw CommandFailure("The folder \(path) cannot be made: \(error)")
        }
    }
}

enum ServiceSignals {
    /// Returns at the first SIGTERM or SIGINT.
    static func waitForStop() async {
        for await _ in await UnixSignalsSequence(trapping: .sigterm, .sigint) { return }
    }
}
