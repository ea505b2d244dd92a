import Foundation
import HSMBridge

/// A message of Tests/Vectors/host_cmd_wire.json: header, command and fields, without length.
enum WireSample {
    static func message(_ id: String, file: String = #filePath) -> [UInt8]? {
        let root = URL(filePath: file).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent()
        let path = root.appending(path: "Tests/Vectors/host_cmd_wire.json")
        guard let text = try? String(contentsOf: path, encoding: .utf8) else { return nil }
        for line in text.split(separator: "\n") where line.contains("\"\(id)\"") {
            let object = try? JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
            if object?["id"] as? String == id { return (object?["message_hex"] as? String).flatMap { Hex.decode($0) } }
        }
        return nil
    }
}
