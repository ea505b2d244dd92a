import Foundation
import Testing

/// The house rules that a program can check. Each message names what to do instead.
@Suite struct TidyTests {
    /// Files that may be longer, with the reason.
    static let longFiles: Set<String> = []

    @Test func `a file is one idea and at most 400 lines`() {
        for file in SourceTree.sources where !Self.longFiles.contains(file.path) {
            #expect(file.lines.count <= 401, "\(file.path) has \(file.lines.count) lines: split it by idea")
        }
    }

    @Test func `no line is longer than 140 columns`() {
        for file in SourceTree.files {
            for (index, line) in file.lines.enumerated() where line.count > 140 && !line.contains("http") {
                let isText = line.contains("\"") || line.contains("<")
                #expect(isText, "\(file.path):\(index + 1) has \(line.count) columns")
            }
        }
    }

    @Test func `types are nouns of the field`() throws {
        let banned = try Regex(#"(class|struct|enum|actor|protocol) \w*(Manager|Helper|Helpers|Util|Utils|Utility)\b"#)
        for file in SourceTree.sources {
            for (index, line) in file.lines.enumerated() where line.contains(banned) {
                Issue.record("\(file.path):\(index + 1): name what it is in the words of the field")
            }
        }
    }

    /// Words that stand for unfinished or unsafe work, with what to use instead.
    static let bannedInSources: [(text: String, use: String, allowed: [String])] = [
        ("try!", "a typed error", []),
        ("fatalError(", "a precondition with a sentence, or an error", []),
        ("FIXME", "an issue", []),
        ("TODO", "an issue", []),
        ("nonisolated(unsafe)", "Mutex or Atomic", []),
        ("for unsafe ", "indices (swift format breaks this form)", []),
        ("import XCTest", "Swift Testing", []),
    ]

    @Test func `banned words do not stand in the sources`() {
        for file in SourceTree.sources {
            for (index, line) in file.lines.enumerated() {
                for rule in Self.bannedInSources where line.contains(rule.text) && !rule.allowed.contains(file.path) {
                    Issue.record("\(file.path):\(index + 1): `\(rule.text)` is banned, use \(rule.use)")
                }
            }
        }
    }

    @Test func `rooms do not print`() {
        for file in SourceTree.sources where file.room != "kmsd" {
            for (index, line) in file.lines.enumerated() {
                let prints = line.contains(" print(") && !line.trimmingCharacters(in: .whitespaces).hasPrefix("//")
                #expect(!prints, "\(file.path):\(index + 1): only kmsd speaks to the terminal")
            }
        }
    }

    @Test func `tests do not sleep`() {
        let words = ["Task.sleep", "usleep(", "Thread.sleep", " sleep("]
        for file in SourceTree.files where file.isTest && !file.path.contains("HouseTests") {
            for (index, line) in file.lines.enumerated() where words.contains(where: line.contains) {
                // A bounded poll of a condition waits for the thing itself.
                if line.contains("while ") { continue }
                Issue.record("\(file.path):\(index + 1): wait for the thing itself, not for time")
            }
        }
    }

    @Test func `every vector names its source`() throws {
        let folder = SourceTree.root.appending(path: "Tests/Vectors")
        let names = try FileManager.default.contentsOfDirectory(atPath: folder.path).filter { $0.hasSuffix(".json") }
        #expect(!names.isEmpty)
        for name in names {
            let text = try String(contentsOf: folder.appending(path: name), encoding: .utf8)
            for (index, line) in text.split(separator: "\n").enumerated() {
                let object = try #require(
                    try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any], "\(name):\(index + 1)")
                #expect(object["source"] is String, "\(name):\(index + 1) has no source")
            }
        }
    }

    @Test func `no path of a development machine stands in the project`() throws {
        let roots = ["/root/", "/home/", "/Users/"]
        for file in SourceTree.files where !file.path.contains("HouseTests") {
            for (index, line) in file.lines.enumerated() where roots.contains(where: line.contains) {
                Issue.record("\(file.path):\(index + 1) names a home folder")
            }
        }
    }
}
