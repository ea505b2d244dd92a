import HSMBridge
import Testing

@testable import HSMEngine

/// Ways to more than a key is for that were open once, each as its attack.
@Suite struct ClosedWayTests {
    let folder: TestFolder
    let module: SoftwareModule

    init() throws {
        folder = try TestFolder()
        module = try SoftwareModule(forTestsWithRandomLMKIn: folder.path)
    }

    /// The MAC of a command under the control key, with header xored by the caller's challenge, would be that of one that loads a key.
    @Test(arguments: [ModeOfUse.derive, .unrestricted])
    func `a control key protects no command that the caller writes`(mode: ModeOfUse) async throws {
        let key = try await module.newKey(.cardControl, mode)
        let command = ProtectCommand(
            key: DerivedKey(key, factors: mode == .derive ? [7] : []), commandHeader: 0x04D6_9500, data: [1],
            encipher: false, challenge: [0, 0x02, 0, 0])
        #expect(await module.refusal(of: command) == .usageNotPermitted)
    }

    /// The MAC of APPLICATION BLOCK, `84 1E 00 00 04` and padding xored with the card's own challenge, is the encipherment of one
    /// block; under SM4 every block of a key load and of its MAC is.
    @Test(arguments: [KeyAlgorithm.tripleDES2, .sm4], [ModeOfUse.derive, .unrestricted])
    func `a control key enciphers no block that the caller writes`(algorithm: KeyAlgorithm, mode: ModeOfUse)
        async throws
    {
        let factors: [UInt64] = mode == .derive ? [7] : []
        let control = DerivedKey(try await module.newKey(.cardControl, mode, algorithm), factors: factors)
        let other = DerivedKey(try await module.newKey(.externalAuthentication, mode, algorithm), factors: factors)
        let length = algorithm == .sm4 ? 16 : 8
        let block =
            Array<UInt8>([0x84 ^ 0xA1, 0x1E ^ 0xB2, 0xC3, 0xD4, 0x04, 0x80]) + [UInt8](repeating: 0, count: length - 6)
        #expect(await module.refusal(of: CardCryptogram(key: control, challenge: block)) == .dataLengthInvalid)
        // Nor one that ends in the zeros that a short challenge is filled with: who needs that sends four bytes.
        let short = Array(block.prefix(4)) + [UInt8](repeating: 0, count: length - 4)
        #expect(await module.refusal(of: CardCryptogram(key: control, challenge: short)) == .dataLengthInvalid)
        #expect(try await module.execute(CardCryptogram(key: control, challenge: [1, 2, 3, 4])).bytes.count == length)
        // A key that only authenticates answers whole blocks.
        #expect(try await module.execute(CardCryptogram(key: other, challenge: block)).bytes.count == length)
    }

    @Test func `a bare control master goes under no key of a card maker, and under no control key`() async throws {
        let master = DerivedKey(try await module.newKey(.cardControl))
        for key in [
            DerivedKey(try await module.newKey(.vendorTransport)),
            DerivedKey(try await module.newKey(.cardControl, .unrestricted)),
        ] {
            func load(_ loaded: DerivedKey) -> ProtectKeyLoad {
                ProtectKeyLoad(
                    controllingKey: key, key: loaded, commandHeader: 0x84D4_0000, keyHeader: [0, 1, 0],
                    challenge: [1, 2, 3, 4])
            }
            #expect(await module.refusal(of: load(master)) == .modeNotPermitted)
            _ = try await module.execute(load(DerivedKey(master.key, factors: [7])))
        }
    }

    /// Card keys two levels down: the key one level down, asked to encipher X and X inverted, would answer with the card's key.
    @Test func `a master of two levels enciphers nothing for a region`() async throws {
        let master = try await module.newKey(.applicationMaintenance, levels: 2)
        func command(_ factors: [UInt64]) -> ProtectCommand {
            ProtectCommand(
                key: DerivedKey(master, factors: factors), commandHeader: 0x04D6_9500,
                data: BigEndian.bytes(UInt64(0x1122_3344_5566_7788)), encipher: true, challenge: [1, 2, 3, 4])
        }
        #expect(await module.refusal(of: command([1])) == .modeNotPermitted)
        _ = try await module.execute(command([1, 0x1122_3344_5566_7788]))
    }

    @Test func `what one level of two leaves is a master of one`() async throws {
        let master = try await module.newKey(.purchase, .derive, .tripleDES2, .exportable, levels: 2)
        let region = try await module.execute(DiversifyKey(key: DerivedKey(master, factors: [1])))
        let reference = KeyReference.block(region.block, expected: nil)
        let description = try await module.execute(InspectKey(key: reference))
        #expect(description.attributes.mode == .derive && description.attributes.levels == 1)
        let card = try await module.execute(DerivedCheckValue(key: DerivedKey(master, factors: [1, 2])))
        #expect(try await module.execute(DerivedCheckValue(key: DerivedKey(reference, factors: [2]))) == card)
        let tooDeep = DiversifyKey(key: DerivedKey(reference, factors: [2, 3]))
        #expect(await module.refusal(of: tooDeep) == .modeNotPermitted)
    }

    @Test func `a master's levels go with it under a transport key, and cannot be changed on the way`() async throws {
        let kek = try await module.newKey(.keyBlockProtection, .both, .aes128)
        let master = try await module.newKey(.purchase, .derive, .tripleDES2, .exportable, levels: 2)
        let out = try await module.execute(ExportKeyBlock(transportKey: kek, key: master))
        let identity = try TestKeys.identity("BACK")
        func back(_ block: String, _ levels: Int) -> ImportKeyBlock {
            ImportKeyBlock(
                transportKey: kek, block: block, attributes: TestKeys.attributes(.purchase, levels: levels),
                identity: identity)
        }
        _ = try await module.execute(back(out.block, 2))
        #expect(await module.refusal(of: back(out.block, 1)) == .attributesContradict)
        let shallower = out.block.replacing("130602", with: "130601")
        #expect(shallower != out.block)
        #expect(await module.refusal(of: back(shallower, 1)) == .keyBlockAuthentication)
    }

    @Test func `only a master has levels, and none has more than four`() async throws {
        let wrong: [(KeyUsage, ModeOfUse, Int)] = [
            (.tac, .derive, 0), (.tac, .derive, 5), (.tac, .unrestricted, 1), (.mac3, .calculate, 1),
            (.applicationCryptogram, .derive, 2),
        ]
        for (usage, mode, levels) in wrong {
            let make = GenerateKey(
                attributes: TestKeys.attributes(usage, mode, levels: levels), identity: try TestKeys.identity("KEY"))
            #expect(await module.refusal(of: make) == .attributesContradict, "\(usage) \(mode) \(levels)")
        }
    }

    /// Whether partners send keys of a usage as bare cryptograms. Of all others the cryptogram of something else would make a key that
    /// gives back plain text or keys, or enciphers what its user likes.
    private static func comesBare(_ usage: KeyUsage) -> Bool {
        switch usage {
        case .mac1, .mac3, .cmac, .cardVerification: true
        case .keyEncryption, .keyBlockProtection, .dataEncryption, .signature: false
        case .applicationCryptogram, .scriptIntegrity: false
        case .purchase, .load, .tac, .unload, .overdraft, .applicationMaintenance, .pinUnblock, .pinReload,
            .cardControl,
            .cardMaintenance, .internalAuthentication, .externalAuthentication, .psamCipher, .vendorTransport:
            false
        }
    }

    /// One cryptogram, a card master's, brought as a key of every usage and mode.
    @Test(arguments: KeyUsage.allCases)
    func `a bare cryptogram becomes no key but those that partners send so`(usage: KeyUsage) async throws {
        let kekValue = try KeyMaterial.generate(.tripleDES2)
        let kek = try await module.typedKey(
            kekValue.withBytes { bytes in (0..<bytes.count).map { bytes[$0] } },
            TestKeys.attributes(.keyEncryption, .both))
        let master = try KeyMaterial.generate(.tripleDES2)
        let cryptogram = try OpenKeySchedule(kekValue, algorithm: .tripleDES2).encipher(.ecb, secret: master)
        let algorithm = usage == .signature ? KeyAlgorithm.rsa(bits: 2_048) : .tripleDES2
        var modes = 0
        for mode in ModeOfUse.allCases {
            let attributes = TestKeys.attributes(usage, mode, algorithm)
            guard (try? AttributeRules.check(attributes)) != nil else { continue }
            modes += 1
            let command = ImportCryptogram(
                transportKey: kek, cryptogram: cryptogram,
                checkValue: try KeyCheckValue.calculate(master, algorithm: .tripleDES2), attributes: attributes,
                identity: try TestKeys.identity("TAKEN"))
            if Self.comesBare(usage) {
                _ = try await module.execute(command)
            } else {
                // A cryptogram of 16 bytes is no RSA key at all.
                let refusal: ModuleError = usage == .signature ? .keyLengthInvalid : .usageNotPermitted
                #expect(await module.refusal(of: command) == refusal, "\(mode)")
            }
        }
        #expect(modes > 1)
    }

    /// Data of one block: a response by method 1 would be the cryptogram of the next.
    @Test(arguments: [KeyAlgorithm.tripleDES2, .sm4])
    func `a cryptogram over no more than a block is not looked at`(algorithm: KeyAlgorithm) async throws {
        let key = try await module.newKey(.applicationCryptogram, .derive, algorithm)
        let block = algorithm == .sm4 ? 16 : 8
        func verify(_ count: Int, _ padding: CryptogramPadding) -> VerifyCryptogram {
            VerifyCryptogram(
                card: CryptogramCard(key: key, account: .optionA(1), session: .pboc(1)), padding: padding,
                data: [UInt8](repeating: 1, count: count), cryptogram: 1, response: .method1(code: 0))
        }
        for padding in [CryptogramPadding.zeros, .marked, .markedOrGiven] {
            for count in [0, 1, block - 1, block] {
                #expect(await module.refusal(of: verify(count, padding)) == .dataLengthInvalid)
            }
            guard case .mismatch = try await module.execute(verify(block + 1, padding)) else {
                Issue.record("a wrong cryptogram was taken")
                return
            }
        }
    }

    @Test func `a component's MACs are not explained`() async throws {
        let attributes = TestKeys.attributes(.mac3, .calculate)
        func explain(component: UInt8) async throws -> ExplainMAC {
            let identity = try TestKeys.identity("PART")
            let key = try await module.execute(
                GenerateKey(attributes: attributes, identity: identity, component: component))
            return ExplainMAC(
                keys: [.block(key.block, expected: nil)], factors: [], algorithm: .algorithm3, padding: .method2,
                initialVector: [], data: [1, 2, 3], mac: [1, 2, 3, 4])
        }
        #expect(await module.refusal(of: try await explain(component: 1)) == .usageNotPermitted)
        _ = try await module.execute(try await explain(component: 0))
    }
}
