import HSMBridge
import Synchronization
import Testing

@testable import HSMEngine

@Suite struct CeremonyTests {
    let desk: CeremonyDesk
    init() throws { desk = try CeremonyDesk() }

    @Test func `three cards make an LMK, and open the module again after a restart`() async throws {
        var module: SoftwareModule? = desk.start()
        let first = try #require(module)
        #expect(try await first.execute(GetStatus()).state == .uninitialised)
        let made = try await desk.generate(first)
        #expect(made.state == .sealed && made.term == 1 && made.componentCheckValues.count == 3)
        let opened = try await desk.load(first)
        #expect(opened.state == .operational && opened.lmkCheckValue == made.lmkCheckValue)
        let key = try await first.newKey(.mac3, .calculate)
        let checkValue = try await first.execute(CheckValue(key: key))

        module = nil
        try await restart(after: first, key: key, checkValue: checkValue, made: made)
    }

    private func restart(
        after first: SoftwareModule, key: KeyReference, checkValue: KeyCheckValue, made: ModuleStatus
    ) async throws {
        // The folder's lock keeps a second module out while the first lives: a copy of the folder stands for the restart.
        let copy = try CeremonyDesk()
        try copy.folder.write("module.state", desk.folder.bytes("module.state"))
        try copy.folder.write("module.journal", desk.folder.bytes("module.journal"))
        for number in 1...3 { copy.readers.insert(desk.cards[number - 1], into: "\(number)") }
        let second = copy.start()
        let status = try await second.execute(GetStatus())
        #expect(status.state == .sealed && status.lmkCheckValue == made.lmkCheckValue)
        #expect(await second.refusal(of: CheckValue(key: key)) == .sealed)
        #expect(try await copy.load(second).state == .operational)
        #expect(try await second.execute(CheckValue(key: key)) == checkValue)
        let before = try await first.execute(GetStatus()).epoch
        #expect(try await second.execute(GetStatus()).epoch > before)
        #expect(ModuleJournal.verify(path: copy.folder.file("module.journal")) != .unreadable)
    }

    @Test func `a second module over the same folder is kept out`() async throws {
        let first = desk.start()
        let status = try await desk.start().execute(GetStatus())
        #expect(status.state == .failed && status.failure.contains("another module"))
        #expect(try await first.execute(GetStatus()).state == .uninitialised)
    }

    @Test func `the components on the cards are three, and their xor is the LMK of the check value`() async throws {
        let module = desk.start()
        let made = try await desk.generate(module)
        let components = desk.cards.map { $0.file(2) }
        #expect(Set(components).count == 3 && components.allSatisfy { $0.count == 32 })
        for (index, component) in components.enumerated() {
            let value = try KeyCheckValue.calculate(SecretBytes(copying: component.span), algorithm: .aes256)
            #expect(value == made.componentCheckValues[index])
        }
        let lmk = (0..<32).map { index in components.reduce(UInt8(0)) { $0 ^ $1[index] } }
        #expect(try KeyCheckValue.calculate(SecretBytes(copying: lmk.span), algorithm: .aes256) == made.lmkCheckValue)
    }

    @Test func `a wrong PIN costs a try, the third blocks, and the module stays sealed`() async throws {
        let module = desk.start()
        _ = try await desk.generate(module)
        _ = try await module.execute(BeginCeremony(kind: .load))
        #expect(try await desk.refusalOfPresenting(module, 1, pin: "000000") == ModuleRefusal(.pinIncorrect, detail: 2))
        #expect(try await desk.refusalOfPresenting(module, 1, pin: "000000") == ModuleRefusal(.pinIncorrect, detail: 1))
        #expect(try await desk.refusalOfPresenting(module, 1, pin: "000000")?.error == .pinBlocked)
        #expect(try await desk.refusalOfPresenting(module, 1)?.error == .pinBlocked)
        #expect(try await desk.refusalOfPresenting(module, 2, pin: "12a456")?.error == .pinFormat)
        #expect(try await desk.refusalOfPresenting(module, 2, pin: "12345")?.error == .pinFormat)
        _ = try await module.execute(AbortCeremony())
        #expect(try await module.execute(GetStatus()).state == .sealed)
    }

    @Test func `the same card does not count twice, nor a second card of one custodian`() async throws {
        let module = desk.start()
        _ = try await desk.generate(module)
        _ = try await module.execute(BeginCeremony(kind: .load))
        try await desk.present(module, 1)
        #expect(try await desk.refusalOfPresenting(module, 1)?.error == .componentRepeated)
        // Another card says that it is the first custodian's too.
        desk.cards[1].change { $0.files[1]?.bytes[0] = 1 }
        #expect(try await desk.refusalOfPresenting(module, 2)?.error == .custodianUnexpected)
    }

    @Test func `a copy of a component on another custodian's card is found`() async throws {
        let module = desk.start()
        _ = try await desk.generate(module)
        let copied = desk.cards[0].file(2)
        desk.cards[1].change { $0.files[2]?.bytes = copied }
        _ = try await module.execute(BeginCeremony(kind: .load))
        try await desk.present(module, 1)
        #expect(try await desk.refusalOfPresenting(module, 2)?.error == .componentRepeated)
    }

    @Test func `one changed bit of a component is refused before the LMK is formed`() async throws {
        let module = desk.start()
        _ = try await desk.generate(module)
        for bit in stride(from: 0, to: 256, by: 5) {
            desk.cards[2].change { $0.files[2]?.bytes[bit / 8] ^= 0x80 >> UInt8(bit % 8) }
            _ = try await module.execute(BeginCeremony(kind: .load))
            #expect(try await desk.refusalOfPresenting(module, 3)?.error == .componentMismatch)
            _ = try await module.execute(AbortCeremony())
            desk.cards[2].change { $0.files[2]?.bytes[bit / 8] ^= 0x80 >> UInt8(bit % 8) }
        }
        #expect(try await desk.load(module).state == .operational)
    }

    @Test(arguments: [[1], [2], [3], [1, 2], [1, 3], [2, 3], []])
    func `no proper subset of the cards opens the module`(subset: [Int]) async throws {
        let module = desk.start()
        _ = try await desk.generate(module)
        _ = try await module.execute(BeginCeremony(kind: .load))
        for number in subset { try await desk.present(module, number) }
        #expect(await module.refusal(of: FinishCeremony()) == .ceremonyIncomplete)
        #expect(try await module.execute(GetStatus()).state == .sealed)
        #expect(await module.refusal(of: FinishCeremony()) == .ceremonyNotOpen)
    }

    @Test func `another module's cards cost no PIN try`() async throws {
        let module = desk.start()
        _ = try await desk.generate(module)
        let other = try CeremonyDesk()
        _ = try await other.generate(other.start())
        desk.readers.insert(other.cards[0], into: "1")
        _ = try await module.execute(BeginCeremony(kind: .load))
        #expect(try await desk.refusalOfPresenting(module, 1, pin: "000000")?.error == .componentMismatch)
        #expect(other.cards[0].memory.withLock { $0.tries } == 3)
    }

    @Test func `a ceremony ends by itself after ten minutes`() async throws {
        let module = desk.start()
        _ = try await desk.generate(module)
        let progress = try await module.execute(BeginCeremony(kind: .load))
        #expect(progress.secondsLeft == 600)
        try await desk.present(module, 1)
        #expect(await module.refusal(of: BeginCeremony(kind: .load)) == .ceremonyOpen)
        desk.wait(seconds: 600)
        module.endExpiredSessions()
        #expect(module.live.withLock { $0.ceremony == nil })
        #expect(try await module.execute(GetStatus()).state == .sealed)
        #expect(try await desk.refusalOfPresenting(module, 2)?.error == .ceremonyExpired)
        #expect(await module.refusal(of: FinishCeremony()) == .ceremonyExpired)
        #expect(try await desk.load(module).state == .operational)
    }

    @Test func `an LMK with another check value than the recorded one stays out`() async throws {
        let module = desk.start()
        _ = try await desk.generate(module)
        let wrong = KeyCheckValue(1, 2, 3)
        module.live.withLock { $0.record.masterKey?.checkValue = wrong }
        for card in desk.cards { card.change { $0.files[1]?.bytes.replaceSubrange(13..<16, with: wrong.bytes) } }
        _ = try await module.execute(BeginCeremony(kind: .load))
        for number in 1...3 { try await desk.present(module, number) }
        #expect(await module.refusal(of: FinishCeremony()) == .lmkMismatch)
        #expect(try await module.execute(GetStatus()).state == .sealed)
    }

    @Test func `secret memory is as empty after an abandoned ceremony as before`() async throws {
        let module = desk.start()
        _ = try await desk.generate(module)
        _ = try await module.execute(BeginCeremony(kind: .load))
        try await desk.present(module, 1)
        weak let box = module.live.withLock { $0.ceremony?.ceremony.components[.first] }
        #expect(box != nil)
        _ = try await module.execute(AbortCeremony())
        #expect(box == nil)
    }
}
