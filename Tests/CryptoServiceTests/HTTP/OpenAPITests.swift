import Foundation
import NIOCore
import Testing

@testable import CryptoService

/// The document, in the eyes of programs that are not ours. `scripts/install-packages` brings them.
struct OpenAPITests {
    private static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent()
    static let python = root.appending(path: "var/python/bin/python").path
    static let hasPython = FileManager.default.isExecutableFile(atPath: python)
    /// `make schemathesis` sets it.
    static let isAsked = ProcessInfo.processInfo.environment["KMSD_SCHEMATHESIS"] == "1"

    /// Runs a program to its end and gives what it said.
    private static func run(
        _ program: String, _ arguments: [String], input: [UInt8] = [], environment: [String: String] = [:]
    ) throws -> (status: Int32, output: String) {
        let process = Process()
        process.executableURL = URL(filePath: program)
        process.arguments = arguments
        process.currentDirectoryURL = root
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { _, new in new }
        let (standardInput, output) = (Pipe(), Pipe())
        process.standardInput = standardInput
        process.standardOutput = output
        process.standardError = output
        try process.run()
        try standardInput.fileHandleForWriting.write(contentsOf: Data(input))
        try standardInput.fileHandleForWriting.close()
        let text = String(decoding: try output.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
        process.waitUntilExit()
        return (process.terminationStatus, text)
    }

    @Test(.enabled(if: hasPython)) func `The document is valid OpenAPI 3.1 for openapi-spec-validator`() throws {
        let (status, output) = try Self.run(
            Self.python, ["-m", "openapi_spec_validator", "--schema", "3.1", "-"],
            input: Array(OpenAPIDocument.bytes.readableBytesView))
        #expect(status == 0, "\(output)")
    }

    @Test func `Every name of an operation is its own, and every example fits its own fields`() throws {
        #expect(Set(ServiceRoute.all.map(\.name)).count == ServiceRoute.all.count)
        #expect(Set(ServiceRoute.all.map(\.path)).count == ServiceRoute.all.count)
        for route in ServiceRoute.all {
            for (text, fields) in [(route.example.request, route.request), (route.example.answer, route.answer)] {
                #expect(throws: Never.self, "\(route.path)") { try JSONBody(.init(string: text), fields) }
            }
        }
    }

    @Test(.enabled(if: isAsked && hasPython)) func `schemathesis finds no violation`() async throws {
        let door = try await HTTPDoor.open.value
        let (status, output) = try Self.run(
            Self.python,
            [
                "-m", "schemathesis.cli", "--config-file", "Tests/Schemathesis/schemathesis.toml", "run",
                "http://127.0.0.1:\(door.port)/v1/openapi.json",
            ], environment: ["KMSD_TOKEN": door.token])
        // The whole report, for the one who asked for it.
        FileHandle.standardOutput.write(Data(output.utf8))
        #expect(status == 0)
    }
}
