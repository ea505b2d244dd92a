import Foundation
import HSMBridge

@testable import CryptoService

/// Where a fuzzer starts from: the vectors, the messages of docs/protocol.md, one of every command and every route.
///
/// Written beside what the corpus already has; names are numbers, so that those of the last run are overwritten.
enum Seeds {
    static func write(to folder: String) throws {
        for (target, seeds) in [
            ("host-frames", try hostFrames()), ("host-replies", try hostReplies()), ("key-blocks", try keyBlocks()),
            ("module-messages", moduleMessages()), ("module-replies", try moduleReplies()),
            ("http-bodies", try httpBodies()),
        ] {
            let place = URL(filePath: folder).appending(path: target)
            try FileManager.default.createDirectory(at: place, withIntermediateDirectories: true)
            for (number, seed) in seeds.enumerated() {
                try Data(seed).write(to: place.appending(path: "seed-\(number)"))
            }
        }
    }

    // MARK: Host commands

    private static func hostFrames() throws -> [[UInt8]] {
        let framed = try page()
        let messages = try vectors("host_cmd_wire.json").compactMap { $0["message_hex"].flatMap(Hex.decode) }
        let requests = try vectors("commands.json").compactMap { $0["request"].flatMap(Hex.decode) }
        // Header of four bytes, one read.
        let whole = (framed + requests + messages.map { [UInt8($0.count >> 8), UInt8($0.count & 255)] + $0 })
            .map { [0x04] + $0 }
        return whole + [[0x0C] + framed.flatMap(\.self), [0x04, 0, 0], [0x04, 0xFF, 0xFF]]
    }

    private static func hostReplies() throws -> [[UInt8]] {
        // Behind length, header and command; answers and requests alike.
        let answers = try vectors("commands.json").filter { $0["id"] != nil }
            .compactMap { $0["answer"].flatMap(Hex.decode) }
        return try (page() + answers).filter { $0.count > 8 }.map { [0] + $0.dropFirst(8) }
    }

    /// The `wire` blocks of docs/protocol.md.
    private static func page() throws -> [[UInt8]] {
        let text = try String(contentsOf: root.appending(path: "docs/protocol.md"), encoding: .utf8)
        return text.components(separatedBy: "```wire ").dropFirst().map { block in
            block.components(separatedBy: "\n```")[0].components(separatedBy: "\n").dropFirst()
                .flatMap { Hex.decode($0.components(separatedBy: "  ")[0]) ?? [] }
        }
    }

    // MARK: The module

    /// What a module says to the seeds of its messages.
    private static func moduleReplies() throws -> [[UInt8]] {
        let desk = try ModuleDesk()
        return moduleMessages().map { desk.reply(to: $0) }
    }

    // MARK: Key blocks

    private static func keyBlocks() throws -> [[UInt8]] {
        let versions: [Character] = ["A", "B", "C", "D"]
        var seeds: [[UInt8]] = []
        for block in try vectors("tr31.json").compactMap({ $0["block"] }) {
            guard let version = block.first.flatMap({ versions.firstIndex(of: $0) }) else { continue }
            seeds.append([UInt8(version)] + Array(block.utf8))
            let optional = "10060110" + "1010identity9"
            let plain: [UInt8] = [0, 128] + (0..<30).map { UInt8(3 &* $0) }
            for header in [String(block.prefix(16)), block.prefix(12) + "0200" + optional] {
                seeds.append([UInt8(version) | 4, UInt8(header.utf8.count)] + Array(header.utf8) + plain)
            }
        }
        return seeds
    }

    // MARK: HTTP

    /// The example of each operation, the bodies of docs/http.md, and how numbers and characters may be spelt.
    private static func httpBodies() throws -> [[UInt8]] {
        let examples = ServiceRoute.all.map(\.example.request) + [MACExplainDesk.openAPI.example.request]
        let page = try String(contentsOf: root.appending(path: "docs/http.md"), encoding: .utf8)
        let written = page.components(separatedBy: "--json '").dropFirst().map { $0.components(separatedBy: "'")[0] }
        let spelt = ["{\"count\": 80e-1}", " {\"co\\u0075nt\":16.0 ,\"x\":[]}", "[]", "{\"count\":-0.5E+3}"]
        return (examples + written + spelt).map { Array($0.utf8) }
    }

    // MARK: Files

    private static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent()

    private static func vectors(_ name: String) throws -> [[String: String]] {
        let text = try String(contentsOf: root.appending(path: "Tests/Vectors/\(name)"), encoding: .utf8)
        return text.split(separator: "\n").compactMap { line in
            let fields = try? JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
            return fields?.compactMapValues { $0 as? String }
        }
    }
}
