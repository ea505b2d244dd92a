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

    @Test(.enabled(if: hasPython)) func `The document is valid OpenAPI 3.1 for openapi-spec-validator`() async throws {
        let check = OutsideProgram(
            path: Self.python, arguments: ["-m", "openapi_spec_validator", "--schema", "3.1", "-"],
            input: Array(OpenAPIDocument.bytes.readableBytesView))
        let result = try await check.run(withErrors: true)
        #expect(result.status == 0, "\(result.output)")
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
        let environment = ProcessInfo.processInfo.environment.merging(["KMSD_TOKEN": door.token]) { _, new in new }
        // What it keeps between runs goes where nothing is kept of a tree.
        let attack = OutsideProgram(
            path: Self.python,
            arguments: [
                "-m", "schemathesis.cli", "--config-file",
                Self.root.appending(path: "Tests/Schemathesis/schemathesis.toml").path, "run",
                "http://127.0.0.1:\(door.port)/v1/openapi.json",
            ], environment: environment, folder: Self.root.appending(path: "var"))
        let result = try await attack.run(withErrors: true)
        // The whole report, for the one who asked for it.
        FileHandle.standardOutput.write(Data(result.output.utf8))
        #expect(result.status == 0)
    }
}
