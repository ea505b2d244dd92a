import HSMBridge
import Testing

@testable import HSMEngine

@Suite struct PurseCommandTests {
    let folder: TestFolder
    let module: SoftwareModule

    init() throws {
        folder = try TestFolder()
        module = try SoftwareModule(forTestsWithRandomLMKIn: folder.path)
    }

    @Test func `a generated key opens, and its handle calculates what its block calculates`() async throws {
        let key = try await module.newKey(.mac3, .calculate)
        let opened = try await module.execute(OpenKey(key: key))
        let data = Array("Now is the time for all good men".utf8)
        let byBlock = try await module.execute(
            GenerateMAC(key: key, algorithm: .algorithm3, padding: .method2, length: 8, data: data))
        let byHandle = try await module.execute(
            GenerateMAC(
                key: .handle(opened.handle), algorithm: .algorithm3, padding: .method2, length: 8, data: data))
        #expect(byBlock.bytes == byHandle.bytes && byBlock.bytes.count == 8)
        let verify = VerifyMAC(
            key: .handle(opened.handle), algorithm: .algorithm3, padding: .method2, data: data, mac: byBlock.bytes)
        #expect(try await module.execute(verify) == .match)
        for bit in 0..<8 * data.count {
            var changed = verify
            changed.data[bit / 8] ^= 0x80 >> (bit % 8)
            #expect(try await module.execute(changed) == .mismatch)
        }
    }

    @Test func `a load is authorised for the right MAC1 only`() async throws {
        let master = try await module.newKey(.load)
        let card = DerivedKey(master, factors: [0x0000_0000_0000_0001])
        let terminal = try #require(TerminalNumber(0x1122_3344_5566))
        let load = AuthorisePurseLoad(
            key: card, random: 0x1234_5678, onlineSequence: 7, oldBalance: 0, amount: 10_000, type: 2,
            terminal: terminal, mac1: 0, time: TransactionTime(date: 0x2026_1123, time: 0x051430))
        guard case .mac1Mismatch = try await module.execute(load) else {
            Issue.record("a wrong MAC1 was accepted")
            return
        }
    }
}
