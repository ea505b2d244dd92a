import Foundation
import Testing

/// The messages of Tests/Vectors/commands.json, whole frames, written by scripts/command-vectors.
struct CommandVector: Decodable, Sendable, CustomTestStringConvertible {
    let id: String
    let request: String
    let answer: String
    var testDescription: String { id }

    static let all: [CommandVector] = {
        let file = repository.appending(path: "Tests/Vectors/commands.json")
        guard let text = try? String(contentsOf: file, encoding: .utf8) else { return [] }
        return text.split(separator: "\n").compactMap {
            try? JSONDecoder().decode(CommandVector.self, from: Data($0.utf8))
        }
    }()
}
