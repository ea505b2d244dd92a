import Foundation

/// The published components of a transport key, from Tests/Vectors/components.json.
struct ComponentVector {
    let components: [String]
    let checkValue: String

    static func published(file: String = #filePath) throws -> ComponentVector {
        let folder = URL(filePath: file).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let text = try String(contentsOf: folder.appending(path: "Vectors/components.json"), encoding: .utf8)
        for line in text.split(separator: "\n") where line.contains("8CE396") {
            guard let object = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any],
                let input = object["in"] as? [String: Any], let components = input["components"] as? [String]
            else { continue }
            return ComponentVector(components: components, checkValue: "8CE396")
        }
        throw CocoaError(.fileReadCorruptFile)
    }
}
