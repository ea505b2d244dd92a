import HSMBridge
import Testing

@testable import HSMEngine

/// Every usage against every calculating command, with real keys through the real path: what the table allows works, all else is
/// refused by name. The table alone is tested elsewhere; this finds a command that forgot to ask it.
@Suite struct UsageMatrixTests {
    private static let masters: [KeyUsage] = KeyUsage.allCases.filter(\.isCardRole)
    /// No PSAM has a master of these.
    private static let notOntoPSAM: Set<KeyUsage> = [.load, .unload, .overdraft, .cardControl, .vendorTransport]
    private static let others: [(KeyUsage, ModeOfUse)] = [
        (.keyEncryption, .both), (.keyBlockProtection, .both), (.dataEncryption, .both), (.mac1, .calculate),
        (.mac3, .calculate), (.cmac, .calculate), (.cardVerification, .calculate), (.applicationCryptogram, .derive),
        (.applicationCryptogram, .unrestricted), (.scriptIntegrity, .derive),
    ]

    /// What came of one command: carried out, or the refusal.
    private func outcome<Command: ModuleCommand>(_ module: SoftwareModule, _ command: Command) async -> ModuleError? {
        do throws(ModuleRefusal) {
            _ = try await module.execute(command)
            return nil
        } catch {
            return error.error
        }
    }

    private func macOutcomes(_ module: SoftwareModule, _ key: KeyReference) async -> [String: ModuleError?] {
        let algorithms: [(HSMBridge.MACAlgorithm, UInt8)] = [
            (.algorithm1, 8), (.algorithm3, 8), (.cmac, 8), (.unionPayECB, 8),
        ]
        var outcomes: [String: ModuleError?] = [:]
        for (algorithm, length) in algorithms {
            let padding: HSMBridge.MACPadding = algorithm == .cmac ? .none : .method2
            let generate = GenerateMAC(
                key: key, algorithm: algorithm, padding: padding, length: length, data: [1, 2, 3])
            let verify = VerifyMAC(
                key: key, algorithm: algorithm, padding: padding, data: [1, 2, 3], mac: [UInt8](repeating: 0, count: 8))
            outcomes["generate \(algorithm)"] = await outcome(module, generate)
            outcomes["verify \(algorithm)"] = await outcome(module, verify)
        }
        return outcomes
    }

    private func cardOutcomes(
        _ module: SoftwareModule, _ key: KeyReference, factors: [UInt64], control: DerivedKey
    ) async throws -> [String: ModuleError?] {
        let derived = DerivedKey(key, factors: factors)
        let terminal = try #require(TerminalNumber(1))
        let time = TransactionTime(date: 0x2026_1123, time: 0)
        let session = PurchaseSession(random: 1, offlineSequence: 1, terminalTransaction: 1)
        var outcomes: [String: ModuleError?] = [:]
        outcomes["load"] = await outcome(
            module,
            AuthorisePurseLoad(
                key: derived, random: 1, onlineSequence: 1, oldBalance: 0, amount: 1, type: 2, terminal: terminal,
                mac1: 0,
                time: time))
        outcomes["purchase"] = await outcome(
            module,
            PurchaseMAC1(key: derived, session: session, amount: 1, type: 6, terminal: terminal, time: time))
        outcomes["mac2"] = await outcome(
            module, VerifyPurchaseMAC2(key: derived, session: session, amount: 1, mac2: 0))
        outcomes["tac"] = await outcome(module, VerifyTAC(key: derived, data: [1, 2, 3], tac: 0))
        outcomes["tacBatch"] = await outcome(
            module,
            VerifyTACBatch(
                key: key, levels: UInt8(factors.count), dataLength: 1,
                records: [UInt8](repeating: 0, count: 8 * factors.count + 5)))
        outcomes["diversify"] = await outcome(module, DiversifyKey(key: derived))
        outcomes["control"] = await outcome(
            module,
            ProtectKeyLoad(
                controllingKey: derived, key: control, commandHeader: 0x84D4_0000, keyHeader: [0, 1, 0],
                challenge: [1, 2, 3, 4]))
        outcomes["loaded"] = await outcome(
            module,
            ProtectKeyLoad(
                controllingKey: control, key: derived, commandHeader: 0x84D4_0000, keyHeader: [0, 1, 0],
                challenge: [1, 2, 3, 4]))
        outcomes["protect"] = await outcome(
            module,
            ProtectCommand(
                key: derived, commandHeader: 0x04D6_9500, data: [1], encipher: true, challenge: [1, 2, 3, 4]))
        outcomes["cryptogram"] = await outcome(module, CardCryptogram(key: derived, challenge: [1, 2, 3, 4]))
        let cipher = DataCipher(mode: .ecb)
        let block = [UInt8](repeating: 1, count: 16)
        outcomes["encipher"] = await outcome(module, EncipherData(key: key, cipher: cipher, data: block))
        outcomes["decipher"] = await outcome(module, DecipherData(key: key, cipher: cipher, data: block))
        let digits = Array("41234567890123458701101".utf8)
        outcomes["cvv"] = await outcome(module, GenerateCardCode(key: key, digits: digits))
        outcomes["verify cvv"] = await outcome(
            module, VerifyCardCode(key: key, digits: digits, cardCode: Array("561".utf8)))
        let card = CryptogramCard(key: key, account: .optionA(1), session: .pboc(1))
        outcomes["arqc"] = await outcome(
            module, VerifyCryptogram(card: card, padding: .marked, data: [UInt8](repeating: 1, count: 9), cryptogram: 1)
        )
        outcomes["arpc"] = await outcome(
            module, RespondToCryptogram(card: card, cryptogram: 1, response: .method1(code: 0)))
        let load = AuthorisePurseLoad(
            key: derived, random: 1, onlineSequence: 1, oldBalance: 0, amount: 1, type: 3, terminal: terminal, mac1: 0,
            time: time)
        outcomes["unload"] = await outcome(module, AuthorisePurseUnload(load))
        outcomes["mac3"] = await outcome(
            module,
            VerifyUnloadMAC3(
                key: derived, random: 1, onlineSequence: 1, newBalance: 0, amount: 1, type: 3, terminal: terminal,
                time: time, mac3: 0))
        outcomes["sign"] = await outcome(module, Sign(key: key, message: [1]))
        let input = SignatureInput(hash: .sha256, padding: .pkcs1, message: [1])
        outcomes["signature"] = await outcome(module, CreateSignature(key: key, input: input))
        outcomes["signature check"] = await outcome(
            module, VerifySignature(key: key, input: input, signature: [UInt8](repeating: 1, count: 256)))
        return outcomes
    }

    /// Which of the outcomes above a usage is for; a master with one factor.
    private static func expected(_ usage: KeyUsage) -> Set<String> {
        let own: Set<String> =
            switch usage {
            case .keyEncryption, .keyBlockProtection, .signature: []
            case .dataEncryption: ["encipher", "decipher"]
            case .mac1:
                [
                    "generate algorithm1", "verify algorithm1", "generate unionPayECB", "verify unionPayECB",
                ]
            case .mac3: ["generate algorithm3", "verify algorithm3"]
            case .cmac: ["generate cmac", "verify cmac"]
            case .purchase: ["purchase", "mac2"]
            case .load: ["load"]
            case .tac: ["tac", "tacBatch"]
            case .cardVerification: ["cvv", "verify cvv"]
            case .applicationCryptogram: ["arqc", "arpc"]
            case .scriptIntegrity: []
            case .unload: ["unload", "mac3"]
            case .overdraft, .pinUnblock, .pinReload, .internalAuthentication, .psamCipher: []
            case .applicationMaintenance, .cardMaintenance: ["protect"]
            case .cardControl: ["control", "cryptogram"]
            case .externalAuthentication: ["cryptogram"]
            case .vendorTransport: ["control", "cryptogram"]
            }
        guard usage.isCardRole, usage != .vendorTransport else { return own }
        return own.union(["diversify", "loaded"])
    }

    @Test func `every usage does what it is for and nothing else`() async throws {
        let folder = try TestFolder()
        let module = try SoftwareModule(forTestsWithRandomLMKIn: folder.path)
        let control = DerivedKey(try await module.newKey(.cardControl, .unrestricted, label: "CONTROL"))
        let kinds = Self.others + Self.masters.map { ($0, .derive) }
        for (usage, mode) in kinds {
            let key = try await module.newKey(usage, mode, label: "K-\(usage.rawValue)")
            let factors: [UInt64] = usage.isCardRole ? [0x1122_3344_5566_7788] : []
            var outcomes = try await cardOutcomes(module, key, factors: factors, control: control)
            outcomes.merge(await macOutcomes(module, key)) { first, _ in first }
            #expect(outcomes.count == 29)
            for (name, outcome) in outcomes {
                if Self.expected(usage).contains(name) {
                    #expect(outcome == nil, "\(usage) \(name)")
                } else {
                    #expect(outcome == .usageNotPermitted, "\(usage) \(name)")
                }
            }
        }
    }

    @Test(arguments: masters) func `a master without factors calculates nothing`(usage: KeyUsage) async throws {
        let folder = try TestFolder()
        let module = try SoftwareModule(forTestsWithRandomLMKIn: folder.path)
        let control = DerivedKey(try await module.newKey(.cardControl, .unrestricted, label: "CONTROL"))
        let key = try await module.newKey(usage)
        let outcomes = try await cardOutcomes(module, key, factors: [], control: control)
        for (name, outcome) in outcomes {
            switch name {
            case "loaded": #expect((outcome == nil) == !Self.notOntoPSAM.contains(usage), "\(usage)")
            case "control", "cryptogram": #expect((outcome == nil) == (usage == .vendorTransport), "\(usage) \(name)")
            default: #expect(outcome != nil, "\(usage) \(name)")
            }
        }
    }

    /// With one factor fewer the key is one whose blocks are halves of card keys; with one more it is nobody's.
    @Test(arguments: masters) func `a master calculates at its own depth and at no other`(usage: KeyUsage) async throws
    {
        let folder = try TestFolder()
        let module = try SoftwareModule(forTestsWithRandomLMKIn: folder.path)
        let control = DerivedKey(try await module.newKey(.cardControl, .unrestricted, label: "CONTROL"))
        for levels in 1...4 {
            let key = try await module.newKey(usage, levels: levels)
            for given in 0...4 {
                let factors = (0..<given).map { UInt64($0 + 1) }
                let outcomes = try await cardOutcomes(module, key, factors: factors, control: control)
                for (name, outcome) in outcomes where Self.expected(usage).contains(name) {
                    let isAllowed =
                        switch name {
                        case "control", "cryptogram": given == levels || usage == .vendorTransport
                        case "diversify": (1...levels).contains(given)
                        case "loaded": given == levels || given < levels && !Self.notOntoPSAM.contains(usage)
                        default: given == levels
                        }
                    #expect((outcome == nil) == isAllowed, "\(usage) \(name), \(given) of \(levels)")
                }
            }
        }
    }

    @Test func `a maker's key washes a card, and loads no other key`() async throws {
        let folder = try TestFolder()
        let module = try SoftwareModule(forTestsWithRandomLMKIn: folder.path)
        let vendor = DerivedKey(try await module.newKey(.vendorTransport))
        for usage in Self.masters {
            let key = DerivedKey(try await module.newKey(usage), factors: [1])
            let load = ProtectKeyLoad(
                controllingKey: vendor, key: key, commandHeader: 0x84D4_0000, keyHeader: [0, 1, 0],
                challenge: [1, 2, 3, 4])
            #expect(await outcome(module, load) == (usage == .cardControl ? nil : .usageNotPermitted), "\(usage)")
        }
    }
}
