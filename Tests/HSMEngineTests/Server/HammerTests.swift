import HSMBridge
import Synchronization
import Testing

@testable import HSMEngine

@Suite struct HammerTests {
    private func answer(_ module: SoftwareModule, _ command: VerifyMAC, times: Int) throws -> ModuleReply {
        var request = ModuleRequest()
        for _ in 0..<times { request.append(command) }
        var writer = ModuleReplyWriter()
        let bytes = request.bytes()
        _ = unsafe bytes.withUnsafeBytes { memory in
            unsafe module.answer(
                UnsafeRawBufferPointer(rebasing: memory.dropFirst(4)), from: .thisProcess, into: &writer)
        }
        return try ModuleReply(message: unsafe writer.withMessage { unsafe Array($0.dropFirst(4)) })
    }

    /// Two threads verify by block and by handle while a third seals and opens with the cards, fifty times. An answer is the
    /// right verdict or one of the refusals of a module that is being sealed: never a wrong verdict, never a crash.
    @Test func `calculations beside sealing and unsealing are right or refused`() async throws {
        let desk = try CeremonyDesk()
        let module = desk.start()
        _ = try await desk.generate(module)
        _ = try await desk.load(module)
        let key = try await module.newKey(.mac3, .calculate)
        let data = Array("sixteen bytes!!!".utf8)
        let mac = try await module.execute(
            GenerateMAC(key: key, algorithm: .algorithm3, padding: .method2, length: 8, data: data)
        ).bytes
        let isOver = Atomic<Bool>(false)
        let rounds = Atomic<Int>(0)
        let wrong = Mutex<[String]>([])

        @Sendable func hammer(byHandle: Bool) {
            var reference = key
            while !isOver.load(ordering: .relaxed) {
                if byHandle, let opened = try? answerOpen(module, key) { reference = .handle(opened) }
                let command = VerifyMAC(
                    key: reference, algorithm: .algorithm3, padding: .method2, data: data, mac: mac)
                guard let reply = try? answer(module, command, times: 50) else {
                    wrong.withLock { $0.append("no reply") }
                    return
                }
                for index in 0..<50 {
                    do throws(ModuleRefusal) {
                        if try reply.reply(index, to: VerifyMAC.self) != .match {
                            wrong.withLock { $0.append("verdict") }
                        }
                    } catch {
                        let expected: [ModuleError] = [.sealed, .ceremonyOpen, .unknownHandle]
                        if !expected.contains(error.error) { wrong.withLock { $0.append("\(error.error)") } }
                    }
                }
                rounds.add(1, ordering: .relaxed)
            }
        }

        let first = try #require(ServerThread { hammer(byHandle: false) })
        let second = try #require(ServerThread { hammer(byHandle: true) })
        for _ in 0..<50 {
            _ = try await module.execute(SealModule())
            #expect(try await desk.load(module).state == .operational)
        }
        isOver.store(true, ordering: .relaxed)
        first.join()
        second.join()
        #expect(wrong.withLock { $0 } == [])
        #expect(rounds.load(ordering: .relaxed) > 0)
    }

    private func answerOpen(_ module: SoftwareModule, _ key: KeyReference) throws -> KeyHandle? {
        var request = ModuleRequest()
        request.append(OpenKey(key: key))
        var writer = ModuleReplyWriter()
        let bytes = request.bytes()
        _ = unsafe bytes.withUnsafeBytes { memory in
            unsafe module.answer(
                UnsafeRawBufferPointer(rebasing: memory.dropFirst(4)), from: .thisProcess, into: &writer)
        }
        let reply = try ModuleReply(message: unsafe writer.withMessage { unsafe Array($0.dropFirst(4)) })
        return try? reply.reply(0, to: OpenKey.self).handle
    }

    @Test func `RSA generation does not stop MACs`() async throws {
        let folder = try TestFolder()
        let module = try SoftwareModule(forTestsWithRandomLMKIn: folder.path)
        let key = try await module.newKey(.mac3, .calculate)
        let identity = try TestKeys.identity("RSA")
        let isMade = Atomic<Bool>(false)
        let macs = Atomic<Int>(0)
        let thread = try #require(
            ServerThread {
                let mac = VerifyMAC(key: key, algorithm: .algorithm3, padding: .method2, data: [1], mac: [1, 2, 3, 4])
                while !isMade.load(ordering: .relaxed) {
                    if (try? answer(module, mac, times: 1).count) == 1 { macs.add(1, ordering: .relaxed) }
                }
            })
        let attributes = TestKeys.attributes(.signature, .sign, .rsa(bits: 2_048))
        let pair = try await module.execute(GenerateKeyPair(attributes: attributes, identity: identity))
        isMade.store(true, ordering: .relaxed)
        thread.join()
        #expect(!pair.publicKey.isEmpty)
        #expect(macs.load(ordering: .relaxed) > 100)
    }
}
