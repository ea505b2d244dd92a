import Foundation
import HSMBridge
import Testing

@testable import HSMEngine

/// One line of a file in Tests/Vectors: published inputs and the expected value, all texts.
struct Vector: Sendable, CustomTestStringConvertible {
    let id: String
    let algorithm: String
    let fields: [String: String]
    let lists: [String: [String]]
    let expect: String

    var testDescription: String { id }

    func bytes(_ name: String) throws -> [UInt8] {
        let text = try #require(fields[name], "no field \(name)")
        return try #require(Hex.decode(text))
    }

    func number(_ name: String) throws -> UInt64 {
        try #require(fields[name].flatMap { UInt64($0, radix: 16) })
    }

    func key(_ name: String, _ algorithm: KeyAlgorithm? = nil) throws -> OpenKeySchedule {
        try openKey(try bytes(name), algorithm)
    }

    /// The `data` field as hexadecimal, or the `ascii` field as it stands.
    func message() throws -> [UInt8] {
        if let text = fields["ascii"] ?? fields["msg_ascii"] { return Array(text.utf8) }
        return try bytes("data")
    }

    /// Every line of a file whose id starts with `prefix`.
    static func all(_ file: String, _ prefix: String = "") -> [Vector] {
        let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../Vectors")
        guard let text = try? String(contentsOf: folder.appending(path: file), encoding: .utf8) else { return [] }
        return text.split(separator: "\n").compactMap { line in
            guard let object = try? JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any],
                let id = object["id"] as? String, id.hasPrefix(prefix)
            else { return nil }
            let inputs = object["in"] as? [String: Any] ?? object
            return Vector(
                id: id, algorithm: object["algo"] as? String ?? "",
                fields: inputs.compactMapValues { $0 as? String }, lists: inputs.compactMapValues { $0 as? [String] },
                expect: object["expect"] as? String ?? "")
        }
    }
}

/// A published test key: these are no secrets, so they may lie in an array here.
func openKey(_ bytes: [UInt8], _ algorithm: KeyAlgorithm? = nil) throws -> OpenKeySchedule {
    let natural: KeyAlgorithm = bytes.count == 8 ? .des : bytes.count == 16 ? .tripleDES2 : .tripleDES3
    return try OpenKeySchedule(try SecretBytes(copying: bytes.span), algorithm: algorithm ?? natural)
}

extension SecretBytes {
    /// Test values only.
    func revealed() -> [UInt8] { withBytes { span in (0..<span.count).map { span[$0] } } }
}
