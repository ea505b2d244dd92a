import Foundation
import HSMBridge

/// The messages of docs/protocol.md: whole frames, each under its title.
struct ProtocolPage {
    let messages: [String: [UInt8]]

    static let shared = try? ProtocolPage()

    init(file: String = #filePath) throws {
        let root = URL(filePath: file).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let text = try String(contentsOf: root.appending(path: "docs/protocol.md"), encoding: .utf8)
        var messages: [String: [UInt8]] = [:]
        var title: String?
        for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
            if line.hasPrefix("```wire ") {
                title = String(line.dropFirst(8))
                messages[title ?? ""] = []
            } else if line.hasPrefix("```") {
                title = nil
            } else if let title, let digits = line.split(separator: " ").first {
                messages[title, default: []] += Hex.decode(String(digits)) ?? []
            }
        }
        self.messages = messages
    }
}
