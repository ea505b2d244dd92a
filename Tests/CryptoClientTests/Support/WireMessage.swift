import Foundation
import NIOCore
import Testing

/// One line of Tests/Vectors/host_cmd_wire.json: a message as a production codec sends it, without length.
struct WireMessage: Decodable, Sendable, CustomTestStringConvertible {
    let id: String
    let kind: String
    let command: String
    let message: String

    enum CodingKeys: String, CodingKey { case id, kind, command, message = "message_hex" }

    var testDescription: String { id }
    /// Without the four characters of header and the two of command.
    var body: ByteBuffer { ByteBuffer(bytes: bytes(message).dropFirst(6)) }
    var framed: ByteBuffer {
        var buffer = ByteBuffer()
        buffer.writeInteger(UInt16(message.count / 2))
        buffer.writeBytes(bytes(message))
        return buffer
    }

    /// Commands of the sample file that this project does not have, and why.
    static let notOurs: [String: String] = [
        "BS": "erases the key change storage of a module that holds two LMKs at a time; ours holds one",
        "JA": "makes a PIN; there are no PIN commands here", "PE": "prints a PIN mailer; likewise",
    ]

    /// The commands this room reads and writes in full.
    var isOurs: Bool { Self.notOurs[command] == nil }

    static let all: [WireMessage] = {
        let file = repository.appending(path: "Tests/Vectors/host_cmd_wire.json")
        guard let text = try? String(contentsOf: file, encoding: .utf8) else { return [] }
        return text.split(separator: "\n").compactMap {
            try? JSONDecoder().decode(WireMessage.self, from: Data($0.utf8))
        }
    }()
}

let repository = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent()
