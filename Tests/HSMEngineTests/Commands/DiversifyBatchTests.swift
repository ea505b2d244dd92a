import HSMBridge
import Testing

@testable import HSMEngine

/// The card keys of a batch against those of `DiversifyKey`.
@Suite struct DiversifyBatchTests {
    let folder: TestFolder
    let module: SoftwareModule

    init() throws {
        folder = try TestFolder()
        module = try SoftwareModule(forTestsWithRandomLMKIn: folder.path)
    }

    private static let most = DiversifyKeyBatch.maximumFactors

    private static func factors(_ count: Int) -> [UInt64] { (0..<count).map { _ in .random(in: 0 ... .max) } }

    @Test(arguments: CardVectorTests.diversification) func `the published card keys come out, wrapped`(
        vector: Vector
    ) async throws {
        let factors = try (vector.lists["factors"] ?? [try #require(vector.fields["x"])]).map { text in
            try #require(UInt64(text, radix: 16))
        }
        let algorithm: KeyAlgorithm = vector.id.contains("sm4") ? .sm4 : .tripleDES2
        let value = try #require(vector.fields["mk"])
        let bytes = try #require(Hex.decode(value))
        let secret = try SecretBytes(copying: bytes.span)
        guard try WeakKeys.weakness(of: secret, algorithm: algorithm) == nil else { return }
        let master = try await module.typedKey(
            bytes, TestKeys.attributes(.purchase, .derive, algorithm, levels: factors.count))
        let derived = try #require(Hex.decode(vector.expect))
        let expected = try SecretBytes(copying: derived.span)
        let count = Self.most / factors.count
        let keys = try await module.execute(
            DiversifyKeyBatch(
                key: master, levels: UInt8(factors.count), factors: (0..<count).flatMap { _ in factors })
        ).keys
        #expect(keys.count == count)
        let checkValue = try KeyCheckValue.calculate(expected, algorithm: algorithm)
        #expect(keys.allSatisfy { $0.checkValue == checkValue })
    }

    @Test(arguments: [KeyAlgorithm.tripleDES2, .sm4], [nil, KeyAlgorithm.aes128])
    func `each key of a batch is what the card's own command gives`(
        algorithm: KeyAlgorithm, transport: KeyAlgorithm?
    ) async throws {
        let master = try await module.newKey(.purchase, .derive, algorithm, .exportable, levels: 4)
        var under: KeyReference?
        if let transport { under = try await module.newKey(.keyBlockProtection, .both, transport, label: "KEK") }
        for (levels, count) in [(1, 1), (1, 7), (1, Self.most), (2, 40), (3, 64), (4, 48)] {
            let factors = Self.factors(levels * count)
            let batch = try await module.execute(
                DiversifyKeyBatch(key: master, levels: UInt8(levels), factors: factors, transportKey: under)
            ).keys
            #expect(batch.count == count)
            for (card, key) in batch.enumerated() {
                let own = Array(factors[levels * card..<levels * card + levels])
                let one = try await module.execute(
                    DiversifyKey(key: DerivedKey(master, factors: own), transportKey: under))
                #expect(key.checkValue == one.checkValue)
                let headers = try [key, one].map { try KeyBlockHeader(parsing: $0.block) }
                #expect(headers[0] == headers[1] && key.block != one.block)
                // And the block holds that key.
                guard under == nil, card < 4 else { continue }
                let inside = try await module.execute(CheckValue(key: .block(key.block, expected: nil)))
                #expect(inside == one.checkValue)
            }
        }
    }

    @Test func `what the single command refuses, the batch refuses, with the same word`() async throws {
        let master = try await module.newKey(.purchase, .derive, .tripleDES2, .exportable, levels: 4)
        let stays = try await module.newKey(.purchase, .derive, .tripleDES2, .nonExportable)
        let card = try await module.newKey(.purchase, .unrestricted)
        let mac = try await module.newKey(.mac3, .calculate)
        let kek = try await module.newKey(.keyBlockProtection, .both, .aes128, label: "KEK")
        let weak = try await module.newKey(.keyBlockProtection, .both, .tripleDES2, label: "KEK")
        let cases: [(KeyReference, [UInt64], KeyReference?)] = [
            (card, [1], nil), (mac, [1], nil), (stays, [1], kek), (master, [1], mac), (master, [1], master),
            (.handle(KeyHandle(rawValue: 7)), [1], nil),
        ]
        for (key, factors, under) in cases {
            let single = await module.refusal(
                of: DiversifyKey(key: DerivedKey(key, factors: factors), transportKey: under))
            let batch = await module.refusal(
                of: DiversifyKeyBatch(
                    key: key, levels: UInt8(factors.count), factors: factors + factors, transportKey: under))
            #expect(batch == single && batch != nil)
        }
        // What cannot go under a key by its strength is refused by both or by none.
        let single = try? await module.execute(DiversifyKey(key: DerivedKey(master, factors: [1]), transportKey: weak))
        let batch = try? await module.execute(
            DiversifyKeyBatch(key: master, levels: 1, factors: [1, 2], transportKey: weak))
        #expect((single == nil) == (batch == nil))
        // Five levels, which the single command cannot even be written with.
        let deep = DiversifyKeyBatch(key: master, levels: 5, factors: [1, 2, 3, 4, 5])
        #expect(await module.refusal(of: deep) == .modeNotPermitted)
        // Factors that are not whole cards.
        let odd = DiversifyKeyBatch(key: master, levels: 2, factors: [1, 2, 3])
        #expect(await module.refusal(of: odd) == .dataLengthInvalid)
        #expect(await module.refusal(of: DiversifyKeyBatch(key: master, levels: 0, factors: [1])) == .modeNotPermitted)
        for count in [0, Self.most + 1] {
            let many = DiversifyKeyBatch(key: master, levels: 1, factors: Self.factors(count))
            #expect(await module.refusal(of: many) == .malformedRequest)
        }
    }

    /// The largest batches, with the longest names: as many cards as there are, and cards of as many levels.
    @Test(arguments: [1, DerivedKey.maximumLevels])
    func `every card of a batch stands in the journal, with the check value of its key`(levels: Int) async throws {
        let names = try ["M", "K"].map { letter in
            let part = String(repeating: letter, count: 24)
            return try #require(KeyIdentity(issuer: part, product: part, label: part, version: 99))
        }
        let kinds = [
            TestKeys.attributes(.purchase, .derive, .tripleDES2, .exportable, levels: 4),
            TestKeys.attributes(.keyBlockProtection, .both, .aes128),
        ]
        var keys: [KeyReference] = []
        for (name, kind) in zip(names, kinds) {
            let made = try await module.execute(GenerateKey(attributes: kind, identity: name))
            keys.append(.block(made.block, expected: name))
        }
        let factors = Self.factors(Self.most)
        let cards = try await module.execute(
            DiversifyKeyBatch(key: keys[0], levels: UInt8(levels), factors: factors, transportKey: keys[1])
        ).keys
        #expect(cards.count == Self.most / levels)
        let begin = try TestJournal.lastLine("begin diversifyKeyBatch", in: folder)
        #expect(begin["key"] == names[0].description && begin["under"] == names[1].description)
        #expect(begin["levels"] == "\(levels)")
        let written = try #require(begin["factors"]).split(separator: ",")
        #expect(written.allSatisfy { $0.utf8.count == 16 } && written.map { UInt64($0, radix: 16) } == factors)
        let end = try TestJournal.lastLine("end diversifyKeyBatch", in: folder)
        #expect(try #require(end["kcv"]).split(separator: ",").map(String.init) == cards.map(\.checkValue.description))
        guard case .intact = ModuleJournal.verify(path: folder.file("module.journal")) else {
            Issue.record("the journal is not read again")
            return
        }
    }
}
