import FoundationEssentials
import Testing

@testable import CardSimulator

/// One line of a vector file.
struct Vector: Decodable {
    let id: String
    let algo: String
    let `in`: [String: Value]
    let expect: String

    enum Value: Decodable {
        case text(String), list([String])

        init(from decoder: any Decoder) throws {
            let container = try decoder.singleValueContainer()
            if let list = try? container.decode([String].self) {
                self = .list(list)
            } else {
                self = .text(try container.decode(String.self))
            }
        }
    }

    func bytes(_ name: String) throws -> [UInt8] {
        guard case .text(let text) = `in`[name] else { throw VectorMissing(name: "\(id) \(name)") }
        return try hex(text)
    }

    func lists(_ name: String) throws -> [[UInt8]] {
        guard case .list(let list) = `in`[name] else { throw VectorMissing(name: "\(id) \(name)") }
        return try list.map { try hex($0) }
    }

    static func file(_ name: String) throws -> [String: Vector] {
        let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        let data = try Data(contentsOf: folder.appending(path: "Vectors").appending(path: name))
        var vectors: [String: Vector] = [:]
        for line in data.split(separator: 0x0A) where line.contains(0x7B) {
            let vector = try JSONDecoder().decode(Vector.self, from: Data(line))
            vectors[vector.id] = vector
        }
        return vectors
    }
}

struct VectorMissing: Error { let name: String }

extension [String: Vector] {
    func named(_ id: String) throws -> Vector {
        guard let vector = self[id] else { throw VectorMissing(name: id) }
        return vector
    }
}

func hex(_ text: String) throws -> [UInt8] { try #require([UInt8](hex: text)) }

extension SmartCard {
    /// Sends a command written in hex (blanks allowed) and gives the whole answer in hex.
    @discardableResult
    mutating func send(_ command: String) throws -> String { respond(to: try hex(command)).hex }

    /// Sends a command that must answer 9000; gives the data.
    @discardableResult
    mutating func good(
        _ command: String, sourceLocation: SourceLocation = #_sourceLocation
    ) throws -> [UInt8] {
        let answer = respond(to: try hex(command))
        try #require(Array(answer.suffix(2)).hex == "9000", "\(command)", sourceLocation: sourceLocation)
        return Array(answer.dropLast(2))
    }

    /// Sends a command after fetching a challenge, with the line MAC that belongs to it; gives the answer in hex.
    mutating func sealed(
        _ header: String, _ data: [UInt8], key: [UInt8], le: String = "", spoil: Bool = false
    ) throws -> String {
        let iv = try good("0084000004") + [0, 0, 0, 0]
        let head = try hex(header) + [UInt8(data.count + 4)] + data
        var mac = try #require(CardCipher(key)).mac(head, iv: iv)
        if spoil { mac[3] ^= 1 }
        return respond(to: head + mac + (try hex(le))).hex
    }

    /// Sends `Ld | data`, enciphered under the key, with its line MAC.
    mutating func enciphered(
        _ header: String, _ data: [UInt8], key: [UInt8], spoil: Bool = false
    ) throws -> String {
        try sealed(header, try cipherOf(data, key: key), key: key, spoil: spoil)
    }

    /// EXTERNAL AUTHENTICATE under the key; gives the answer in hex.
    mutating func authenticate(_ id: String, key: [UInt8], spoil: Bool = false) throws -> String {
        let challenge = try good("0084000004") + [0, 0, 0, 0]
        var cryptogram = try #require(CardCipher(key)).encrypt(challenge)
        if spoil { cryptogram[0] ^= 1 }
        return try send("008200\(id)08" + cryptogram.hex)
    }

    /// The PSAM's encrypted key load; gives the answer in hex.
    mutating func loadKey(_ header: String, _ key: String, under control: [UInt8], spoil: Bool = false) throws -> String
    {
        let plain = try hex("13" + header + key + "80000000")
        let cipher = try #require(CardCipher(control)).encrypt(plain)
        return try sealed("84D40000", cipher, key: control, spoil: spoil)
    }
}

func cipherOf(_ data: [UInt8], key: [UInt8]) throws -> [UInt8] {
    var plain = [UInt8(data.count)] + data
    if plain.count % 8 != 0 { plain.append(0x80) }
    while plain.count % 8 != 0 { plain.append(0) }
    return try #require(CardCipher(key)).encrypt(plain)
}
