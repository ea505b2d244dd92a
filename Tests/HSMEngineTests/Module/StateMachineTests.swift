import HSMBridge
import Synchronization
import Testing

@testable import HSMEngine

@Suite struct StateMachineTests {
    /// The whole table, state by event; what is not here does not happen.
    private static let moves: [ModuleState: [ModuleEvent: ModuleState]] = [
        .uninitialised: [.generationBegun: .ceremony, .failed: .failed],
        .sealed: [.loadBegun: .ceremony, .sealed: .sealed, .failed: .failed],
        .ceremony: [
            .generationFinished: .sealed, .generationEnded: .uninitialised, .loadFinished: .operational,
            .loadEnded: .sealed,
            .failed: .failed,
        ],
        .operational: [.sealed: .sealed, .failed: .failed],
        .failed: [.failed: .failed],
    ]

    @Test func `every state and event goes where the table says`() {
        for state in ModuleState.allCases {
            for event in ModuleEvent.allCases {
                #expect(StateMachine.next(state, event) == Self.moves[state]?[event])
            }
        }
    }

    @Test func `an uninitialised module refuses everything that needs an LMK`() async throws {
        let folder = try TestFolder()
        let module = SoftwareModule(ModuleSettings(stateFolder: folder.path, readers: .none))
        let identity = try TestKeys.identity("KEY")
        let generate = GenerateKey(attributes: TestKeys.attributes(.purchase), identity: identity)
        #expect(await module.refusal(of: generate) == .uninitialised)
        #expect(await module.refusal(of: RandomBytes(count: 8)) == .uninitialised)
        #expect(await module.refusal(of: SealModule()) == .uninitialised)
        #expect(await module.refusal(of: BeginCeremony(kind: .load)) == .uninitialised)
        #expect(await module.refusal(of: FinishCeremony()) == .ceremonyNotOpen)
        #expect(try await module.execute(RunSelfTest()).passed)
    }

    @Test(arguments: SelfTests.all.map(\.name)) func `each self-test can stop the module`(name: String) async throws {
        let folder = try TestFolder()
        var settings = ModuleSettings(stateFolder: folder.path, readers: .none)
        settings.brokenSelfTest = name
        let module = SoftwareModule(settings)
        let status = try await module.execute(GetStatus())
        #expect(status.state == .failed && status.failure == "self-test \(name)" && status.selfTestsPassed == 0)
        #expect(await module.refusal(of: BeginCeremony(kind: .generate)) == .failed)
        #expect(await module.refusal(of: RandomBytes(count: 8)) == .failed)
    }

    @Test func `a self-test that fails later voids the LMK`() async throws {
        let folder = try TestFolder()
        var settings = ModuleSettings(stateFolder: folder.path, readers: .none)
        let module = SoftwareModule(settings)
        try module.openWithRandomLMK()
        let key = try await module.newKey(.mac3, .calculate)
        let keyring = module.live.withLock { $0.keyring }
        module.live.withLock { $0.fail("self-test played") }
        #expect(await module.refusal(of: CheckValue(key: key)) == .failed)
        #expect(keyring?.isVoid == true)
        settings.stateFolder = folder.path + "/absent"
        #expect(try await SoftwareModule(settings).execute(GetStatus()).state == .failed)
    }
}
