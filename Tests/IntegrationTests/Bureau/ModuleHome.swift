import Glibc
import HSMBridge
import HSMEngine
import Synchronization

/// A module with a throw-away LMK behind a Unix socket, which can be taken away and come back.
final class ModuleHome: Sendable {
    /// The one that the suite's bureau uses.
    @TaskLocal static var current: ModuleHome?
    let path: String
    private let module: SoftwareModule
    private let server: Mutex<ModuleServer?>

    init(in folder: String) throws {
        path = "\(folder)/hsm.sock"
        module = try SoftwareModule(forTestsWithRandomLMKIn: folder)
        server = Mutex(try ModuleServer(module: module, settings: ModuleServerSettings(path: path)))
    }

    /// Returns when nobody listens at the socket any more.
    func stop() {
        let running = server.withLock { server in
            defer { server = nil }
            return server
        }
        running?.stop()
    }

    func start() throws {
        let next = try ModuleServer(module: module, settings: ModuleServerSettings(path: path))
        server.withLock { $0 = next }
    }
}
