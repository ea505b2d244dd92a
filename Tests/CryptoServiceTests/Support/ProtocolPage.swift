import Foundation
import HSMBridge

/// The messages of docs/protocol.md: whole frames, each under its title, with the values that the keys of these tests give.
struct ProtocolPage {
    /// Value on the page and value under the keys of `World`, both computed by one script with pycryptodome 3.x, which gives
    /// the page's values for the page's keys.
    static let values: [(page: String, here: String)] = [
        ("08D7B4", "8E6716"), ("A1C72E74", "C5B780D7"), ("0B2E73F88DC5856A", "4EA305D774CF37B4"),
        ("4539CBEC", "94DC7FAD"), ("5FBFE8E4", "1082AB41"), ("635669B8", "95172757"), ("921F3805", "2FA2858A"),
        ("A5BFC821", "F47F70FE"), ("913D30", "EFD5E1"),
    ]

    let messages: [String: [UInt8]]

    static let shared = try? ProtocolPage()

    /// The whole page.
    static func text(file: String = #filePath) throws -> String {
        let root = URL(filePath: file).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
            .deletingLastPathComponent()
        return try String(contentsOf: root.appending(path: "docs/protocol.md"), encoding: .utf8)
    }

    init() throws {
        let text = try Self.text()
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
        self.messages = messages.mapValues(Self.translated)
    }

    /// Each value stands there in bytes or in digits.
    private static func translated(_ message: [UInt8]) -> [UInt8] {
        var hexadecimal = Hex.encode(message)
        for (page, here) in values {
            hexadecimal = hexadecimal.replacing(page, with: here)
            hexadecimal = hexadecimal.replacing(Hex.encode(Array(page.utf8)), with: Hex.encode(Array(here.utf8)))
        }
        return Hex.decode(hexadecimal) ?? []
    }
}
