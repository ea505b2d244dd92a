import HSMBridge

/// What a key block held. The key of an `R` block is PKCS#1 DER: RSAPublicKey where its mode is to verify, else RSAPrivateKey.
struct OpenedKeyBlock: ~Copyable {
    let header: KeyBlockHeader
    let algorithm: KeyAlgorithm
    let key: SecretBytes
}

/// A key block protection key (the LMK, or a transport key) with its enciphering and MAC keys ready: ANSI X9.143 (TR-31).
///
/// The MAC covers every character of the header and the optional blocks, so that usage, mode and identity are part of the value.
final class KeyBlockKey: Sendable {
    let version: KeyBlockHeader.Version
    /// Security strength as SP 800-57 counts it: a key is wrapped only under one of at least its own.
    let strengthBits: Int
    private let keys: KeyBlockDerivation

    /// Versions A, C: 8, 16 or 24 bytes; B: 16 or 24; D: 16, 24 or 32 (AES).
    init(_ key: borrowing SecretBytes, version: KeyBlockHeader.Version) throws(KeyBlockError) {
        keys = try KeyBlockDerivation(key, version: version)
        self.version = version
        strengthBits = keys.encipherment.algorithm.strengthBits
    }

    func unwrap(_ block: String) throws(KeyBlockError) -> OpenedKeyBlock { try unwrap(Array(block.utf8)) }

    /// Opens a block. Nothing of the plain text is looked at, or leaves this function, before the MAC is found good.
    func unwrap(_ block: [UInt8]) throws(KeyBlockError) -> OpenedKeyBlock {
        let header: KeyBlockHeader
        do throws(KeyBlockHeaderError) { header = try KeyBlockHeader(parsing: block) } catch { throw .header(error) }
        guard header.version == version else { throw .versionMismatch }
        let body = try Self.decodeUpperCase(block[header.headerLength...])
        let cipherLength = body.count - header.macLength
        guard cipherLength >= header.cipherBlockLength, cipherLength % header.cipherBlockLength == 0 else {
            throw .bodyLength
        }
        let cipherText = Array(body[..<cipherLength])
        let mac = Array(body[cipherLength...])
        let opened: SecretBytes?
        do throws(PrimitiveError) {
            opened = try open(Array(block[..<header.headerLength]), cipherText, mac)
        } catch {
            throw .primitive(error)
        }
        guard let plain = opened else { throw .authentication }
        return try Self.value(of: plain, header)
    }

    /// Versions B and D. `header.optionalBlocks` go in as they are; `PB`, lengths and counts are made here. Random padding
    /// brings every DES key to the length of the longest, and so every AES or SM4 key: the block does not tell them apart.
    func wrap(_ key: borrowing SecretBytes, header: KeyBlockHeader) throws(KeyBlockError) -> String {
        guard header.version == version else { throw .versionMismatch }
        guard version == .b || version == .d else { throw .versionNotWritten }
        let plainLength = try Self.plainLength(key, header)
        let bodyLength = 2 * (plainLength + header.macLength)
        guard header.optionalBlocks.allSatisfy(Self.isWritable) else { throw .optionalBlock }
        guard let clear = header.serialised(bodyLength: bodyLength) else { throw .tooLong }
        // Whatever the caller put into the header: what we write is what we would read.
        guard (try? KeyBlockHeader(parsing: clear + [UInt8](repeating: 0x30, count: bodyLength))) != nil else {
            throw .header(.fieldInvalid)
        }
        do throws(PrimitiveError) {
            let plain = try Self.plainText(key, plainLength)
            let mac = try authenticator(clear, plain)
            let cipherText = try keys.encipherment.encipher(.cbc(iv: mac.bytes), secret: plain)
            return String(decoding: clear, as: UTF8.self) + Hex.encode(cipherText) + Hex.encode(mac.bytes)
        } catch {
            throw .primitive(error)
        }
    }

    // MARK: Cryptography

    /// Deciphers and checks; nil where the MAC is wrong.
    private func open(
        _ header: [UInt8], _ cipherText: [UInt8], _ mac: [UInt8]
    ) throws(PrimitiveError) -> SecretBytes? {
        switch version {
        case .a, .c:
            let computed = try keys.authentication.mac(
                .iso1TripleDES, padding: .none, over: header + cipherText, length: 4)
            guard computed.matches(mac) else { return nil }
            return try keys.encipherment.decipherSecret(.cbc(iv: Array(header[..<8])), cipherText.span)
        case .b, .d:
            let plain = try keys.encipherment.decipherSecret(.cbc(iv: mac), cipherText.span)
            guard try authenticator(header, plain).matches(mac) else { return nil }
            return plain
        }
    }

    /// CMAC over header | plain text, a whole block; the initialisation vector of the encipherment at the same time.
    private func authenticator(
        _ header: [UInt8], _ plain: borrowing SecretBytes
    ) throws(PrimitiveError) -> MACValue {
        let key = keys.authentication
        let state = try key.macChaining(.cmac, over: header.span)
        return try plain.withBytes { bytes throws(PrimitiveError) in
            try key.mac(.cmac, padding: .none, iv: state, over: bytes, length: key.blockLength)
        }
    }

    // MARK: Plain text: length in bits 2 | key | random

    private static func value(
        of plain: borrowing SecretBytes, _ header: KeyBlockHeader
    ) throws(KeyBlockError) -> OpenedKeyBlock {
        let bits = plain.withBytes { bytes in Int(bytes[0]) << 8 | Int(bytes[1]) }
        guard bits > 0, bits % 8 == 0, bits / 8 + 2 <= plain.count else { throw .plaintextLength }
        do throws(PrimitiveError) {
            let key = try plain.extracting(2..<2 + bits / 8)
            let algorithm = try Self.algorithm(header, key)
            return OpenedKeyBlock(header: header, algorithm: algorithm, key: key)
        } catch .keyLengthInvalid {
            throw .plaintextLength
        } catch .algorithmNotPermitted {
            throw .keyAlgorithm
        } catch {
            throw .primitive(error)
        }
    }

    /// What the header's algorithm character, its mode and the value make together.
    private static func algorithm(
        _ header: KeyBlockHeader, _ key: borrowing SecretBytes
    ) throws(PrimitiveError) -> KeyAlgorithm {
        let character = header.algorithmCharacter
        if character == "R" {
            // A private key can never stand in a block that says "verify", nor a public one in a block that says "sign".
            guard header.mode == .verify else { return .rsa(bits: try RSA.bits(ofPrivateKey: key)) }
            return .rsa(bits: try RSA.bits(ofPublicKeyPKCS1: key))
        }
        guard ["A", "D", "T", "4"].contains(character) else { throw .algorithmNotPermitted }
        guard let algorithm = KeyAlgorithm(headerCharacter: character, bits: key.count * 8) else {
            throw .keyLengthInvalid
        }
        return algorithm
    }

    private static func plainLength(
        _ key: borrowing SecretBytes, _ header: KeyBlockHeader
    ) throws(KeyBlockError) -> Int {
        let shown: Int
        do throws(PrimitiveError) {
            switch try algorithm(header, key) {
            case .des, .tripleDES2, .tripleDES3: shown = 24
            case .aes128, .aes192, .aes256, .sm4: shown = 32
            case .rsa: shown = key.count
            }
        } catch .keyLengthInvalid {
            throw .plaintextLength
        } catch .algorithmNotPermitted {
            throw .keyAlgorithm
        } catch {
            throw .primitive(error)
        }
        let block = header.cipherBlockLength
        let length = (2 + shown + block - 1) / block * block
        guard length <= SecretMemory.maximumSize else { throw .tooLong }
        return length
    }

    private static func plainText(_ key: borrowing SecretBytes, _ length: Int) throws(PrimitiveError) -> SecretBytes {
        var plain = try SecureRandom.secret(count: length)
        let bits = key.count * 8
        key.withBytes { bytes in
            plain.withMutableBytes { output in
                output[0] = UInt8(truncatingIfNeeded: bits >> 8)
                output[1] = UInt8(truncatingIfNeeded: bits)
                for index in 0..<bytes.count { output[2 + index] = bytes[index] }
            }
        }
        return plain
    }

    // MARK: Text

    /// Upper case alone: a second spelling of one block would be a second text with a good MAC.
    private static func decodeUpperCase(_ text: ArraySlice<UInt8>) throws(KeyBlockError) -> [UInt8] {
        for character in text where !(0x30...0x39).contains(character) && !(0x41...0x46).contains(character) {
            throw .bodyMalformed
        }
        guard let bytes = Hex.decode(String(decoding: text, as: UTF8.self)) else { throw .bodyMalformed }
        return bytes
    }

    private static func isWritable(_ block: KeyBlockHeader.OptionalBlock) -> Bool {
        block.id != "PB" && block.id.utf8.count == 2 && block.data.utf8.count <= 251
            && (block.id + block.data).utf8.allSatisfy { (0x20...0x7E).contains($0) }
    }
}
