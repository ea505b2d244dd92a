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
        var check = Program(Self.python, ["-m", "openapi_spec_validator", "--schema", "3.1", "-"])
        check.input = String(buffer: OpenAPIDocument.bytes)
        check.showsErrors = true
        let result = try await check.run()
        #expect(result.status == 0, "\(result.text)")
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
        var attack = Program(
            Self.python,
            [
                "-m", "schemathesis.cli", "--config-file",
                Self.root.appending(path: "Tests/Schemathesis/schemathesis.toml").path, "run",
                "http://127.0.0.1:\(door.port)/v1/openapi.json",
            ])
        attack.environment = environment
        // What it keeps between runs goes where nothing is kept of a tree.
        attack.folder = Self.root.appending(path: "var").path
        attack.showsErrors = true
        let result = try await attack.run()
        // The whole report, for the one who asked for it.
        FileHandle.standardOutput.write(result.output)
        #expect(result.status == 0)
    }
}
