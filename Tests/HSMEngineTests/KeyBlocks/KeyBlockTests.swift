import HSMBridge
import Testing

@testable import HSMEngine

@Suite struct KeyBlockTests {
    static let vectors = Vector.all("tr31.json", "tr31:")

    private static func protection(_ vector: Vector) throws -> KeyBlockKey {
        let text = try #require(vector.fields["block"])
        let version = try #require(text.first.flatMap(KeyBlockHeader.Version.init(rawValue:)))
        let bytes = try vector.bytes("kbpk")
        return try KeyBlockKey(try SecretBytes(copying: bytes.span), version: version)
    }

    private static func header(
        _ algorithm: KeyAlgorithm, _ version: KeyBlockHeader.Version = .d,
        _ optional: [KeyBlockHeader.OptionalBlock] = []
    ) -> KeyBlockHeader {
        KeyBlockHeader(
            version: version,
            attributes: KeyAttributes(
                usage: .purchase, algorithm: algorithm, mode: .derive, exportability: .exportable),
            keyVersionText: "07", optionalBlocks: optional)
    }

    private static let identity = [
        KeyBlockHeader.OptionalBlock(id: LMKBlockField.term, data: "01"),
        KeyBlockHeader.OptionalBlock(id: LMKBlockField.identity, data: "CAMPUS/canteen/purchase/07"),
    ]

    @Test(arguments: vectors) func `published key blocks open to the published key`(vector: Vector) throws {
        let opened = try Self.protection(vector).unwrap(try #require(vector.fields["block"]))
        #expect(Hex.encode(opened.key.revealed()) == vector.fields["key"])
        #expect(opened.algorithm.bits == opened.key.count * 8)
    }

    @Test func `every line of the file is a block of version A to D`() {
        #expect(Self.vectors.count == 11)
        #expect(Set(Self.vectors.compactMap { $0.fields["block"]?.first }) == ["A", "B", "C", "D"])
    }

    /// Every character, replaced by its neighbours, by another digit, by lower case and by a blank.
    @Test(arguments: vectors) func `no character of a published block can be changed`(vector: Vector) throws {
        try Self.refusesEveryChange(of: Array(try #require(vector.fields["block"]).utf8), Self.protection(vector))
    }

    private static func refusesEveryChange(of block: [UInt8], _ protection: KeyBlockKey) throws {
        for position in block.indices {
            let original = block[position]
            let lower = (0x41...0x46).contains(original) ? original | 0x20 : original ^ 4
            for other in [original ^ 1, original ^ 2, lower, 0x20, 0x30, 0x41] where other != original {
                var changed = block
                changed[position] = other
                #expect(throws: KeyBlockError.self, "character \(position) as \(other)") {
                    _ = try protection.unwrap(changed)
                }
            }
        }
        for length in 0..<block.count {
            #expect(throws: KeyBlockError.self) { _ = try protection.unwrap(Array(block[..<length])) }
        }
        #expect(throws: KeyBlockError.self) { _ = try protection.unwrap(block + [0x30]) }
    }

    @Test func `no character of an LMK block with optional blocks can be changed`() throws {
        let protection = try KeyBlockKey(try SecureRandom.secret(count: 32), version: .d)
        let block = try protection.wrap(
            try KeyMaterial.generate(.sm4), header: Self.header(.sm4, .d, Self.identity))
        try Self.refusesEveryChange(of: Array(block.utf8), protection)
    }

    static let symmetric: [KeyAlgorithm] = [
        .des, .tripleDES2, .tripleDES3, .aes128, .aes192, .aes256, .sm4,
    ]

    @Test(arguments: symmetric) func `what is wrapped opens again, under every length of protection key`(
        algorithm: KeyAlgorithm
    ) throws {
        for (version, length) in [(KeyBlockHeader.Version.d, 16), (.d, 24), (.d, 32), (.b, 16), (.b, 24)] {
            let protection = try KeyBlockKey(try SecureRandom.secret(count: length), version: version)
            for optional in [[], Self.identity] {
                let key = try KeyMaterial.generate(algorithm)
                let header = Self.header(algorithm, version, optional)
                let opened = try protection.unwrap(try protection.wrap(key, header: header))
                let isSame = opened.key.isEqual(to: key)
                #expect(isSame)
                #expect(opened.algorithm == algorithm)
                #expect(opened.header.usage == .purchase && opened.header.mode == .derive)
                #expect(opened.header.keyVersionText == "07")
                #expect(opened.header.optionalBlocks.filter { $0.id != "PB" } == optional)
            }
        }
    }

    @Test func `a block does not show which length of key it holds`() throws {
        let protection = try KeyBlockKey(try SecureRandom.secret(count: 32), version: .d)
        func length(_ algorithm: KeyAlgorithm) throws -> Int {
            try protection.wrap(try KeyMaterial.generate(algorithm), header: Self.header(algorithm)).utf8.count
        }
        let des = try [KeyAlgorithm.des, .tripleDES2, .tripleDES3].map(length)
        let wide = try [KeyAlgorithm.aes128, .aes192, .aes256, .sm4].map(length)
        #expect(Set(des).count == 1)
        #expect(Set(wide).count == 1)
    }

    @Test func `wrapping the same key twice gives different blocks`() throws {
        let protection = try KeyBlockKey(try SecureRandom.secret(count: 32), version: .d)
        let key = try KeyMaterial.generate(.tripleDES2)
        let header = Self.header(.tripleDES2)
        #expect(try protection.wrap(key, header: header) != protection.wrap(key, header: header))
    }

    @Test func `an RSA private key travels as its DER`() throws {
        let pair = try RSA.generate(bits: 1_024)
        let protection = try KeyBlockKey(try SecureRandom.secret(count: 32), version: .d)
        let block = try protection.wrap(pair.privateKey, header: Self.header(.rsa(bits: 1_024), .d, Self.identity))
        let opened = try protection.unwrap(block)
        let isSame = opened.key.isEqual(to: pair.privateKey)
        #expect(isSame)
        #expect(opened.algorithm == .rsa(bits: 1_024))
    }

    @Test func `another protection key finds the block not authentic`() throws {
        let key = try KeyMaterial.generate(.aes128)
        for version in [KeyBlockHeader.Version.b, .d] {
            let length = version == .b ? 24 : 32
            let block = try KeyBlockKey(try SecureRandom.secret(count: length), version: version)
                .wrap(key, header: Self.header(.aes128, version))
            let other = try KeyBlockKey(try SecureRandom.secret(count: length), version: version)
            #expect(throws: KeyBlockError.authentication) { _ = try other.unwrap(block) }
        }
    }

    @Test func `each refusal has its own name`() throws {
        let protection = try KeyBlockKey(try SecureRandom.secret(count: 32), version: .d)
        let key = try KeyMaterial.generate(.aes128)
        let good = try protection.wrap(key, header: Self.header(.aes128))
        func refusal(_ block: String) -> KeyBlockError? {
            do throws(KeyBlockError) {
                _ = try protection.unwrap(block)
                return nil
            } catch {
                return error
            }
        }
        #expect(refusal("") == .header(.tooShort))
        #expect(refusal("Z" + good.dropFirst()) == .header(.versionUnknown))
        #expect(refusal(good + "00") == .header(.lengthMismatch))
        #expect(refusal("B" + good.dropFirst()) == .versionMismatch)
        #expect(refusal(String(good.dropLast()) + "g") == .bodyMalformed)
        #expect(refusal(String(good.dropLast()) + "!") == .bodyMalformed)
        let short = "D0050" + good.dropFirst(5).prefix(45)
        #expect(refusal(String(short)) == .bodyLength)
        #expect(refusal(good.replacing("10AX", with: "10TX")) == .authentication)
    }

    @Test func `what cannot be written is refused before anything is made`() throws {
        let protection = try KeyBlockKey(try SecureRandom.secret(count: 32), version: .d)
        let key = try KeyMaterial.generate(.aes128)
        let long = KeyBlockHeader.OptionalBlock(id: "20", data: String(repeating: "A", count: 252))
        let padding = KeyBlockHeader.OptionalBlock(id: "PB", data: "00")
        let control = KeyBlockHeader.OptionalBlock(id: "20", data: "A\n")
        for optional in [long, padding, control] {
            #expect(throws: KeyBlockError.optionalBlock) {
                _ = try protection.wrap(key, header: Self.header(.aes128, .d, [optional]))
            }
        }
        #expect(throws: KeyBlockError.versionMismatch) {
            _ = try protection.wrap(key, header: Self.header(.aes128, .b))
        }
        let tooLong = try KeyMaterial.generate(.aes256)
        #expect(throws: KeyBlockError.plaintextLength) {
            _ = try protection.wrap(tooLong, header: Self.header(.tripleDES3))
        }
        let old = try KeyBlockKey(try SecureRandom.secret(count: 16), version: .a)
        #expect(throws: KeyBlockError.versionNotWritten) {
            _ = try old.wrap(key, header: Self.header(.aes128, .a))
        }
        for length in [0, 8, 15, 17, 33] {
            #expect(throws: KeyBlockError.protectionKeyLength) {
                _ = try KeyBlockKey(try SecureRandom.secret(count: length), version: .d)
            }
        }
    }
}
