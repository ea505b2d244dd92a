import HSMBridge
import Testing

@testable import HSMEngine

@Suite struct KeyExchangeTests {
    let folder: TestFolder
    let module: SoftwareModule

    init() throws {
        folder = try TestFolder()
        module = try SoftwareModule(forTestsWithRandomLMKIn: folder.path)
    }

    private func export(_ key: KeyReference, under transport: KeyReference) async throws -> WrappedKey {
        try await module.execute(ExportKeyBlock(transportKey: transport, key: key))
    }

    /// A key typed in by three people.
    private func typedKey(
        _ attributes: KeyAttributes, _ components: [String], label: String = "TYPED"
    ) async throws -> WrappedKey {
        let identity = try TestKeys.identity(label)
        let entry = try await module.execute(
            BeginComponentEntry(attributes: attributes, identity: identity, components: UInt8(components.count)))
        for (index, text) in components.enumerated() {
            _ = try await module.execute(
                EnterComponent(
                    session: entry.session, number: UInt8(index + 1), component: try .typed(text, hexadecimal: true)))
        }
        return try await module.execute(FinishComponentEntry(session: entry.session))
    }

    private static let kek = TestKeys.attributes(.keyEncryption, .both)
    @Test func `an exported key comes back as the same key, and as nothing more`() async throws {
        let kek = try await module.newKey(.keyBlockProtection, .both, .aes256, label: "KEK")
        for (usage, mode) in [(KeyUsage.purchase, ModeOfUse.derive), (.mac3, .calculate), (.tac, .unrestricted)] {
            for exportability in Exportability.allCases {
                let key = try await module.newKey(usage, mode, .tripleDES2, exportability)
                if exportability == .nonExportable {
                    let refused = await module.refusal(of: ExportKeyBlock(transportKey: kek, key: key))
                    #expect(refused == .notExportable)
                    continue
                }
                let out = try await export(key, under: kek)
                // Of ours nothing but a master's levels, and what fills up the header.
                let fields = try KeyBlockHeader(parsing: out.block).optionalBlocks.map(\.id)
                #expect(fields == (mode == .derive ? [LMKBlockField.levels, "PB"] : []))
                try await everyImport(of: out, under: kek, usage, mode, exportability)
            }
        }
    }

    /// All usages, modes and exportabilities of one exported block: only the same, narrower, comes in.
    private func everyImport(
        of out: WrappedKey, under kek: KeyReference, _ usage: KeyUsage, _ mode: ModeOfUse,
        _ exportability: Exportability
    ) async throws {
        for wantedUsage in KeyUsage.allCases {
            for wantedMode in ModeOfUse.allCases {
                for wanted in Exportability.allCases {
                    let attributes = TestKeys.attributes(wantedUsage, wantedMode, .tripleDES2, wanted)
                    let command = ImportKeyBlock(
                        transportKey: kek, block: out.block, attributes: attributes,
                        identity: try TestKeys.identity("BACK"))
                    let isNarrower = mode == .calculate && (wantedMode == .generate || wantedMode == .verify)
                    let isAllowed =
                        wantedUsage == usage && (wantedMode == mode || isNarrower)
                        && (exportability == .sensitive || wanted != .sensitive)
                    do throws(ModuleRefusal) {
                        let back = try await module.execute(command)
                        #expect(isAllowed && back.checkValue == out.checkValue, "\(attributes)")
                    } catch {
                        #expect(!isAllowed, "\(attributes) \(error)")
                    }
                }
            }
        }
    }

    @Test func `a key is wrapped only under one of its strength`() async throws {
        let algorithms: [KeyAlgorithm] = [.tripleDES2, .tripleDES3, .aes128, .aes192, .aes256]
        for (transportRank, transportAlgorithm) in algorithms.enumerated() {
            let kek = try await module.newKey(.keyBlockProtection, .both, transportAlgorithm, label: "KEK")
            for (rank, algorithm) in algorithms.enumerated() {
                let key = try await module.newKey(.mac1, .calculate, algorithm, .exportable)
                if rank <= transportRank {
                    _ = try await export(key, under: kek)
                } else {
                    let refused = await module.refusal(of: ExportKeyBlock(transportKey: kek, key: key))
                    #expect(refused == .wrappingKeyTooWeak)
                }
            }
        }
    }

    @Test func `a transport key from typed components takes a cryptogram with its check value`() async throws {
        let random = try KeyMaterial.generate(.tripleDES2)
        let kekValue = try KeyMaterial.generate(.tripleDES2)
        let components = try split(kekValue)
        let kek = try await typedKey(Self.kek, components, label: "KEK")
        let schedule = try OpenKeySchedule(kekValue, algorithm: .tripleDES2)
        #expect(try schedule.checkValue() == kek.checkValue)
        let cryptogram = try schedule.encipher(.ecb, secret: random)
        let checkValue = try KeyCheckValue.calculate(random, algorithm: .tripleDES2)
        func command(_ check: KeyCheckValue, _ export: Exportability = .nonExportable) throws -> ImportCryptogram {
            ImportCryptogram(
                transportKey: .block(kek.block, expected: nil), cryptogram: cryptogram, checkValue: check,
                attributes: TestKeys.attributes(.mac3, .calculate, .tripleDES2, export),
                identity: try TestKeys.identity("MAC"))
        }
        #expect(try await module.execute(command(checkValue)).checkValue == checkValue)
        #expect(await module.refusal(of: try command(KeyCheckValue(0, 0, 0))) == .checkValueMismatch)
        #expect(await module.refusal(of: try command(checkValue, .exportable)) == .attributesContradict)
    }

    private func split(_ value: borrowing SecretBytes) throws -> [String] {
        let first = try SecureRandom.bytes(count: value.count)
        let second = try SecureRandom.bytes(count: value.count)
        let third = value.withBytes { bytes in (0..<bytes.count).map { bytes[$0] ^ first[$0] ^ second[$0] } }
        return [first, second, third].map { Hex.encode($0) }
    }

    @Test func `typed components: order, repetition, length, weakness and time`() async throws {
        let identity = try TestKeys.identity("TYPED")
        func begin() async throws -> UInt64 {
            try await module.execute(
                BeginComponentEntry(attributes: Self.kek, identity: identity, components: 2)
            ).session
        }
        func enter(_ session: UInt64, _ number: UInt8, _ text: String) async throws -> ModuleError? {
            await refusal(
                of: EnterComponent(
                    session: session, number: number, component: try .typed(text, hexadecimal: true)))
        }
        let session = try await begin()
        let one = "0123456789ABCDEF1122334455667788"
        #expect(try await enter(session, 3, one) == .parameterInvalid)
        #expect(try await enter(session, 1, "0123456789ABCDEF") == .keyLengthInvalid)
        #expect(try await enter(session, 1, one) == nil)
        #expect(try await enter(session, 1, "1123456789ABCDEF1122334455667788") == .componentRepeated)
        #expect(try await enter(session, 2, one) == .componentRepeated)
        #expect(await module.refusal(of: FinishComponentEntry(session: session)) == .ceremonyIncomplete)
        // The sum of these two is a single DES key twice.
        #expect(try await enter(session, 2, "1217121E1217121E0216643DCEDAA879") == nil)
        #expect(await module.refusal(of: FinishComponentEntry(session: session)) == .weakKey)
        #expect(await module.refusal(of: FinishComponentEntry(session: session)) == .ceremonyNotOpen)
        #expect(await module.refusal(of: AbortComponentEntry(session: session)) == .ceremonyNotOpen)
        for _ in 0..<ComponentEntries.limit { _ = try await begin() }
        await #expect(throws: ModuleRefusal(.busy)) { try await begin() }
    }

    private func refusal<Command: ModuleCommand & ~Copyable>(of command: borrowing Command) async -> ModuleError? {
        do throws(ModuleRefusal) {
            _ = try await module.execute(command)
            return nil
        } catch {
            return error.error
        }
    }

    @Test func `known and weak keys come in by no way but as a maker's washing key`() async throws {
        let first = "0F1E2D3C4B5A69788796A5B4C3D2E1F0"
        for value in ["FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF", "57415443484441544154696D65434F53"] {
            let bytes = try #require(Hex.decode(value))
            let mask = try #require(Hex.decode(first))
            let second = Hex.encode(zip(bytes, mask).map { $0 ^ $1 })
            await #expect(throws: ModuleRefusal.self) {
                try await typedKey(TestKeys.attributes(.cardControl, .unrestricted), [first, second])
            }
            _ = try await typedKey(TestKeys.attributes(.vendorTransport, .unrestricted), [first, second])
        }
    }

    @Test func `a derived key is the master's key of that card, and no master`() async throws {
        let master = try await module.newKey(.purchase, .derive, .tripleDES2, .exportable)
        let factors: [UInt64] = [0x1122_3344_5566_7788]
        let derived = try await module.execute(DiversifyKey(key: DerivedKey(master, factors: factors)))
        let expected = try await module.execute(DerivedCheckValue(key: DerivedKey(master, factors: factors)))
        #expect(derived.checkValue == expected)
        let header = try KeyBlockHeader(parsing: derived.block)
        #expect(header.mode == .unrestricted && header.optionalBlock(LMKBlockField.factors) == "1122334455667788")
        let card = KeyReference.block(derived.block, expected: nil)
        let again = DiversifyKey(key: DerivedKey(card, factors: factors))
        #expect(await module.refusal(of: again) == .modeNotPermitted)
        let terminal = try #require(TerminalNumber(1))
        func mac(_ key: DerivedKey) async throws -> [UInt8] {
            let session = PurchaseSession(random: 1, offlineSequence: 2, terminalTransaction: 3)
            return try await module.execute(
                PurchaseMAC1(
                    key: key, session: session, amount: 1, type: 6, terminal: terminal,
                    time: TransactionTime(date: 0x2026_1123, time: 0))
            ).bytes
        }
        #expect(try await mac(DerivedKey(card)) == mac(DerivedKey(master, factors: factors)))
    }

    /// One by one and as a batch, and through a block that was wrapped anew on the way.
    @Test func `a card key names its whole way from the master, in however many steps it was made`() async throws {
        let master = try await module.newKey(.purchase, .derive, .tripleDES2, .exportable, levels: 4)
        let way: [UInt64] = [1, 0x1122_3344_5566_7788, .max, 4]
        func step(_ key: KeyReference, _ factors: [UInt64]) async throws -> KeyReference {
            let made = try await module.execute(DiversifyKey(key: DerivedKey(key, factors: factors)))
            return .block(made.block, expected: nil)
        }
        func text(_ key: KeyReference) throws -> String? {
            guard case .block(let block, _) = key else { return nil }
            return try KeyBlockHeader(parsing: block).optionalBlock(LMKBlockField.factors)
        }
        let whole = "0000000000000001" + "1122334455667788" + "FFFFFFFFFFFFFFFF" + "0000000000000004"
        let card = try await step(master, way)
        #expect(try text(card) == whole)
        var region = master
        for factor in way.prefix(3) {
            let fresh = try await module.execute(RewrapKey(key: try await step(region, [factor])))
            region = .block(fresh.block, expected: nil)
        }
        #expect(try text(region) == String(whole.prefix(48)))
        let batch = try await module.execute(DiversifyKeyBatch(key: region, levels: 1, factors: [way[3]]))
        let inSteps = [
            try await step(step(master, [way[0], way[1]]), [way[2], way[3]]), try await step(region, [way[3]]),
            .block(batch.keys[0].block, expected: nil),
        ]
        let value = try await module.execute(CheckValue(key: card))
        for key in inSteps {
            #expect(try text(key) == whole)
            #expect(try await module.execute(CheckValue(key: key)) == value)
        }
    }
}
