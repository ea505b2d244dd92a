import CardSimulator
import HSMBridge
import Testing

@testable import Personalization

/// The card is pulled at every APDU in turn, with the command carried out and not carried out.
@Suite struct CardPullTests {
    @Test(arguments: ["psam", "fmcos"])
    func `a card pulled at any APDU leaves a job that says where, and is continued or scrapped`(_ kind: String)
        async throws
    {
        let shop = try await Workshop.shared.value
        let whole = shop.blank(kind)
        let first = try await shop.desk.personalise(
            shop.request(kind, whole, batch: shop.delivery(kind, 1)), by: shop.olga)
        #expect(first.state == .finished, "\(first.message ?? "")")
        let last = shop.readers.count(whole)
        #expect(last > 30)
        let batch = try await shop.delivery(kind, 2 * last)
        var pulls: [CardsInMemory.Pull] = []
        for at in 1...last { pulls += [.init(at: at, isCarriedOut: true), .init(at: at, isCarriedOut: false)] }

        try await withThrowingTaskGroup(of: Bool.self) { group in
            // Four stations at a time.
            var waiting = pulls[...]
            var finished = 0
            for pull in waiting.prefix(4) { group.addTask { try await Self.run(kind, pull, batch, shop) } }
            waiting = waiting.dropFirst(4)
            while let isFinished = try await group.next() {
                finished += isFinished ? 1 : 0
                if let pull = waiting.popFirst() { group.addTask { try await Self.run(kind, pull, batch, shop) } }
            }
            // Every step of both profiles can be told from the card, so no card is lost.
            #expect(finished == pulls.count)
        }
        let line = try await shop.line(batch)
        #expect(line.blank == 0 && line.working == 0)
        #expect(line.received == line.finished + line.scrapped)
    }

    /// One card; whether it was finished in the end (else it is scrapped).
    private static func run(
        _ kind: String, _ pull: CardsInMemory.Pull, _ batch: String, _ shop: Workshop
    ) async throws -> Bool {
        let place: Comment = "pulled at APDU \(pull.at), carried out: \(pull.isCarriedOut)"
        let reader = shop.blank(kind, pull: pull)
        var job = try await shop.desk.personalise(shop.request(kind, reader, batch: batch), by: shop.olga)
        #expect(job.state == .interrupted, place)
        #expect(
            job.message?.hasPrefix("interrupted at step \(job.step) (\(job.stepName ?? "identify"))") == true, place)
        if job.step > 0 { #expect(job.journal.last?.outcome == .uncertain, place) }

        // Another card in the reader is recognised and left alone.
        if let serial = job.cardSerial {
            let other = shop.blank(kind)
            let answer = try await shop.desk.continueJob(job.id, reader: other, by: shop.olga)
            #expect(answer.state == .interrupted, place)
            #expect(shop.readers.count(other) == 1 && answer.cardSerial == serial, place)
        }
        // The card is pulled a second time, somewhere else.
        shop.readers.reinsert(reader, pull: .init(at: 1 + pull.at % 5, isCarriedOut: pull.isCarriedOut))
        job = try await shop.desk.continueJob(job.id, reader: reader, by: shop.olga)
        shop.readers.reinsert(reader)
        if job.state == .interrupted { job = try await shop.desk.continueJob(job.id, reader: reader, by: shop.olga) }
        if job.state == .finished { return true }
        Issue.record("\(place): \(job.message ?? "")")
        if job.needsScrap { _ = try await shop.desk.scrap(job.id, reason: "pulled", by: shop.olga) }
        return false
    }

    @Test(arguments: [(1, true), (20, true), (36, false)])
    func `cards that were pulled and continued trade like others`(_ at: Int, _ isCarriedOut: Bool) async throws {
        let shop = try await Workshop.shared.value
        let batches = (try await shop.delivery("psam", 1), try await shop.delivery("fmcos", 1))
        let psam = shop.blank("psam", pull: .init(at: at, isCarriedOut: isCarriedOut))
        let card = shop.blank("fmcos", pull: .init(at: at, isCarriedOut: isCarriedOut))
        for (kind, reader, batch) in [("psam", psam, batches.0), ("fmcos", card, batches.1)] {
            let job = try await shop.desk.personalise(shop.request(kind, reader, batch: batch), by: shop.olga)
            #expect(job.state == .interrupted)
            shop.readers.reinsert(reader)
            let done = try await shop.desk.continueJob(job.id, reader: reader, by: shop.olga)
            #expect(done.state == .finished, "\(done.message ?? "")")
        }
        let terminal = Terminal(shop: shop, card: card, psam: psam)
        try await terminal.load(500)
        #expect(try terminal.purchase(499) == 1)
    }

    @Test func `a spoilt card is counted as scrap, once`() async throws {
        let shop = try await Workshop.shared.value
        let batch = try await shop.delivery("psam", 1)
        let reader = shop.blank("psam", pull: .init(at: 12, isCarriedOut: true))
        let job = try await shop.desk.personalise(shop.request("psam", reader, batch: batch), by: shop.olga)
        #expect(job.mayContinue)
        let scrapped = try await shop.desk.scrap(job.id, reason: "fell into the coffee", by: shop.olga)
        #expect(scrapped.state == .scrapped)
        await #expect(throws: IssuingError.self) { try await shop.desk.scrap(job.id, reason: "again", by: shop.olga) }
        await #expect(throws: IssuingError.self) {
            try await shop.desk.continueJob(job.id, reader: reader, by: shop.olga)
        }
        let line = try await shop.line(batch)
        #expect((line.scrapped, line.working, line.blank) == (1, 0, 0))
        // Its chip is known: it cannot come back as a blank.
        shop.readers.reinsert(reader)
        let again = try await shop.desk.personalise(
            shop.request("psam", reader, batch: shop.delivery("psam", 1)), by: shop.olga)
        #expect(again.state == .failed && !again.needsScrap)
    }
}
