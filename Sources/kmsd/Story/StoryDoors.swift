import Foundation

/// What a step of the story expected and did not get.
struct StoryMismatch: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}

func expect(_ condition: Bool, _ sentence: @autoclosure () -> String) throws {
    if !condition { throw StoryMismatch(sentence()) }
}

/// The command-line door: runs this program (or another) as a person would, feeding typed lines to its standard input.
struct StoryDoors: Sendable {
    let config: String?
    let desk: String
    let program: String

    init(config: String?, desk: String) throws {
        self.config = config
        self.desk = desk
        program = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
    }

    struct Outcome: Sendable {
        let status: Int32
        let output: Data
        let complaint: String

        /// The output as a JSON object.
        func object() throws -> [String: Any] {
            guard let object = try JSONSerialization.jsonObject(with: output) as? [String: Any] else {
                throw StoryMismatch("the command did not print a JSON object")
            }
            return object
        }

        func text(_ name: String) throws -> String {
            let object = try object()
            guard let value = object[name] as? String else {
                throw StoryMismatch("no \(name) in \(object.keys.sorted())")
            }
            return value
        }
    }

    /// Runs a verb that must succeed.
    @discardableResult
    func kmsd(_ words: [String], typing lines: [String] = [], as name: String? = nil) async throws -> Outcome {
        let outcome = try await attempt(words, typing: lines, as: name)
        guard outcome.status == 0 else {
            throw StoryMismatch("kmsd \(words.prefix(3).joined(separator: " ")) failed: \(outcome.complaint)")
        }
        return outcome
    }

    /// Runs a verb that must be refused, and gives the refusal.
    func refusal(_ words: [String], typing lines: [String] = [], as name: String? = nil) async throws -> String {
        let outcome = try await attempt(words, typing: lines, as: name)
        try expect(
            outcome.status != 0, "kmsd \(words.prefix(3).joined(separator: " ")) should have been refused and was not")
        return outcome.complaint
    }

    /// Runs a verb and gives whatever comes.
    func attempt(_ words: [String], typing lines: [String] = [], as name: String? = nil) async throws -> Outcome {
        var arguments = words + ["--json"]
        if let config { arguments += ["--config", config] }
        if let name { arguments += ["--as", name] }
        return try await run(program, arguments, typing: lines)
    }

    /// Runs any program; its output is limited by what its pipe readers take, not by a pipe's size.
    func run(_ path: String, _ arguments: [String], typing lines: [String] = []) async throws -> Outcome {
        let process = Process()
        process.executableURL = URL(filePath: path)
        process.arguments = arguments
        var environment = ProcessInfo.processInfo.environment
        environment["KMSD_SESSIONS"] = desk + "/sessions"
        environment["KMSD_LANG"] = "en"
        process.environment = environment
        let (input, output, complaints) = (Pipe(), Pipe(), Pipe())
        process.standardInput = input
        process.standardOutput = output
        process.standardError = complaints
        try process.run()
        async let printed = Self.readAll(output)
        async let complained = Self.readAll(complaints)
        let typed = lines.map { $0 + "\n" }.joined()
        try? input.fileHandleForWriting.write(contentsOf: Data(typed.utf8))
        try? input.fileHandleForWriting.close()
        let (result, text) = (await printed, await complained)
        let ended = process
        let status = await withCheckedContinuation { continuation in
            DispatchQueue.global().async {
                ended.waitUntilExit()
                continuation.resume(returning: ended.terminationStatus)
            }
        }
        return Outcome(
            status: status, output: result,
            complaint: String(decoding: text, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
                .replacingOccurrences(of: "Error: ", with: ""))
    }

    private static func readAll(_ pipe: Pipe) async -> Data {
        let handle = pipe.fileHandleForReading
        return await withCheckedContinuation { continuation in
            DispatchQueue.global().async { continuation.resume(returning: (try? handle.readToEnd()) ?? Data()) }
        }
    }
}
