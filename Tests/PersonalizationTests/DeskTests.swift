import CardSimulator
import Foundation
import HSMBridge
import KMS
import Testing

@testable import MariaDB
@testable import Personalization

/// Stations, restarts, lost databases and what the ledger says of it all.
@Suite struct DeskTests {
    @Test func `a reader has one job at a time, other readers go on meanwhile`() async throws {
        let shop = try await Workshop.shared.value
        let batch = try await shop.delivery("psam", 3)
        let reader = shop.blank("psam")
        let gate = shop.readers.hold(reader)
        let id = try await shop.desk.start(shop.request("psam", reader, batch: batch), by: shop.olga)
        #expect(try await shop.desk.job(id, by: shop.olga).state == .running)
        await #expect(throws: IssuingError.readerBusy(reader)) {
            _ = try await shop.desk.start(shop.request("psam", reader, batch: batch), by: shop.olga)
        }
        await #expect(throws: IssuingError.self) { _ = try await shop.desk.scrap(id, reason: "no", by: shop.olga) }
        let other = try await shop.desk.personalise(
            shop.request("psam", shop.blank("psam"), batch: batch), by: shop.olga)
        #expect(other.state == .finished)
        #expect(
            try await shop.line(batch)
                == StockLine(kind: "psam", batch: batch, received: 3, blank: 1, working: 1, finished: 1, scrapped: 0))
        let events = shop.desk.events(of: id)
        gate.signal()
        var last: JobProgress?
        for await event in events { last = event }
        #expect(last?.state == .finished)
        #expect(try await shop.desk.job(id, by: shop.olga).state == .finished)
        #expect(try await shop.line(batch).finished == 2)
    }

    @Test func `more jobs than stations are refused`() async throws {
        let shop = try await Workshop.shared.value
        var settings = IssuingSettings()
        settings.node = "small"
        settings.stationLimit = 1
        let desk = try await CardIssuing.open(
            database: shop.database, centre: shop.centre, module: shop.module, cards: shop.readers.access,
            profiles: shop.desk.library, settings: settings)
        let batch = try await shop.delivery("psam", 2)
        let reader = shop.blank("psam")
        let gate = shop.readers.hold(reader)
        let id = try await desk.start(shop.request("psam", reader, batch: batch), by: shop.olga)
        await #expect(throws: IssuingError.tooManyJobs(1)) {
            _ = try await desk.start(shop.request("psam", shop.blank("psam"), batch: batch), by: shop.olga)
        }
        let events = desk.events(of: id)
        gate.signal()
        for await _ in events {}
    }

    @Test func `a job that a dead server left running is interrupted, and needs its PIN again`() async throws {
        let shop = try await Workshop.shared.value
        let batch = try await shop.delivery("fmcos", 1)
        let reader = shop.blank("fmcos", pull: .init(at: 25, isCarriedOut: true))
        let job = try await shop.desk.personalise(shop.request("fmcos", reader, batch: batch), by: shop.olga)
        #expect(job.state == .interrupted)
        // As a server leaves it that was killed.
        try await shop.database.write { connection in
            try connection.execute(
                "UPDATE card_job SET state = 'running', node = 'dead', busy_reader = \("dead/\(reader)") WHERE id = \(job.id)"
            )
        }
        let desk = try await shop.reopened(node: "dead")
        let found = try await desk.job(job.id, by: shop.olga)
        #expect(found.state == .interrupted)
        #expect(found.message?.contains("step \(job.step)") == true)
        shop.readers.reinsert(reader)
        await #expect(throws: IssuingError.dataField("pin", expected: "2 to 8 decimal digits")) {
            _ = try await desk.continueJob(job.id, reader: reader, by: shop.olga)
        }
        await #expect(throws: IssuingError.self) {
            _ = try await desk.continueJob(job.id, reader: reader, data: ["asn": "1"], by: shop.olga)
        }
        let done = try await desk.continueJob(job.id, reader: reader, data: ["pin": Workshop.pin], by: shop.olga)
        #expect(done.state == .finished, "\(done.message ?? "")")
    }

    @Test func `a job whose beginning was lost with the database does not keep its reader`() async throws {
        let shop = try await Workshop.shared.value
        let batch = try await shop.delivery("psam", 2)
        let reader = shop.blank("psam", pull: .init(at: 1, isCarriedOut: false))
        let lost = try await shop.desk.personalise(shop.request("psam", reader, batch: batch), by: shop.olga)
        try await shop.database.write { connection in
            try connection.execute(
                "UPDATE card_job SET state = 'running', busy_reader = \("a/\(reader)") WHERE id = \(lost.id)")
        }
        shop.readers.reinsert(reader)
        let next = try await shop.desk.personalise(shop.request("psam", reader, batch: batch), by: shop.olga)
        #expect(next.state == .finished, "\(next.message ?? "")")
        #expect(try await shop.desk.job(lost.id, by: shop.olga).state == .interrupted)
        #expect(try await shop.line(batch).working == 1)
    }

    @Test func `a card goes on with the key versions that it began with`() async throws {
        let shop = try await Workshop("rotation")
        let batch = try await shop.delivery("psam", 1)
        let reader = shop.blank("psam", pull: .init(at: 14, isCarriedOut: true))
        let job = try await shop.desk.personalise(shop.request("psam", reader, batch: batch), by: shop.olga)
        #expect(job.state == .interrupted)
        let name = try #require(KeyName("PARK/PSAM/CARD-CONTROL"))
        let second = try await shop.centre.createVersion(of: name, validity: nil, by: shop.kate)
        try await shop.centre.generateValue(second, by: shop.kate)
        try await shop.centre.directory.refreshNow()
        #expect(shop.centre.directory.snapshot.currentKey(name)?.identity.version == 2)
        shop.readers.reinsert(reader)
        let done = try await shop.desk.continueJob(job.id, reader: reader, by: shop.olga)
        #expect(done.state == .finished, "\(done.message ?? "")")
        await shop.close()
    }

    @Test(arguments: [9, 22])
    func `a database that goes in the middle interrupts the job, and it goes on when the database is back`(_ at: Int)
        async throws
    {
        let shop = try await Workshop("gone\(at)")
        let batch = try await shop.delivery("psam", 1)
        let reader = shop.blank("psam")
        shop.readers.before(at, in: reader) { try? waitOnCardThread { await shop.server.stop() } }
        let id = try await shop.desk.start(shop.request("psam", reader, batch: batch), by: shop.olga)
        for await _ in shop.desk.events(of: id) {}
        let sent = shop.readers.count(reader)
        #expect(sent < 38, "nothing is sent to a card that the journal does not know of")
        try await shop.restartDatabase()
        let job = try await shop.desk.job(id, by: shop.olga)
        #expect(job.state == .interrupted)
        #expect(job.message?.contains("database") == true)
        #expect(try await shop.line(batch).working == 1)
        let done = try await shop.desk.continueJob(id, reader: reader, by: shop.olga)
        #expect(done.state == .finished, "\(done.message ?? "")")
        #expect(try await shop.line(batch).finished == 1)
        await shop.close()
    }

    @Test func `the ledger's movements add up to the counts, and the database holds the sum`() async throws {
        let shop = try await Workshop.shared.value
        let batch = try await shop.delivery("psam", 3)
        _ = try await shop.desk.personalise(shop.request("psam", shop.blank("psam"), batch: batch), by: shop.olga)
        let pulled = shop.blank("psam", pull: .init(at: 20, isCarriedOut: true))
        let job = try await shop.desk.personalise(shop.request("psam", pulled, batch: batch), by: shop.olga)
        _ = try await shop.desk.scrap(job.id, reason: "spoilt", by: shop.olga)
        let line = try await shop.line(batch)
        #expect(
            line == StockLine(kind: "psam", batch: batch, received: 3, blank: 1, working: 0, finished: 1, scrapped: 1))
        let sums = try await shop.database.read { connection in
            try connection.query(
                "SELECT to_place, CAST(SUM(cards) AS SIGNED) AS cards FROM stock_movement WHERE batch = \(batch) GROUP BY to_place"
            ).map { (try $0.text("to_place"), try $0.int("cards")) }
        }
        #expect(Dictionary(uniqueKeysWithValues: sums) == ["blank": 3, "working": 2, "finished": 1, "scrapped": 1])
        await #expect(throws: DatabaseError.self) {
            try await shop.database.write { connection in
                try connection.execute("UPDATE card_stock SET finished = finished + 1 WHERE batch = \(batch)")
            }
        }
        await #expect(throws: DatabaseError.self) {
            try await shop.database.write { connection in
                try connection.execute("DELETE FROM stock_movement WHERE batch = \(batch)")
            }
        }
    }

    @Test func `a key block that was damaged in the database is found before a card is touched`() async throws {
        let shop = try await Workshop("damaged")
        let reader = shop.blank("psam")
        let batch = try await shop.delivery("psam", 1)
        try await shop.database.write { connection in
            try connection.execute(
                "UPDATE key_version SET key_block = CONCAT(LEFT(key_block, LENGTH(key_block) - 4), '0000') WHERE label = 'APP-CONTROL'"
            )
        }
        try await shop.centre.directory.refreshNow()
        await #expect(throws: IssuingError.self) {
            _ = try await shop.desk.personalise(shop.request("psam", reader, batch: batch), by: shop.olga)
        }
        #expect(shop.readers.count(reader) == 0)
        #expect(try await shop.line(batch).blank == 1)
        await shop.close()
    }

    @Test func `the audit trail has each job before and after, with the failures`() async throws {
        let shop = try await Workshop.shared.value
        let reader = shop.blank("psam", pull: .init(at: 7, isCarriedOut: false))
        let job = try await shop.desk.personalise(
            shop.request("psam", reader, batch: shop.delivery("psam", 1)), by: shop.olga)
        #expect(job.state == .interrupted)
        let records = try await shop.centre.audit.records(from: 1, limit: 10_000).filter {
            $0.object == "psam-pboc in \(reader)"
        }
        #expect(records.map(\.operation) == ["card.personalise", "card.personalise"])
        #expect(records.map(\.outcome) == ["begun", "failed"])
        #expect(records.last?.reference == records.first?.sequence)
    }
}
