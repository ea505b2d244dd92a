import Foundation
import Testing

/// docs/protocol.md as the tests read it: its `wire` blocks and its table of error codes.
enum ProtocolPage {
    /// One block: its title and the bytes of the message, length included.
    struct Message: Sendable, CustomTestStringConvertible {
        let title: String
        let bytes: [UInt8]

        var testDescription: String { title }
    }

    static let text = (try? String(contentsOf: repository.appending(path: "docs/protocol.md"), encoding: .utf8)) ?? ""

    /// Each line of a block begins with hexadecimal digits; two spaces and words may follow.
    static let messages: [Message] = text.components(separatedBy: "```wire ").dropFirst().map { block in
        let lines = block.components(separatedBy: "\n```")[0].components(separatedBy: "\n")
        return Message(
            title: lines[0], bytes: lines.dropFirst().flatMap { bytes($0.components(separatedBy: "  ")[0]) })
    }

    /// The first column of section 14.
    static let commands: [String] = (text.components(separatedBy: "\n## 14").last ?? "").components(separatedBy: "\n")
        .filter { $0.hasPrefix("| ") && !$0.hasPrefix("| command") }
        .map { String($0.dropFirst(2).prefix(2)) }

    /// Code and meaning, from the rows of section 8.
    static let codes: [[String]] = (text.components(separatedBy: "\n## 8").last ?? "")
        .components(separatedBy: "\n## ")[0].components(separatedBy: "\n")
        .filter { $0.hasPrefix("| ") }.dropFirst()
        .map { $0.dropFirst(2).dropLast(2).components(separatedBy: " | ") }
}
