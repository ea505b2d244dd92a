import Foundation
import Testing

/// An empty folder of one test, removed with it.
final class TestFolder: Sendable {
    let path: String

    init() throws {
        path = NSTemporaryDirectory() + "kmsd-engine-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func file(_ name: String) -> String { path + "/" + name }

    func bytes(_ name: String) -> [UInt8] { [UInt8](FileManager.default.contents(atPath: file(name)) ?? Data()) }

    func remove(_ name: String) throws { try FileManager.default.removeItem(atPath: file(name)) }

    func write(_ name: String, _ bytes: [UInt8]) throws { try Data(bytes).write(to: URL(fileURLWithPath: file(name))) }
}

/// A module's journal as an auditor reads it.
enum TestJournal {
    /// The fields of the last line with this phase and name.
    static func lastLine(_ event: String, in folder: TestFolder) throws -> [String: String] {
        let lines = String(decoding: folder.bytes("module.journal"), as: UTF8.self).split(separator: "\n")
        let line = try #require(lines.last { $0.contains(" \(event) ") })
        let fields = line.split(separator: " ").compactMap { word -> (String, String)? in
            let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            return parts.count == 2 ? (parts[0], parts[1]) : nil
        }
        return Dictionary(fields) { first, _ in first }
    }
}
