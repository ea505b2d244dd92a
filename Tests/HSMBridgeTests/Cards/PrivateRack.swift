import Foundation
import Glibc
import Testing

/// A rack of this test process alone, with scripted cards in slots 1 (T=1) and 2 (T=0).
///
/// For exit tests: libpcsclite reads `PCSCLITE_CSOCK_NAME` once, so each rack needs a process of its own.
final class PrivateRack {
    static let reader = "Rack 1 00 00"
    static let readerT0 = "Rack 1 00 01"
    /// Namespaces need root, and the virtual readers must be installed.
    static let isPossible =
        geteuid() == 0 && FileManager.default.fileExists(atPath: "/usr/lib/pcsc/drivers/serial/libifdvpcd.so")

    private static let scripts = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .appendingPathComponent("scripts")

    private let folder = "/run/kmsd-test-\(UInt32.random(in: 0 ... .max))"
    private let process = Process()
    private let input = Pipe()
    private let output = Pipe()

    struct Failure: Error, CustomStringConvertible { let description: String }

    /// Starts the rack and hands it to `body`; nothing is left of it afterwards, whatever happens.
    ///
    /// An error becomes an issue: one that leaves an exit test ends it without a word.
    static func run(_ body: (PrivateRack) throws -> Void) {
        do {
            let rack = try begin()
            defer { rack.end() }
            try body(rack)
        } catch {
            Issue.record(error)
        }
    }

    static func begin() throws -> PrivateRack {
        let rack = PrivateRack()
        try rack.start()
        return rack
    }

    private func start() throws {
        let card = Self.scripts.appendingPathComponent("scripted-card").path + " --port %p --control %s --atr "
        process.executableURL = Self.scripts.appendingPathComponent("rack")
        process.arguments = [
            "--folder", folder, "--end-with-input", "--card", "1=\(card)3B80800101", "--card", "2=\(card)3B00",
        ]
        process.standardInput = input
        process.standardOutput = output
        try process.run()
        guard String(decoding: output.fileHandleForReading.availableData, as: UTF8.self).hasPrefix("ready") else {
            throw Failure(description: "the rack did not become ready")
        }
        unsafe setenv("PCSCLITE_CSOCK_NAME", folder + "/pcscd.comm", 1)
    }

    func end() {
        try? input.fileHandleForWriting.close()
        // The rack is gone when its output ends. (Process.waitUntilExit has been seen to hang in exit tests.)
        _ = output.fileHandleForReading.readDataToEndOfFile()
        try? FileManager.default.removeItem(atPath: folder)
    }

    /// Asks the rack itself, e.g. "pcscd kill" or "card 1 stop".
    func tell(_ request: String) throws { try tell(request, socket: "control") }

    /// Asks the card in slot 1, e.g. "pull-after 2".
    func tellCard(_ request: String) throws { try tell(request, socket: "slot-1.control") }

    private func tell(_ request: String, socket name: String) throws {
        let answer = try Self.ask(folder + "/" + name, request)
        guard answer.hasPrefix("ok") else { throw Failure(description: "\(request): \(answer)") }
    }

    /// One line to a Unix socket and the line that comes back.
    private static func ask(_ path: String, _ request: String) throws -> String {
        let socket = Glibc.socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(socket) }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        unsafe withUnsafeMutableBytes(of: &address.sun_path) { room in unsafe room.copyBytes(from: path.utf8) }
        let connected = unsafe withUnsafePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                unsafe connect(socket, pointer, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        guard connected == 0 else { throw Failure(description: "nobody listens at \(path)") }
        let line = Array((request + "\n").utf8)
        guard unsafe write(socket, line, line.count) == line.count else {
            throw Failure(description: "\(path) is closed")
        }
        var answer = [UInt8](repeating: 0, count: 200)
        let count = unsafe read(socket, &answer, answer.count)
        return String(decoding: answer.prefix(max(count, 0)), as: UTF8.self)
    }
}
