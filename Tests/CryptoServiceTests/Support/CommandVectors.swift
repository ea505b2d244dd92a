import Foundation
import HSMBridge

@testable import KMS

/// Tests/Vectors/commands.json: keys, and whole messages with the answers that other people's libraries give. Written by
/// scripts/command-vectors.
enum CommandVectors {
    struct Key: Sendable {
        let name: KeyName
        let attributes: KeyAttributes
        let value: String
    }

    struct Message: Sendable {
        let id: String
        let request: [UInt8]
        let answer: [UInt8]
    }

    /// A command that makes a key block, which is another each time, and a message that uses it: `before` | block | `after`.
    struct Made: Sendable {
        let id: String
        let request: [UInt8]
        let checkValue: String
        let before: [UInt8]
        let after: [UInt8]
        /// From its code on.
        let answer: [UInt8]
    }

    private struct Line: Decodable {
        var key, usage, algorithm, mode, value, id, request, answer, made, check, before, after: String?
        var levels: Int?
    }

    static let keys: [Key] = lines.compactMap { line in
        guard let name = line.key.flatMap({ KeyName($0) }), let usage = line.usage.flatMap({ KeyUsage(rawValue: $0) }),
            let algorithm = line.algorithm.flatMap({ KeyAlgorithm(name: $0) }),
            let mode = line.mode?.first.flatMap({ ModeOfUse(rawValue: $0) }), let value = line.value
        else { return nil }
        let attributes = KeyAttributes(
            usage: usage, algorithm: algorithm, mode: mode, exportability: .exportable, levels: line.levels)
        return Key(name: name, attributes: attributes, value: value)
    }

    static let messages: [Message] = lines.compactMap { line in
        guard let id = line.id, let request = line.request.flatMap({ Hex.decode($0) }),
            let answer = line.answer.flatMap({ Hex.decode($0) })
        else { return nil }
        return Message(id: id, request: request, answer: answer)
    }

    static let made: [Made] = lines.compactMap { line in
        guard let id = line.made, let request = line.request.flatMap({ Hex.decode($0) }), let check = line.check,
            let before = line.before.flatMap({ Hex.decode($0) }), let after = line.after.flatMap({ Hex.decode($0) }),
            let answer = line.answer.flatMap({ Hex.decode($0) })
        else { return nil }
        return Made(id: id, request: request, checkValue: check, before: before, after: after, answer: answer)
    }

    private static let lines: [Line] = {
        let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../Vectors")
        guard let text = try? String(contentsOf: folder.appending(path: "commands.json"), encoding: .utf8) else {
            return []
        }
        return text.split(separator: "\n").compactMap { try? JSONDecoder().decode(Line.self, from: Data($0.utf8)) }
    }()
}
