import CryptoClient
import NIOCore

/// A key as a JSON request names it: the label of a stored key, or a key block under the LMK.
enum KeyText {
    /// The two forms for readers of the OpenAPI document: `issuer/product/label`, perhaps `/NN`; or a header of X9.143 and the
    /// rest of its block.
    static let pattern =
        "^([!-.0-~]+/[!-.0-~]+/[!-.0-~]+(/[0-9]{2})?|[0-9A-D][0-9]{4}[0-9A-Z]{4}[0-9A-Zc][0-9A-Z]{6}[ -~]*)$"

    /// The shortest and the longest: `a/b/c`, and a block of four digits of length.
    static let counts = 5...HostKeyReference.maximumBlockLength

    static func isKey(_ text: ByteBuffer) -> Bool {
        counts.contains(text.readableBytes) && (isBlock(text) || isLabel(text))
    }

    /// The key; a label longer than any is one that no key has (21), a block that contradicts its own length is none (83).
    static func reference(_ text: ByteBuffer) throws(Refusal) -> HostKeyReference {
        do throws(FieldError) {
            if isBlock(text) { return try .lmkBlock(String(buffer: text)) }
            guard let label = HostKeyReference(label: text) else { throw FieldError(.indexValue, in: .key) }
            return label
        } catch { throw .host(error.code) }
    }

    /// Sixteen characters of header, without the `/` that every label has among its first ones.
    private static func isBlock(_ text: ByteBuffer) -> Bool {
        let span = text.readableBytesUInt8Span
        guard span.count >= 16 else { return false }
        switch span[0] {
        case 0x30...0x39, 0x41...0x44: break
        default: return false
        }
        for index in 1..<5 where !(0x30...0x39).contains(span[index]) { return false }
        for index in 5..<16 {
            switch span[index] {
            case 0x30...0x39, 0x41...0x5A: continue
            // A component's key version number begins with a small c.
            case 0x63 where index == 9: continue
            default: return false
            }
        }
        return (16..<span.count).allSatisfy { (0x20...0x7E).contains(span[$0]) }
    }

    private static func isLabel(_ text: ByteBuffer) -> Bool {
        let span = text.readableBytesUInt8Span
        var parts = 1
        var start = 0
        for index in span.indices {
            guard (0x21...0x7E).contains(span[index]) else { return false }
            guard span[index] == UInt8(ascii: "/") else { continue }
            guard index > start else { return false }
            parts += 1
            start = index + 1
        }
        let last = span.count - start
        guard last > 0, parts == 4 else { return last > 0 && parts == 3 }
        return last == 2 && (start..<span.count).allSatisfy { (0x30...0x39).contains(span[$0]) }
    }
}
