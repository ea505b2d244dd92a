import Foundation

/// Somebody else's program, run to its end.
///
/// It is waited for on a thread of its own: a wait on one of the few threads of the cooperative pool would take it from the very
/// service that the program asks, and two such waits would stop a machine with two processors.
struct Program: Sendable {
    let path: String
    let arguments: [String]
    var folder: String?
    /// Nil: that of the tests.
    var environment: [String: String]?
    var input: String?
    /// Where its complaints are part of a failed test's report.
    var showsErrors = false

    struct Ended: Sendable {
        let status: Int32
        let output: Data

        var text: String { String(decoding: output, as: UTF8.self) }
    }

    init(_ path: String, _ arguments: [String]) {
        self.path = path
        self.arguments = arguments
    }

    func run() async throws -> Ended {
        try await withCheckedThrowingContinuation { ended in
            Thread.detachNewThread { ended.resume(with: Result { try runHere() }) }
        }
    }

    private func runHere() throws -> Ended {
        let process = Process()
        process.executableURL = URL(filePath: path)
        process.arguments = arguments
        if let folder { process.currentDirectoryURL = URL(filePath: folder) }
        if let environment { process.environment = environment }
        let (entry, output) = (Pipe(), Pipe())
        if input == nil { process.standardInput = FileHandle.nullDevice } else { process.standardInput = entry }
        process.standardOutput = output
        if !showsErrors { process.standardError = FileHandle.nullDevice }
        try process.run()
        if let input {
            // The programs here read all before they write.
            try entry.fileHandleForWriting.write(contentsOf: Data(input.utf8))
            try entry.fileHandleForWriting.close()
        }
        let data = try output.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        return Ended(status: process.terminationStatus, output: data)
    }
}
