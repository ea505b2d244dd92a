import HSMBridge
import Testing

@testable import HSMEngine

/// Bytes that no honest caller sends. The tests pass where the module still answers and still refuses.
@Suite struct HostileMessageTests {
    /// A message with one of nearly every command.
    private func honestMessage(_ module: SoftwareModule) async throws -> [UInt8] {
        let mac = try await module.newKey(.mac3, .calculate)
        let tac = try await module.newKey(.tac)
        let control = DerivedKey(try await module.newKey(.cardControl, .unrestricted))
        let opened = try await module.execute(OpenKey(key: mac))
        var request = ModuleRequest()
        request.append(GetStatus())
        request.append(InspectKey(key: mac))
        request.append(
            VerifyMAC(
                key: .handle(opened.handle), algorithm: .algorithm3, padding: .method2, data: [1, 2, 3],
                mac: [1, 2, 3, 4]))
        request.append(VerifyTACBatch(key: tac, levels: 1, dataLength: 3, records: [UInt8](repeating: 7, count: 45)))
        request.append(
            ProtectKeyLoad(
                controllingKey: control, key: DerivedKey(tac, factors: [1]), commandHeader: 0x84D4_0000,
                keyHeader: [0, 1, 0], challenge: [1, 2, 3, 4]))
        request.append(RandomBytes(count: 9))
        request.append(CardCryptogram(key: control, challenge: [1, 2, 3, 4]))
        request.append(
            BeginComponentEntry(
                attributes: TestKeys.attributes(.keyEncryption, .both), identity: try TestKeys.identity("K"),
                components: 2))
        request.append(PresentAdminCard(reader: "R", pin: try .typed("123456")))
        return Array(request.bytes().dropFirst(4))
    }

    private func answer(_ module: SoftwareModule, _ message: [UInt8]) throws -> ModuleReply {
        var writer = ModuleReplyWriter()
        _ = unsafe message.withUnsafeBytes { bytes in
            unsafe module.answer(bytes, from: .thisProcess, into: &writer)
        }
        return try ModuleReply(message: unsafe writer.withMessage { unsafe Array($0.dropFirst(4)) })
    }

    @Test func `no bytes stop the module`() async throws {
        let folder = try TestFolder()
        let module = try SoftwareModule(forTestsWithRandomLMKIn: folder.path)
        let honest = try await honestMessage(module)
        // With an empty body, sealing is an honest command: it does what it says.
        let codes = CommandCode.allCases.filter { $0 != .sealModule }.map(\.rawValue)
        var dice = Dice(state: 0x6B6D_7364)
        for round in 0..<6_000 {
            var message = honest
            switch round % 4 {
            case 0: message[Int.random(in: 0..<message.count, using: &dice)] = UInt8.random(in: 0...255, using: &dice)
            case 1:
                for _ in 0..<8 {
                    message[Int.random(in: 0..<message.count, using: &dice)] ^=
                        1 << UInt8.random(in: 0..<8, using: &dice)
                }
            case 2: message.removeLast(Int.random(in: 1...message.count, using: &dice))
            default:
                // One command with a random body behind a right frame.
                let code = codes.randomElement(using: &dice) ?? 0
                let body = (0..<Int.random(in: 0...60, using: &dice)).map { _ in UInt8.random(in: 0...7, using: &dice) }
                message = [0, 0, 0, 1, UInt8(code >> 8), UInt8(code & 255), 0, 0, 0, UInt8(body.count)] + body
            }
            _ = try answer(module, message)
        }
        #expect(module.status().state == .operational)
        #expect(try answer(module, honest).count == 9)
    }

    /// Random sequences over a growing pool of keys: whatever is asked, a key never comes out with another usage than it went in
    /// with, a smaller strength, or more ways out.
    @Test func `no sequence of commands changes what a key may do`() async throws {
        let folder = try TestFolder()
        let module = try SoftwareModule(forTestsWithRandomLMKIn: folder.path)
        var dice = Dice(state: 42)
        var pool: [(key: KeyReference, value: KeyCheckValue, attributes: KeyAttributes)] = []
        let kek = try await module.newKey(.keyBlockProtection, .both, .aes256, label: "KEK")
        let modes: [ModeOfUse] = [.derive, .unrestricted, .calculate, .both]
        var made: [KeyCheckValue: KeyAttributes] = [:]
        var imports = 0
        for _ in 0..<1_500 {
            let attributes = KeyAttributes(
                usage: KeyUsage.allCases.randomElement(using: &dice) ?? .mac3, algorithm: .tripleDES2,
                mode: modes.randomElement(using: &dice) ?? .derive,
                exportability: Exportability.allCases.randomElement(using: &dice) ?? .nonExportable)
            let identity = try TestKeys.identity("K\(pool.count)")
            if pool.isEmpty || Bool.random(using: &dice) && pool.count < 40 {
                guard let new = try? await module.execute(GenerateKey(attributes: attributes, identity: identity))
                else { continue }
                made[new.checkValue] = attributes
                pool.append((.block(new.block, expected: identity), new.checkValue, attributes))
                continue
            }
            guard let picked = pool.randomElement(using: &dice),
                let out = try? await module.execute(ExportKeyBlock(transportKey: kek, key: picked.key))
            else { continue }
            #expect(picked.attributes.exportability != .nonExportable)
            let back = ImportKeyBlock(transportKey: kek, block: out.block, attributes: attributes, identity: identity)
            guard let imported = try? await module.execute(back) else { continue }
            imports += 1
            let first = try #require(made[imported.checkValue])
            #expect(attributes.usage == first.usage && attributes.mode == first.mode)
            #expect(first.exportability == .sensitive || attributes.exportability != .sensitive)
            #expect(first.exportability != .nonExportable)
            pool.append((.block(imported.block, expected: identity), imported.checkValue, attributes))
        }
        #expect(imports > 0)
    }
}
