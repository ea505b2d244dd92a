import HSMBridge

// Known answers. Sources: FIPS 81, SP 800-67 B.1, FIPS 197 appendix C, GB/T 32907 example 1, FIPS 180-4, GM/T 0004 A.1,
// ISO 9797-1:1999 annex B, GB/T 15852.1-2020, SP 800-38B appendix D; those marked "openssl" were made with its command line.
extension SelfTests {
    private static let key16 = "0123456789ABCDEFFEDCBA9876543210"
    private static let nowIs = Array("Now is the time for it".utf8)

    static let cipherAnswers: [SelfTest] = [
        cipher("DES", .des, "0123456789ABCDEF", "4E6F772069732074", "3FA40E8A984D4815"),
        cipher("TDES, two keys", .tripleDES2, key16, "0000000000000000", "08D7B4FB629D0885"),
        cipher(
            "TDES, three keys", .tripleDES3, "0123456789ABCDEF23456789ABCDEF01456789ABCDEF0123",
            "4E6F77206973207468652074696D6520", "314F8327FA7A09A84362760CC13BA7DA"),
        cipher(
            "AES-128", .aes128, "000102030405060708090A0B0C0D0E0F", "00112233445566778899AABBCCDDEEFF",
            "69C4E0D86A7B0430D8CDB78070B4C55A"),
        cipher(
            "AES-192", .aes192, "000102030405060708090A0B0C0D0E0F1011121314151617",
            "00112233445566778899AABBCCDDEEFF", "DDA97CA4864CDFE06EAF70A0EC0D7191"),
        cipher(
            "AES-256", .aes256, "000102030405060708090A0B0C0D0E0F101112131415161718191A1B1C1D1E1F",
            "00112233445566778899AABBCCDDEEFF", "8EA2B7CA516745BFEAFC49904B496089"),
        cipher("SM4", .sm4, key16, key16, "681EDF34D206965E86B3E94F536E4246"),
        digest("SHA-1", .sha1, "A9993E364706816ABA3E25717850C26C9CD0D89D"),
        digest("SHA-256", .sha256, "BA7816BF8F01CFEA414140DE5DAE2223B00361A396177A9CB410FF61F20015AD"),
        digest("SM3", .sm3, "66C7F0F462EEEDD9D1F2D46BDC10E4E24167C4875CF2F7A2297DA02B8F4BA8E0"),
    ]

    static let macAnswers: [SelfTest] = [
        mac("MAC algorithm 1", .des, "0123456789ABCDEF", .iso1, .method2, nowIs, "A924C721"),
        mac("MAC algorithm 3", .tripleDES2, key16, .iso3, .method2, nowIs, "5A692CE64F404145"),
        // openssl enc -des-ede-cbc, last block
        mac("MAC with TDES throughout", .tripleDES2, key16, .iso1TripleDES, .method2, nowIs, "083CC246761F3410"),
        // openssl mac
        mac(
            "TDES CMAC", .tripleDES3, key16 + "0123456789ABCDEF", .cmac, .none, nowIs, "2CFE6F5D817244AC"),
        mac(
            "AES-128 CMAC", .aes128, "2B7E151628AED2A6ABF7158809CF4F3C", .cmac, .none,
            [0x6B, 0xC1, 0xBE, 0xE2, 0x2E, 0x40, 0x9F, 0x96, 0xE9, 0x3D, 0x7E, 0x11, 0x73, 0x93, 0x17, 0x2A],
            "070A16B46B4D4144F79BDD9DD04A287C"),
        // openssl mac
        mac(
            "AES-256 CMAC", .aes256, "000102030405060708090A0B0C0D0E0F101112131415161718191A1B1C1D1E1F", .cmac, .none,
            nowIs, "71568922F6C5C352439D6AD4E3F13773"),
        mac(
            "SM4 MAC algorithm 1", .sm4, key16, .iso1, .method2, Array("This is the test message for mac".utf8),
            "4B6553AF3C4E2744"),
        mac(
            "SM4 CMAC", .sm4, key16, .cmac, .none, Array("This is the test message for mac".utf8),
            "692C437100F3B5EE2B8ABCEF373D990C"),
    ]

    // MARK: Shapes

    /// Compares what was computed, spoiled on demand, with the expected digits.
    static func answer(
        _ name: String, _ expected: String, _ compute: @escaping @Sendable () throws -> [UInt8]
    ) -> SelfTest {
        SelfTest(name) { isBroken in
            var value = try compute()
            if isBroken { value[0] ^= 1 }
            guard let published = Hex.decode(expected) else { return false }
            return ConstantTime.equal(value, published)
        }
    }

    /// A public test key from its digits.
    static func open(_ digits: String, _ algorithm: KeyAlgorithm) throws -> OpenKeySchedule {
        let bytes = Hex.decode(digits) ?? []
        return try OpenKeySchedule(try SecretBytes(copying: bytes.span), algorithm: algorithm)
    }

    /// Both directions, ECB.
    private static func cipher(
        _ name: String, _ algorithm: KeyAlgorithm, _ key: String, _ plain: String, _ expected: String
    ) -> SelfTest {
        answer(name, plain + expected) {
            let opened = try open(key, algorithm)
            let block = Hex.decode(plain) ?? []
            let enciphered = try opened.encipher(.ecb, block.span)
            return try opened.decipher(.ecb, enciphered.span) + enciphered
        }
    }

    private static func digest(_ name: String, _ algorithm: DigestAlgorithm, _ expected: String) -> SelfTest {
        answer(name, expected) { try algorithm.hash(Array("abc".utf8)) }
    }

    private static func mac(
        _ name: String, _ algorithm: KeyAlgorithm, _ key: String, _ rule: MACAlgorithm, _ padding: MACPadding,
        _ message: [UInt8], _ expected: String
    ) -> SelfTest {
        answer(name, expected) {
            try open(key, algorithm).mac(rule, padding: padding, over: message, length: expected.utf8.count / 2).bytes
        }
    }
}
