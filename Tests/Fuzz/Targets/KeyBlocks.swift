import HSMBridge

@testable import HSMEngine

extension FuzzTarget {
    /// An ANSI X9.143 block as it comes from outside. First byte: version A to D (2 bits) and a bit that says how to go on.
    /// Clear: the rest is the block's text, and only a forger's luck opens it. Set: the rest is length of header 1 | header |
    /// plain text, which is enciphered and authenticated here under the test's key: what is behind the MAC meets any bytes too.
    static let keyBlocks = FuzzTarget(name: "key-blocks") { input in
        guard input.count >= 2 else { return nil }
        let version = versions[Int(input[0] & 3)]
        do throws(KeyBlockError) {
            let protection = try ProtectionKey(version)
            if input[0] & 4 == 0 {
                _ = try protection.key.unwrap(Array(input[1...]))
                return nil
            }
            let headerEnd = min(input.count, 2 + Int(input[1]))
            return try protection.finding(header: Array(input[2..<headerEnd]), plain: Array(input[headerEnd...]))
        } catch {
            return nil
        }
    }

    private static let versions: [KeyBlockHeader.Version] = [.a, .b, .c, .d]
}

/// A key block protection key with a value that everybody knows, and what it is made of.
private struct ProtectionKey {
    let key: KeyBlockKey
    private let version: KeyBlockHeader.Version
    private let parts: KeyBlockDerivation

    init(_ version: KeyBlockHeader.Version) throws(KeyBlockError) {
        self.version = version
        let bytes = (0..<(version == .d ? 32 : 16)).map { UInt8(0x11 &+ 7 &* $0) }
        let secret = try Self.secret(bytes)
        key = try KeyBlockKey(secret, version: version)
        parts = try KeyBlockDerivation(secret, version: version)
    }

    private static func secret(_ bytes: [UInt8]) throws(KeyBlockError) -> SecretBytes {
        do throws(PrimitiveError) { return try SecretBytes(copying: bytes.span) } catch { throw .primitive(error) }
    }

    /// Seals the plain text behind the header and opens the block: refused, or exactly what was put in.
    func finding(header: [UInt8], plain: [UInt8]) throws(KeyBlockError) -> String? {
        let block = version == .d ? 16 : 8
        var plain = plain
        while plain.isEmpty || plain.count % block != 0 { plain.append(0) }
        var header = header
        let macLength = version == .d ? 16 : version == .b ? 8 : 4
        let total = header.count + 2 * (plain.count + macLength)
        guard header.count >= KeyBlockHeader.fixedLength, total <= KeyBlockHeader.maximumBlockLength else { return nil }
        // Version and length would be guessed by hardly any input.
        header[0] = version.rawValue.asciiValue ?? 0
        for (place, digit) in zip(1...4, [total / 1_000, total / 100, total / 10, total]) {
            header[place] = 0x30 + UInt8(digit % 10)
        }
        let opened = try key.unwrap(header + hexadecimal(try sealed(header, plain)))
        let bits = Int(plain[0]) << 8 | Int(plain[1])
        let expected = Array(plain[2..<2 + bits / 8])
        guard opened.key.withBytes({ $0.count == expected.count && Array($0) == expected }) else {
            return "a block opened to another key than went in"
        }
        guard version == .b || version == .d else { return nil }
        let again = try key.unwrap(try key.wrap(opened.key, header: opened.header))
        return again.key.isEqual(to: opened.key) && again.algorithm == opened.algorithm
            ? nil : "a block that was opened and wrapped again holds another key"
    }

    /// Cipher text and MAC as X9.143 makes them.
    private func sealed(_ header: [UInt8], _ plain: [UInt8]) throws(KeyBlockError) -> [UInt8] {
        do throws(PrimitiveError) {
            let secret = try SecretBytes(copying: plain.span)
            switch version {
            case .a, .c:
                let cipher = try parts.encipherment.encipher(.cbc(iv: Array(header[..<8])), secret: secret)
                let mac = try parts.authentication.mac(
                    .iso1TripleDES, padding: .none, over: header + cipher, length: 4)
                return cipher + mac.bytes
            case .b, .d:
                let state = try parts.authentication.macChaining(.cmac, over: header.span)
                let mac = try parts.authentication.mac(
                    .cmac, padding: .none, iv: state, over: plain.span, length: parts.authentication.blockLength)
                return try parts.encipherment.encipher(.cbc(iv: mac.bytes), secret: secret) + mac.bytes
            }
        } catch { throw .primitive(error) }
    }

    private func hexadecimal(_ bytes: [UInt8]) -> [UInt8] { Array(Hex.encode(bytes).utf8) }
}

extension Array where Element == UInt8 {
    fileprivate init(_ span: Span<UInt8>) {
        self.init()
        for index in span.indices { append(span[index]) }
    }
}
