import HSMBridge
import Testing

@testable import HSMEngine

@Suite struct StateFolderTests {
    @Test func `every changed byte of the state file is a contradiction`() async throws {
        let desk = try CeremonyDesk()
        do { _ = try await desk.generate(desk.start()) }
        let good = desk.folder.bytes("module.state")
        #expect(StateRecord(parsing: good) != nil)
        for index in good.indices {
            for change in [UInt8(0x01), 0x20, 0x80] {
                var bad = good
                bad[index] ^= change
                #expect(StateRecord(parsing: bad) == nil, "byte \(index)")
            }
            #expect(StateRecord(parsing: Array(good[..<index])) == nil)
        }
        var changed = good
        changed[25] ^= 1
        try desk.folder.write("module.state", changed)
        let module = desk.start()
        let status = try await module.execute(GetStatus())
        #expect(status.state == .failed && status.failure == "state file is damaged")
    }

    @Test func `a journal without its state file is a contradiction`() async throws {
        let desk = try CeremonyDesk()
        do { _ = try await desk.generate(desk.start()) }
        let other = try TestFolder()
        try other.write("module.journal", desk.folder.bytes("module.journal"))
        let module = SoftwareModule(ModuleSettings(stateFolder: other.path, readers: .none))
        #expect(try await module.execute(GetStatus()).failure == "state file is missing")
    }

    @Test func `every start has an epoch of its own`() async throws {
        let folder = try TestFolder()
        var epochs: Set<UInt32> = []
        for _ in 0..<5 {
            let module = SoftwareModule(ModuleSettings(stateFolder: folder.path, readers: .none))
            epochs.insert(try await module.execute(GetStatus()).epoch)
        }
        #expect(epochs.count == 5)
    }
}
