import CryptoClient
import HSMBridge
import KMS
import NIOCore

/// `POST /v1/mac/explain`: the fields of the question, and what the module is asked.
enum MACExplainRequest {
    static let algorithms = ["algorithm1", "algorithm3", "cmac", "unionPayECB"]
    static let algorithm = JSONField(
        "algorithm", .choice(algorithms), "as it was asked for: ISO 9797-1 algorithm 1, 3, 5 (CMAC), or UnionPay's")
    static let data = JSONField(
        "data", .hexadecimal(.init(0...ExplainMAC.maximumData)), "what the MAC was thought to cover")
    static let mac = JSONField("mac", .hexadecimal(.init(4...16)), "the MAC that does not match")
    static let vector = JSONField(
        "initial_vector", .hexadecimal(.init(8...8, 16...16)), "one block; zeros where it is missing"
    ).optional
    static let fields: [JSONField] = [
        .key.about("label of a stored key; its other versions are tried too"),
        .factors.about("as the card was diversified; none for a key of its own").optional, algorithm, .padding, data,
        mac,
        vector,
    ]

    static let tried = JSONField("tried", .integer(0...1_000_000), "MACs that were calculated")
    static let words = JSONField("words", .text(1...500), "what is different from the request")
    static let identity = JSONField("key", .text(5...99), "the key version")
    static let matches = JSONField(
        "matches", .list(0...MACExplanation.maximumMatches, .object([words, identity])),
        "readings that match, the nearest to the request first")
    static let explanation = JSONField("explanation", .text(1...600), "the answer in a sentence")
    static let answer: [JSONField] = [.result.about("of the request as it was asked"), explanation, matches, tried]

    /// The command for the key that is asked for and other versions of it.
    static func command(_ body: JSONBody, _ keys: [KeyReference]) -> ExplainMAC {
        let factors = body.list(.factors).map { slot in
            if case .text(let digits) = slot { HexDigits.number(digits) } else { UInt64(0) }
        }
        return ExplainMAC(
            keys: keys, factors: factors,
            algorithm: [.algorithm1, .algorithm3, .cmac, .unionPayECB][body.choice(algorithm) ?? 0],
            padding: [.none, .method1, .method2, .method3][body.choice(.padding) ?? 0],
            initialVector: Array(body.bytes(vector).readableBytesView), data: Array(body.bytes(data).readableBytesView),
            mac: Array(body.bytes(mac).readableBytesView))
    }

    /// The key that was asked for first, then its other versions that may still check something, the highest first.
    static func keys(_ label: String, _ snapshot: Snapshot) throws(KMSError) -> [StoredKey] {
        let identity = KeyIdentity(label)
        guard let name = identity?.name ?? KeyName(label) else { throw .notFound("key \(label)") }
        let versions = snapshot.versions(of: name)
        let asked = identity.map { snapshot.key($0) } ?? snapshot.currentKey(name) ?? versions.first
        guard let asked else { throw .notFound("key \(label)") }
        guard asked.state.mayVerify else {
            throw .keyStateForbids(asked.identity.description, asked.state)
        }
        let others = versions.filter { $0.identity != asked.identity && $0.state.mayVerify }
        return [asked] + others.prefix(ExplainMAC.maximumKeys - 1)
    }

    static func write(_ reply: MACExplanation, _ command: ExplainMAC, _ keys: [StoredKey], _ writer: inout JSONWriter) {
        let words = reply.matches.map { MACReadingWords.words($0, command, keys) }
        let isAsAsked = words.first == ""
        writer.beginObject()
        writer.field(.result, JSONField.verdicts[isAsAsked ? 0 : 1])
        writer.field(explanation, MACReadingWords.sentence(words))
        writer.name(matches.name)
        writer.beginList()
        for (match, words) in zip(reply.matches, words) {
            writer.beginObject()
            writer.field(self.words, words.isEmpty ? "exactly as asked" : words)
            writer.field(identity, keys[min(Int(match.key), keys.count - 1)].identity.description)
            writer.endObject()
        }
        writer.endList()
        writer.name(tried.name)
        writer.value(Int(reply.tried))
        writer.endObject()
    }
}
