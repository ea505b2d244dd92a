import Foundation
import Glibc
import HSMBridge
import Synchronization

/// `kmsd hsm` as a process of its own, as in production; ended by the kernel if this test dies.
final class ModuleProcess: Sendable {
    let socket: String
    let processID: Int32
    private let ended: DispatchSemaphore

    struct Failure: Error, CustomStringConvertible { let description: String }

    /// State, sockets and configuration lie in `folder`. Returns when the module answers.
    static func start(in folder: String) async throws -> ModuleProcess {
        let text = "state: \(folder)/state\nrun: \(folder)\n"
        try Data(text.utf8).write(to: URL(filePath: "\(folder)/kmsd.yaml"))
        return try await withCheckedThrowingContinuation { continuation in
            // The kernel's promise (pdeathsig) hangs on the thread that made the process: one that lives as long as it.
            Thread.detachNewThread { run(folder, continuation) }
        }
    }

    private init(socket: String, processID: Int32, ended: DispatchSemaphore) {
        self.socket = socket
        self.processID = processID
        self.ended = ended
    }

    private static func run(_ folder: String, _ started: CheckedContinuation<ModuleProcess, any Error>) {
        let process = Process()
        let errors = Pipe()
        process.executableURL = URL(filePath: "/usr/bin/setpriv")
        process.arguments = ["--pdeathsig", "KILL", Rack.program, "hsm", "--config", "\(folder)/kmsd.yaml"]
        process.environment = ProcessInfo.processInfo.environment.merging(["SWIFT_BACKTRACE": "enable=no"]) { $1 }
        process.standardError = errors
        process.standardInput = FileHandle.nullDevice
        do { try process.run() } catch { return started.resume(throwing: error) }
        let ended = DispatchSemaphore(value: 0)
        var waiting: CheckedContinuation<ModuleProcess, any Error>? = started
        var said = ""
        while true {
            let data = errors.fileHandleForReading.availableData
            if data.isEmpty { break }
            said += String(decoding: data, as: UTF8.self)
            if let continuation = waiting, said.contains("module ready") {
                waiting = nil
                continuation.resume(
                    returning: ModuleProcess(
                        socket: "\(folder)/hsm.sock", processID: process.processIdentifier, ended: ended))
            }
        }
        waiting?.resume(throwing: Failure(description: "kmsd hsm did not start: \(said)"))
        ended.signal()
    }

    /// Ends the process and waits until it is gone.
    func stop() {
        kill(processID, SIGKILL)
        ended.wait()
    }
}
