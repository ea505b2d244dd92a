import HSMBridge
import Personalization
import Synchronization
import Testing

/// Cards pulled at one APDU after the other, each cut with a blank of its own, over all readers that fit at once.
struct PullSweep: Sendable {
    /// Where a card is pulled: at its Nth APDU, after or before it has carried it out. The answer is lost in both cases.
    struct Cut: Sendable, CustomStringConvertible {
        let number: Int
        let isCarriedOut: Bool
        var description: String { "pulled \(isCarriedOut ? "after" : "before") APDU \(number)" }
        var plan: String { "\(isCarriedOut ? "pull-after" : "pull-before") \(number)" }
    }

    /// The cuts that no reader has taken yet.
    private final class Queue: Sendable {
        private let left: Mutex<ArraySlice<Cut>>
        init(_ cuts: [Cut]) { left = Mutex(cuts[...]) }
        func next() -> Cut? { left.withLock { $0.popFirst() } }
    }

    enum Outcome: Sendable, Hashable {
        case continued
        /// The step that the job gave up in.
        case scrapped(String)
    }

    let bureau: Bureau
    let cards: [RackCard]
    /// Steps of an undisturbed job, and the keys that it puts on the card.
    let steps: Int
    let keys: Set<String>

    func run(_ cuts: [Cut]) async throws -> [Outcome] {
        let queue = Queue(cuts)
        return try await withThrowingTaskGroup(of: [Outcome].self) { group in
            for card in cards {
                group.addTask {
                    var outcomes: [Outcome] = []
                    while let cut = queue.next() { outcomes.append(try await run(cut, on: card)) }
                    return outcomes
                }
            }
            return try await group.reduce(into: []) { $0 += $1 }
        }
    }

    private func run(_ cut: Cut, on card: RackCard) async throws -> Outcome {
        let (desk, olga) = (bureau.desk, bureau.people.olga)
        try await card.makeBlank()
        let batch = try await bureau.delivery(card)
        try await card.tell(cut.plan)
        let job = try await desk.personalise(bureau.request(card, batch: batch), by: olga)
        #expect(job.state == .interrupted, "\(card) \(cut): \(job.message ?? "\(job.state)")")
        let place = "interrupted at step \(job.step) (\(job.stepName ?? "identify"))"
        #expect(job.message?.hasPrefix(place) == true, "\(card) \(cut): \(job.message ?? "")")
        #expect(try await bureau.stock(batch).place == "working", "\(card) \(cut)")
        try await card.reinsert()
        let next = try await desk.continueJob(job.id, reader: card.reader, by: olga)
        if next.state == .finished {
            expectCheckValues(of: next, "\(card) \(cut)")
            #expect(Set(next.journal.filter { $0.outcome == .done }.map(\.number)) == Set(1...steps), "\(card) \(cut)")
            #expect(try await bureau.stock(batch).place == "finished", "\(card) \(cut)")
            return .continued
        }
        #expect(
            next.state == .failed && next.needsScrap, "\(card) \(cut), continued: \(next.message ?? "\(next.state)")")
        let scrapped = try await desk.scrap(job.id, reason: "pulled", by: olga)
        #expect(scrapped.state == .scrapped, "\(card) \(cut)")
        #expect(try await bureau.stock(batch).place == "scrapped", "\(card) \(cut)")
        return .scrapped(next.stepName ?? "")
    }

    private func expectCheckValues(of done: CardJob, _ place: String) {
        let missing = keys.subtracting(done.checkValues.keys)
        #expect(missing.isEmpty, "\(place)")
    }
}
