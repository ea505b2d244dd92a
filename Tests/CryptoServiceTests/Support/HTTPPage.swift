import Foundation

/// The examples of docs/http.md: what a shell runs, and what comes out, with the values that the keys of these tests give.
struct HTTPPage {
    struct Example {
        /// Lines for the shell.
        let commands: String
        /// JSON; nil where the commands answer nothing.
        let answer: String?
    }

    let text: String
    let examples: [Example]

    init(file: String = #filePath) throws {
        let root = URL(filePath: file).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent()
        var text = try String(contentsOf: root.appending(path: "docs/http.md"), encoding: .utf8)
        for (page, here) in ProtocolPage.values { text = text.replacing(page, with: here) }
        self.text = text
        var blocks: [(language: String, lines: [Substring])] = []
        var isInside = false
        for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
            if line.hasPrefix("```") {
                isInside.toggle()
                if isInside { blocks.append((String(line.dropFirst(3)), [])) }
            } else if isInside {
                blocks[blocks.count - 1].lines.append(line)
            }
        }
        examples = blocks.indices.compactMap { index in
            guard blocks[index].language == "sh" else { return nil }
            let next = index + 1 < blocks.count && blocks[index + 1].language == "json" ? blocks[index + 1] : nil
            return Example(
                commands: blocks[index].lines.joined(separator: "\n"), answer: next?.lines.joined(separator: "\n"))
        }
    }

    /// Whether an answer is the one printed: the same names in the same places, the same values; `…` stands for anything.
    static func matches(_ printed: Any, _ answer: Any) -> Bool {
        switch (printed, answer) {
        case (let printed as [String: Any], let answer as [String: Any]):
            printed.keys == answer.keys
                && printed.allSatisfy { name, value in answer[name].map { matches(value, $0) } ?? false }
        case (let printed as [Any], let answer as [Any]):
            printed.count == answer.count && zip(printed, answer).allSatisfy { matches($0, $1) }
        case (let printed as String, let answer as String):
            printed == answer || printed.hasSuffix("…") && answer.hasPrefix(printed.dropLast())
        // A count that is 0 on the page is whatever it is.
        case (let printed as NSNumber, let answer as NSNumber): printed == answer || printed == 0
        default: false
        }
    }
}
