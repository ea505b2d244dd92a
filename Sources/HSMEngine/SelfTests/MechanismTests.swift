import HSMBridge

// Tests of what the algorithms stand on: memory, comparison, randomness, key blocks, RSA.
extension SelfTests {
    static let mechanisms: [SelfTest] = [
        SelfTest("secret memory") { isBroken in
            var first = try SecretBytes(count: 40)
            let zeros = try SecretBytes(count: 40)
            guard first.isEqual(to: zeros) else { return false }
            first.withMutableBytes { bytes in
                for index in 0..<40 { bytes[index] = UInt8(index + 1) }
            }
            let copy = try SecretBytes(copying: first)
            let difference = try SecretBytes(xor: first, copy)
            return difference.isEqual(to: zeros) && copy.isEqual(to: first) != isBroken
        },
        SelfTest("constant-time comparison") { isBroken in
            let value: [UInt8] = [1, 2, 3, 4, 5, 6, 7, 8, 9]
            for bit in 0..<72 {
                var other = value
                if !isBroken { other[bit / 8] ^= 1 << UInt8(bit % 8) }
                if ConstantTime.equal(value, other) { return false }
            }
            return ConstantTime.equal(value, value) && !ConstantTime.equal(value, Array(value.dropLast()))
        },
        SelfTest("random source") { isBroken in
            guard SecureRandom.isHealthy, !isBroken else { return false }
            let first = try SecureRandom.secret(count: 32)
            let second = try SecureRandom.secret(count: 32)
            return !first.isEqual(to: second)
        },
        SelfTest("random health tests") { isBroken in
            var stuck = RandomHealthTest()
            var biased = RandomHealthTest()
            let limit = isBroken ? RandomHealthTest.repetitionCutoff - 1 : RandomHealthTest.repetitionCutoff
            for _ in 0..<limit { _ = stuck.take(0x5A) }
            for index in 0..<RandomHealthTest.windowLength {
                _ = biased.take(index % 8 == 0 ? 0 : UInt8(truncatingIfNeeded: index))
            }
            return stuck.hasFailed && biased.hasFailed
        },
    ]

    static let keyBlockTests: [SelfTest] = [
        // TR-31:2018 A.7.4
        keyBlock(
            "key block, version D", .d, "88E1AB2A2E3DD38C1FA039A536500CC8A87AB9D62DC92C01058FA79F44657DE6",
            "D0112P0AE00E0000B82679114F470F540165EDFBF7E250FCEA43F810D215F8D207E2E417C07156A2"
                + "7E8E31DA05F7425509593D03A457DC34",
            "3F419E1CB7079442AA37474C2EFBF8B8"),
        // TR-31:2018 A.7.3.2
        keyBlock(
            "key block, version B", .b, "1D22BF32387C600AD97F9B97A51311AC",
            "B0104B0TX12S0100KS1800604B120F9292800000BB68BE8680A400D9191AD4ECE45B6E6C0D21C4738A52190E248719E24B433627",
            "E8BC63E5479455E26577F715D587FE68"),
        SelfTest("key block, written and read back") { isBroken in
            let protection = try KeyBlockKey(try SecureRandom.secret(count: 32), version: .d)
            let key = try KeyMaterial.generate(.tripleDES2)
            let attributes = KeyAttributes(
                usage: .tac, algorithm: .tripleDES2, mode: .derive, exportability: .nonExportable)
            let header = KeyBlockHeader(version: .d, attributes: attributes, keyVersionText: "01")
            var block = Array(try protection.wrap(key, header: header).utf8)
            if isBroken { block[8] = UInt8(ascii: "B") }
            return try protection.unwrap(block).key.isEqual(to: key)
        },
    ]

    static let rsaTests: [SelfTest] = [
        answer("RSA signature", RSAKnownAnswer.signature) {
            let der = Hex.decode(RSAKnownAnswer.privateKey) ?? []
            let message = Array("abc".utf8)
            return try RSA.sign(message.span, .sha256, with: try SecretBytes(copying: der.span))
        },
        SelfTest("RSA verification") { isBroken in
            let der = Hex.decode(RSAKnownAnswer.privateKey) ?? []
            let publicKey = try RSAKeyHandle.privateKey(try SecretBytes(copying: der.span)).publicDER()
            var signature = Hex.decode(RSAKnownAnswer.signature) ?? []
            let message = Array("abc".utf8)
            guard try RSA.verify(signature.span, of: message.span, .sha256, publicKey: publicKey) != isBroken else {
                return false
            }
            signature[5] ^= 1
            return try !RSA.verify(signature.span, of: message.span, .sha256, publicKey: publicKey)
        },
    ]

    private static func keyBlock(
        _ name: String, _ version: KeyBlockHeader.Version, _ protection: String, _ block: String, _ key: String
    ) -> SelfTest {
        SelfTest(name) { isBroken in
            let bytes = Hex.decode(protection) ?? []
            let expected = Hex.decode(key) ?? []
            let opener = try KeyBlockKey(try SecretBytes(copying: bytes.span), version: version)
            var text = Array(block.utf8)
            if isBroken { text[text.count - 1] ^= 1 }
            let opened = try opener.unwrap(text)
            return opened.key.withBytes { ConstantTime.equal($0, expected.span) }
        }
    }
}
