import HSMBridge
import Synchronization
import Testing

@testable import HSMEngine

@Suite struct AdminCardTests {
    let desk: CeremonyDesk
    init() throws { desk = try CeremonyDesk() }

    @Test func `a blank becomes an admin card, and says so`() async throws {
        let module = desk.start()
        #expect(await module.refusal(of: InspectAdminCard(reader: "2")) == .cardNotAdmin)
        let made = try await desk.format(module, 2)
        #expect(made.custodian == .second && made.term == 0 && made.componentCheckValue == nil)
        #expect(try await module.execute(InspectAdminCard(reader: "2")) == made)
        #expect(desk.cards[1].file(2) == [UInt8](repeating: 0, count: 32))
    }

    @Test func `an admin card is emptied only with its PIN, and a component only on purpose`() async throws {
        let module = desk.start()
        _ = try await desk.generate(module)
        let component = desk.cards[0].file(2)
        await #expect(throws: ModuleRefusal(.cardBlankExpected)) { try await desk.format(module, 1) }
        let wrong = await refusal {
            let format = FormatAdminCard(
                reader: "1", custodian: .first, discardComponent: true, pin: try .typed("999999"))
            _ = try await module.execute(format)
        }
        #expect(wrong == ModuleRefusal(.pinIncorrect, detail: 2))
        #expect(desk.cards[0].file(2) == component)
        let emptied = try await desk.format(module, 1, discard: true)
        #expect(emptied.term == 0 && desk.cards[0].file(2) == [UInt8](repeating: 0, count: 32))
    }

    @Test func `no reader, no card`() async throws {
        let module = desk.start()
        desk.readers.insert(nil, into: "1")
        #expect(await module.refusal(of: InspectAdminCard(reader: "1")) == .cardAbsent)
        #expect(try await module.execute(ListReaders()).names == ["2", "3"])
    }

    @Test func `a card pulled at every command of a format is finished by the next format`() async throws {
        let module = desk.start()
        // The first three commands leave a card that cannot be told from a foreign one; it is scrap (CREATE MF is not undone).
        for command in 1...40 {
            let card = PlayedCard()
            card.change { $0.dieAtCommand = command }
            desk.readers.insert(card, into: "1")
            guard let refusal = await refusal({ _ = try await desk.format(module, 1) }) else { return }
            #expect(refusal.error == .cardFault)
            let state = card.memory.withLock { memory in
                memory.dieAtCommand = nil
                return (memory.hasMasterFile, memory.hasFolder)
            }
            let second = await self.refusal { _ = try await desk.format(module, 1) }
            #expect(second == (state.0 && !state.1 ? ModuleRefusal(.cardBlankExpected) : nil))
        }
        Issue.record("a format has no forty commands")
    }

    @Test func `a card pulled at every command of a generation is presented again`() async throws {
        for command in 1...40 {
            let desk = try CeremonyDesk()
            let module = desk.start()
            for number in 1...3 { _ = try await desk.format(module, number) }
            _ = try await module.execute(BeginCeremony(kind: .generate))
            desk.cards[0].change {
                $0.commands = 0
                $0.dieAtCommand = command
            }
            let refusal = try await desk.refusalOfPresenting(module, 1)
            desk.cards[0].change { $0.dieAtCommand = nil }
            guard refusal != nil else { return }
            #expect(refusal?.error == .cardFault)
            for number in 1...3 { try await desk.present(module, number) }
            _ = try await module.execute(FinishCeremony())
            #expect(try await desk.load(module).state == .operational)
        }
        Issue.record("presenting a card has no forty commands")
    }

    private func refusal(_ body: () async throws -> Void) async -> ModuleRefusal? {
        do {
            try await body()
            return nil
        } catch {
            return error as? ModuleRefusal
        }
    }
}
