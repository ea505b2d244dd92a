import HSMBridge
import Personalization
import Testing

extension IntegrationTests {
    /// Cards made and used through pcscd.
    @Suite struct WholeCards {
        @Test func `a PSAM and a user card are made through pcscd, and take a purchase between them`() async throws {
            let bureau = try #require(Bureau.current)
            for card in [Rack.psam, Rack.user] {
                let job = try await bureau.make(card)
                #expect(job.journal.filter { $0.outcome == .done }.map(\.number) == Array(1...job.steps))
                #expect(try await bureau.stock(job.batch).place == "finished")
            }
            let terminal = Terminal(bureau: bureau, card: Rack.user, psam: Rack.psam)
            try await terminal.load(10_000)
            let first = try await terminal.purchase(1_250)
            #expect(first.balance == 8_750)
            let second = try await terminal.purchase(50)
            #expect(second.balance == 8_700)
            #expect(second.terminalTransaction == first.terminalTransaction + 1)
            for receipt in [first, second] { try await checkTAC(receipt, bureau) }
        }

        private func checkTAC(_ receipt: Terminal.Receipt, _ bureau: Bureau) async throws {
            let key = DerivedKey(try bureau.key("PURSE/TAC"), factors: [receipt.factor])
            let right = VerifyTAC(key: key, data: receipt.signed, tac: receipt.tac)
            #expect(try await bureau.module.execute(right) == .match)
            #expect(
                try await bureau.module.execute(VerifyTAC(key: key, data: receipt.signed, tac: receipt.tac ^ 1))
                    == .mismatch)
            var changed = receipt.signed
            changed[3] ^= 1
            #expect(try await bureau.module.execute(VerifyTAC(key: key, data: changed, tac: receipt.tac)) == .mismatch)
        }

        @Test(arguments: [Rack.psam, Rack.user])
        func `a card that falls silent interrupts its job, and its reader works again later`(
            _ card: RackCard
        ) async throws {
            let bureau = try #require(Bureau.current)
            let desk = try await CardIssuing.open(
                database: bureau.database, centre: bureau.centre, module: bureau.module,
                cards: .pcsc(CardReaders(transmitLimit: .seconds(2))), profiles: Bureau.profiles,
                settings: .node("mute"))
            try await card.makeBlank()
            let batch = try await bureau.delivery(card)
            try await card.tell("mute-after 12")
            let job = try await desk.personalise(bureau.request(card, batch: batch), by: bureau.people.olga)
            #expect(job.state == .interrupted)
            #expect(job.message?.hasPrefix("interrupted at step \(job.step) (") == true, "\(job.message ?? "")")
            #expect(job.message?.contains("did not answer in time") == true, "\(job.message ?? "")")
            // Too early: the job loses nothing by it.
            let early = try await desk.continueJob(job.id, reader: card.reader, by: bureau.people.olga)
            #expect((early.state, early.step) == (.interrupted, job.step))
            #expect(early.message?.contains("is in use") == true, "\(early.message ?? "")")
            try await card.tell("pull")
            try await card.reinsert()
            let done = try await desk.continueJob(job.id, reader: card.reader, by: bureau.people.olga)
            #expect(done.state == .finished, "\(done.message ?? "")")
            #expect(try await bureau.stock(batch).place == "finished")
        }
    }
}

extension IssuingSettings {
    /// Jobs of a desk of its own.
    static func node(_ name: String) -> IssuingSettings {
        var settings = IssuingSettings()
        settings.node = name
        return settings
    }
}
