internal import HSMBridge

/// A signed head of the trail: proves to anyone with the public key how far it had come.
public struct AuditCheckpoint: Sendable, Hashable {
    public let node: String
    public let sequence: UInt64
    /// Hash of that record.
    public let head: [UInt8]
    public let time: Timestamp
    /// Identity of the signing key.
    public let key: String
    /// What is signed, to the byte.
    public let message: String
    /// RSA PKCS #1 v1.5 with SHA-256.
    public let signature: [UInt8]
    /// SubjectPublicKeyInfo, DER.
    public let publicKey: [UInt8]

    static func message(node: String, sequence: UInt64, head: [UInt8], time: Timestamp) -> String {
        "kmsd audit checkpoint 1\nnode: \(node)\nsequence: \(sequence)\nhead: \(Hex.encode(head))\ntime: \(time.text)\n"
    }

    var expectedMessage: String { Self.message(node: node, sequence: sequence, head: head, time: time) }

    /// For `openssl dgst -sha256 -verify key.pem -signature checkpoint.sig checkpoint.txt`.
    public var publicKeyPEM: String {
        let text = Array(Self.base64(publicKey).utf8)
        let lines = stride(from: 0, to: text.count, by: 64).map { start in
            String(decoding: text[start..<min(start + 64, text.count)], as: UTF8.self)
        }
        return "-----BEGIN PUBLIC KEY-----\n\(lines.joined(separator: "\n"))\n-----END PUBLIC KEY-----\n"
    }

    private static func base64(_ bytes: [UInt8]) -> String {
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
        var text: [UInt8] = []
        for start in stride(from: 0, to: bytes.count, by: 3) {
            let group = bytes[start..<min(start + 3, bytes.count)]
            let value = group.reduce(0) { $0 << 8 | Int($1) } << (8 * (3 - group.count))
            for index in 0..<4 {
                text.append(index <= group.count ? alphabet[value >> (18 - 6 * index) & 63] : UInt8(ascii: "="))
            }
        }
        return String(decoding: text, as: UTF8.self)
    }
}
