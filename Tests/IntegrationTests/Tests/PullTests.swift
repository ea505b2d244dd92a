import Foundation
import HSMBridge
import Personalization
import Testing

extension IntegrationTests {
    /// Cards pulled out of their reader while they are made.
    @Suite struct PulledCards {
        static let isFull = ProcessInfo.processInfo.environment["KMSD_FULL_SWEEP"] == "1"

        /// Both kinds at once, in all readers of the rack. `KMSD_FULL_SWEEP=1` pulls before each APDU too, not only after it.
        @Test(.timeLimit(.minutes(20)))
        func `a card pulled after any APDU is finished later, and its job names the step`() async throws {
            let bureau = try #require(Bureau.current)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for cards in [Rack.psams, Rack.users] {
                    group.addTask { try await sweep(cards, bureau) }
                }
                try await group.waitForAll()
            }
        }

        private func sweep(_ cards: [RackCard], _ bureau: Bureau) async throws {
            let whole = try await bureau.make(cards[0])
            let count = try await cards[0].count
            #expect(count > whole.steps)
            let sweep = PullSweep(
                bureau: bureau, cards: cards, steps: whole.steps, keys: Set(whole.checkValues.keys))
            let after = (1...count).map { PullSweep.Cut(number: $0, isCarriedOut: true) }
            let before = (1...count).map { PullSweep.Cut(number: $0, isCarriedOut: false) }
            let cuts = after + (Self.isFull ? before : [])
            let outcomes = try await sweep.run(cuts)
            #expect(outcomes == cuts.map { _ in .continued })
        }

        @Test(arguments: [Rack.psam, Rack.user])
        func `a job waits for its own card, and a card that never comes back is scrapped`(
            _ card: RackCard
        ) async throws {
            let bureau = try #require(Bureau.current)
            let (desk, olga) = (bureau.desk, bureau.people.olga)
            try await card.makeBlank()
            let batch = try await bureau.delivery(card)
            try await card.tell("pull-after 20")
            let job = try await desk.personalise(bureau.request(card, batch: batch), by: olga)
            #expect(job.state == .interrupted)
            // Another blank in the same reader is asked for its number and nothing else.
            try await card.makeBlank()
            let other = try await desk.continueJob(job.id, reader: card.reader, by: olga)
            #expect((other.state, other.step) == (.interrupted, job.step))
            #expect(try await card.count == 1)
            #expect(try await bureau.stock(batch).place == "working")
            let scrapped = try await desk.scrap(job.id, reason: "lost", by: olga)
            #expect(scrapped.state == .scrapped)
            #expect(try await bureau.stock(batch).place == "scrapped")
            await #expect(throws: IssuingError.self) {
                _ = try await desk.continueJob(job.id, reader: card.reader, by: olga)
            }
            await #expect(throws: IssuingError.self) { _ = try await desk.scrap(job.id, reason: "twice", by: olga) }
            #expect(try await bureau.stock(batch).place == "scrapped")
        }
    }
}
