import HSMBridge
import Testing

@testable import HSMEngine

@Suite struct KeyBlockBindingTests {
    let folder: TestFolder
    let module: SoftwareModule

    init() throws {
        folder = try TestFolder()
        module = try SoftwareModule(forTestsWithRandomLMKIn: folder.path)
    }

    @Test func `every changed character of a stored block is refused`() async throws {
        guard case .block(let block, _) = try await module.newKey(.purchase) else { return }
        let characters = Array(block.utf8)
        for index in characters.indices {
            var changed = characters
            changed[index] = changed[index] == UInt8(ascii: "0") ? UInt8(ascii: "1") : UInt8(ascii: "0")
            let key = KeyReference.block(String(decoding: changed, as: UTF8.self), expected: nil)
            let refused = await module.refusal(of: InspectKey(key: key))
            let allowed: [ModuleError] = [.keyBlockAuthentication, .keyBlockMalformed, .lmkTermUnknown]
            #expect(refused.map { allowed.contains($0) } == true, "character \(index)")
        }
    }

    @Test func `a block in another row is genuine and refused`() async throws {
        guard case .block(let block, let identity) = try await module.newKey(.purchase, label: "A") else { return }
        let other = try TestKeys.identity("B")
        #expect(await module.refusal(of: InspectKey(key: .block(block, expected: other))) == .keyIdentityMismatch)
        let older = try TestKeys.identity("A", version: 2)
        #expect(await module.refusal(of: InspectKey(key: .block(block, expected: older))) == .keyIdentityMismatch)
        let description = try await module.execute(InspectKey(key: .block(block, expected: identity)))
        #expect(description.identity == identity && description.term == 1)
        #expect(description.attributes == TestKeys.attributes(.purchase))
    }

    @Test func `a block of another LMK is refused`() async throws {
        let otherFolder = try TestFolder()
        let other = try SoftwareModule(forTestsWithRandomLMKIn: otherFolder.path)
        let foreign = try await other.newKey(.purchase)
        #expect(await module.refusal(of: InspectKey(key: foreign)) == .keyBlockAuthentication)
    }

    @Test func `handles are void after sealing, and of other modules`() async throws {
        let key = try await module.newKey(.mac3, .calculate)
        let handle = try await module.execute(OpenKey(key: key)).handle
        #expect(try await module.execute(OpenKey(key: key)).handle == handle)
        _ = try await module.execute(CloseKey(handle: handle))
        #expect(await module.refusal(of: CheckValue(key: .handle(handle))) == .unknownHandle)
        #expect(await module.refusal(of: CloseKey(handle: handle)) == .unknownHandle)
        let again = try await module.execute(OpenKey(key: key)).handle
        #expect(again != handle)
        _ = try await module.execute(SealModule())
        #expect(await module.refusal(of: CheckValue(key: .handle(again))) == .sealed)
        try module.openWithRandomLMK()
        #expect(await module.refusal(of: CheckValue(key: .handle(again))) == .unknownHandle)
    }

    @Test func `the cache stays within its bound, and keeps the key in use`() async throws {
        let smallFolder = try TestFolder()
        var settings = ModuleSettings(stateFolder: smallFolder.path, readers: .none)
        settings.openKeyLimit = 8
        let small = SoftwareModule(settings)
        try small.openWithRandomLMK()
        let hot = try await small.execute(OpenKey(key: try await small.newKey(.mac3, .calculate, label: "HOT"))).handle
        var handles: [KeyHandle] = []
        for number in 0..<40 {
            let key = try await small.newKey(.mac3, .calculate, label: "K\(number)")
            handles.append(try await small.execute(OpenKey(key: key)).handle)
            _ = try await small.execute(CheckValue(key: .handle(hot)))
            #expect(try await small.execute(GetStatus()).openKeys <= 8)
        }
        #expect(Set(handles).count == 40)
        #expect(await small.refusal(of: CheckValue(key: .handle(handles[0]))) == .unknownHandle)
    }

    @Test func `a generated RSA pair signs, and openssl's rules verify it`() async throws {
        let attributes = TestKeys.attributes(.signature, .sign, .rsa(bits: 2_048))
        let identity = try TestKeys.identity("AUDIT")
        let pair = try await module.execute(GenerateKeyPair(attributes: attributes, identity: identity))
        let message = Array("head of the day".utf8)
        let key = KeyReference.block(pair.privateKey.block, expected: identity)
        let signature = try await module.execute(Sign(key: key, message: message)).bytes
        #expect(try RSA.verify(signature.span, of: message.span, .sha256, publicKey: pair.publicKey))
        #expect(try await module.execute(CheckValue(key: key)) == pair.privateKey.checkValue)
        let mac = GenerateMAC(key: key, algorithm: .algorithm3, padding: .method2, length: 8, data: [1])
        #expect(await module.refusal(of: mac) == .usageNotPermitted)
    }
}
