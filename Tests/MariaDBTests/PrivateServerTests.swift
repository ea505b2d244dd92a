import Foundation
import Glibc
import Testing

@testable import MariaDB

@Suite struct PrivateServerTests {
    @Test func `a socket path that is too long is refused with its length`() async throws {
        let path = "/tmp/" + String(repeating: "s", count: 103)
        await #expect(throws: PrivateServerError.socketPathTooLong(length: 108)) {
            try await PrivateServer.start(.init(stateFolder: "/tmp/kmsd-never", socketPath: path))
        }
    }

    @Test(arguments: ["relative", "/tmp/a\nb", "/tmp/a\"b", "/tmp/a#b"])
    func `a path that could change the configuration is refused`(_ path: String) async throws {
        await #expect(throws: PrivateServerError.pathRefused(path)) {
            try await PrivateServer.start(.init(stateFolder: path, socketPath: "/tmp/s"))
        }
    }

    @Test func `the server listens on no network, and passwords are in files of their owner alone`() async throws {
        let server = try await TestServer.running()
        try await TestServer.withAdministrator { connection in
            let row = try connection.requireOne("SELECT @@skip_networking AS off, @@socket AS socket")
            #expect(try row.int("off") == 1)
            #expect(try row.text("socket") == server.socketPath)
        }
        let process = try #require(server.processID)
        let arguments = try Data(contentsOf: URL(filePath: "/proc/\(process)/cmdline"))
        let environment = try Data(contentsOf: URL(filePath: "/proc/\(process)/environ"))
        for account in ServerAccount.allCases {
            guard case .file(let path) = server.settings(for: account).password else {
                Issue.record("no password file")
                continue
            }
            let password = try Data(contentsOf: URL(filePath: path)).prefix(48)
            #expect(password.count == 48)
            #expect(arguments.range(of: password) == nil)
            #expect(environment.range(of: password) == nil)
            let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
            #expect(mode == 0o600)
        }
        // Only standard input, output and error came over from us; what else it has open is its own.
        #expect(try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(process)/fd/0") == "/dev/null")
    }

    @Test func `a folder in use is refused, and a stopped server starts again with its data`() async throws {
        let folder = try TestServer.temporaryFolder("again")
        var configuration = PrivateServer.Configuration(stateFolder: "\(folder)/db", socketPath: "\(folder)/s")
        configuration.bufferPoolMegabytes = 16
        configuration.settings = ["innodb-log-file-size": "8M"]
        let server = try await PrivateServer.start(configuration)
        await #expect(throws: PrivateServerError.inUse("\(folder)/db")) { try await PrivateServer.start(configuration) }
        try await TestServer.with(TestServer.administrator(of: server)) { database async throws in
            try await database.plain { try $0.execute("CREATE TABLE kms.kept (id INT PRIMARY KEY)") }
        }
        let process = try #require(server.processID)
        await server.stop()
        #expect(kill(process, 0) != 0)
        // What a killed server leaves behind.
        let stale = FileManager.default.createFile(atPath: "\(folder)/db/mariadbd.pid", contents: Data("1\n".utf8))
        #expect(stale)
        let next = try await PrivateServer.start(configuration)
        try await TestServer.with(TestServer.administrator(of: next)) { database async throws in
            #expect(try await database.read { try $0.query("SELECT * FROM kms.kept").count } == 0)
        }
        await next.stop()
    }

    @Test func `the server ends when its parent is killed`() async throws {
        // The child's folder carries our process number, which the child knows as its parent's.
        let folder = "/tmp/kmsd-mariadb-orphan-\(getpid())"
        // Process numbers start anew in each namespace: a killed run may have left this folder.
        try? FileManager.default.removeItem(atPath: folder)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        await #expect(processExitsWith: .signal(SIGKILL)) {
            let folder = "/tmp/kmsd-mariadb-orphan-\(getppid())"
            _ = unsafe mkdir(folder, 0o700)
            let server = try await PrivateServer.start(.init(stateFolder: "\(folder)/db", socketPath: "\(folder)/s"))
            try "\(server.processID ?? 0)".write(toFile: "\(folder)/process", atomically: true, encoding: .utf8)
            kill(getpid(), SIGKILL)
        }
        let process = try #require(pid_t(String(contentsOfFile: "\(folder)/process", encoding: .utf8)))
        try #require(process > 0)
        let deadline = ContinuousClock.now + .seconds(30)
        while kill(process, 0) == 0, ContinuousClock.now < deadline { usleep(20_000) }
        #expect(kill(process, 0) != 0)
        if kill(process, 0) == 0 { kill(process, SIGKILL) }
    }

    @Test func `the accounts for an administrator's own server are the ones that we make`() throws {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let text = try String(contentsOf: root.appending(path: "conf/sql/accounts.sql"), encoding: .utf8)
        let code = text.split(separator: "\n").filter { !$0.hasPrefix("--") }.joined(separator: " ")
        #expect(
            code.split(separator: ";").map(words).filter { !$0.isEmpty }
                == ServerAccount.provisioning.map { words($0.text[...]) })
    }

    private func words(_ text: Substring) -> [Substring] {
        text.split { $0 == " " || $0 == "\n" }
    }
}
