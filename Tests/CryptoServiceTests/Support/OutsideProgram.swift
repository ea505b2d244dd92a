import Foundation

/// A program that is not ours, run to its end on a thread of its own: waiting for it would hold up the threads on which tests and the
/// service share their work.
struct OutsideProgram: Sendable {
    let path: String
    var arguments: [String] = []
    var environment: [String: String]?
    var folder: URL?
    var input: [UInt8] = []

    struct Result: Sendable {
        let status: Int32
        let output: String
    }

    /// What it says on standard output and, if wished, on standard error.
    func run(withErrors: Bool = false) async throws -> Result {
        try await withCheckedThrowingContinuation { continuation in
            Thread.detachNewThread { continuation.resume(with: Swift.Result { try wait(withErrors) }) }
        }
    }

    private func wait(_ withErrors: Bool) throws -> Result {
        let process = Process()
        process.executableURL = URL(filePath: path)
        process.arguments = arguments
        if let environment { process.environment = environment }
        if let folder { process.currentDirectoryURL = folder }
        let (standardInput, output) = (Pipe(), Pipe())
        process.standardInput = standardInput
        process.standardOutput = output
        if withErrors { process.standardError = output }
        try process.run()
        try standardInput.fileHandleForWriting.write(contentsOf: Data(input))
        try standardInput.fileHandleForWriting.close()
        let text = String(decoding: try output.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
        process.waitUntilExit()
        return Result(status: process.terminationStatus, output: text)
    }
}
