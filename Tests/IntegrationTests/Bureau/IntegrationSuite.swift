import Foundation
import Glibc
import Testing

/// The real parts together: pcscd and vpcd with virtual cards in the rack of scripts/test, a MariaDB, module sockets.
///
/// One test at a time: they share the readers.
@Suite(.serialized, .enabled(if: Rack.isThere, "needs root and the rack of scripts/test (KMSD_RACK)"), .inBureau)
enum IntegrationTests {}

/// Opens a bureau for a suite and takes everything down after it.
struct BureauScope: SuiteTrait, TestScoping {
    func provideScope(
        for test: Test, testCase: Test.Case?, performing function: @Sendable @concurrent () async throws -> Void
    ) async throws {
        try await TestFolder.with("main") { folder in
            try await TestFolder.with("hsm") { state in
                let home = try ModuleHome(in: state)
                defer { home.stop() }
                let bureau = try await Bureau.open(in: folder, moduleSocket: home.path)
                let result = await Result { () async throws in
                    try await Bureau.$current.withValue(bureau) {
                        try await ModuleHome.$current.withValue(home) { try await function() }
                    }
                }
                await bureau.close()
                try result.get()
            }
        }
    }
}

extension Trait where Self == BureauScope {
    static var inBureau: Self { BureauScope() }
}

extension Result where Failure == any Error {
    /// The outcome of `body`, to be looked at after cleaning up.
    init(_ body: () async throws -> Success) async {
        do { self = .success(try await body()) } catch { self = .failure(error) }
    }
}

/// Short-lived folders with short names (sockets lie in them), gone at the end.
enum TestFolder {
    static func with<T>(_ name: String, _ body: (String) async throws -> T) async throws -> T {
        var pattern = Array("/tmp/kmsd-it-\(name)-XXXXXX".utf8CString)
        guard let made = unsafe mkdtemp(&pattern) else { throw LineSocket.Failure(description: "no room in /tmp") }
        let path = unsafe String(cString: made)
        let result = await Result { () async throws in try await body(path) }
        try? FileManager.default.removeItem(atPath: path)
        return try result.get()
    }
}
