import Foundation
import Glibc

/// A reference that is a program of its own: run to its end, its output read.
enum OutsideProgram {
    static func run(
        _ words: [String], environment: [String: String] = [:], errors: Bool = false
    ) throws -> String {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = words
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        let output = Pipe()
        process.standardOutput = output
        process.standardError = errors ? output : FileHandle.nullDevice
        // This thread of the runtime blocks most signals and the program would inherit that: `openssl speed` ends by its alarm.
        var none = sigset_t()
        var mine = sigset_t()
        unsafe sigemptyset(&none)
        unsafe pthread_sigmask(SIG_SETMASK, &none, &mine)
        let started: Void? = try? process.run()
        unsafe pthread_sigmask(SIG_SETMASK, &mine, nil)
        guard started != nil else { throw BenchTrouble("\(words[0]) cannot be run") }
        let text = String(decoding: (try? output.fileHandleForReading.readToEnd()) ?? Data(), as: UTF8.self)
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            throw BenchTrouble("\(words[0]) ended with status \(process.terminationStatus)")
        }
        return text
    }

    /// The number that follows a word in the text.
    static func number(after word: String, in text: String) -> Double? {
        guard let place = text.range(of: word) else { return nil }
        let rest = text[place.upperBound...].drop { !$0.isNumber }
        return Double(rest.prefix { $0.isNumber || $0 == "." })
    }
}
