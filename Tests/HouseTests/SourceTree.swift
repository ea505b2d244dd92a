import Foundation

/// The project's own files, as the house tests read them.
struct SourceTree {
    struct File {
        /// Path from the project's root.
        let path: String
        let lines: [Substring]
        var room: String { String(path.split(separator: "/")[1]) }
        var isTest: Bool { path.hasPrefix("Tests/") }
    }

    static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    static let files: [File] = ["Sources", "Tests"].flatMap { (folder: String) -> [File] in
        let base: URL = root.appending(path: folder)
        let names = FileManager.default.enumerator(atPath: base.path)?.allObjects.compactMap { $0 as? String } ?? []
        return names.filter { $0.hasSuffix(".swift") }.sorted().compactMap { name in
            guard let text = try? String(contentsOf: base.appending(path: name), encoding: .utf8) else { return nil }
            return File(path: "\(folder)/\(name)", lines: text.split(separator: "\n", omittingEmptySubsequences: false))
        }
    }

    static let sources = files.filter { !$0.isTest }

    /// The module that an `import` line names; nil for other lines.
    static func importedModule(_ line: Substring) -> String? {
        var words = line.split(separator: " ")
        while let first = words.first,
            first.hasPrefix("@") || ["public", "internal", "private", "package"].contains(first)
        {
            words.removeFirst()
        }
        guard words.first == "import", words.count >= 2 else { return nil }
        let name = ["struct", "class", "enum", "func", "protocol"].contains(String(words[1])) ? words[2] : words[1]
        return String(name.split(separator: ".")[0])
    }
}
