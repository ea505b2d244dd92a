import Foundation
import Glibc
import HSMBridge
import KMS
import MariaDB
import Personalization
import Testing

extension IntegrationTests {
    /// The rest of the world falls away while a card is made.
    @Suite struct Losses {
        /// A card and the APDU before which something happens.
        struct Place: Sendable, CustomTestStringConvertible {
            let card: RackCard
            let apdu: Int
            var testDescription: String { "\(card), before APDU \(apdu)" }
            /// Question for the serial number, key replaced, file written, first key in clear, key loaded, purse tried.
            static let all = [
                Place(card: Rack.psam, apdu: 1), Place(card: Rack.psam, apdu: 6), Place(card: Rack.psam, apdu: 25),
                Place(card: Rack.user, apdu: 5), Place(card: Rack.user, apdu: 23), Place(card: Rack.user, apdu: 44),
            ]
        }

        @Test(arguments: [0, 1, 4, 5].map { Place.all[$0] })
        func `a database that goes away interrupts the job and forgets nothing`(_ place: Place) async throws {
            let bureau = try #require(Bureau.current)
            let gate = Gate(at: place.apdu) { _ = try? waiting { await bureau.stopDatabase() } }
            let desk = try await desk(bureau, gate)
            try await place.card.makeBlank()
            let batch = try await bureau.delivery(place.card)
            await #expect(throws: IssuingError.self) {
                _ = try await desk.personalise(bureau.request(place.card, batch: batch), by: bureau.people.olga)
            }
            // Without a database nobody starts anything and no card is touched.
            let count = try await place.card.count
            await #expect(throws: IssuingError.self) {
                _ = try await desk.personalise(bureau.request(place.card, batch: batch), by: bureau.people.olga)
            }
            #expect(try await place.card.count == count)
            try await bureau.startDatabase()
            let jobs = try await desk.jobs(limit: 1, by: bureau.people.olga)
            let job = try #require(jobs.first)
            #expect(job.batch == batch)
            try await goOn(job, place, desk, bureau)
        }

        @Test(arguments: Place.all)
        func `a module that goes away interrupts the job and forgets nothing`(_ place: Place) async throws {
            let bureau = try #require(Bureau.current)
            let home = try #require(ModuleHome.current)
            let desk = try await desk(bureau, Gate(at: place.apdu) { home.stop() })
            try await place.card.makeBlank()
            let batch = try await bureau.delivery(place.card)
            let job = try await desk.personalise(bureau.request(place.card, batch: batch), by: bureau.people.olga)
            #expect(job.message?.contains("unavailable") == true, "\(job.message ?? "")")
            try home.start()
            try await goOn(job, place, desk, bureau)
        }

        @Test func `a full audit disk refuses the job before the card is touched`() async throws {
            let bureau = try #require(Bureau.current)
            let card = Rack.psam
            try await card.makeBlank()
            let batch = try await bureau.delivery(card)
            try await TestFolder.with("disk") { mount in
                try #require(unsafe Glibc.mount("tmpfs", mount, "tmpfs", 0, "size=256k") == 0)
                defer { unsafe umount2(mount, Int32(MNT_DETACH)) }
                var settings = KMSSettings(auditFile: "\(mount)/audit.log")
                settings.node = "disk"
                let centre = try await KeyCentre.open(
                    database: bureau.database, module: bureau.module, settings: settings)
                let olga = try await Bureau.signIn("olga", centre)
                let desk = try await CardIssuing.open(
                    database: bureau.database, centre: centre, module: bureau.module, cards: .pcsc(Rack.readers),
                    profiles: Bureau.profiles, settings: .node("disk"))
                let jobs = try await desk.jobs(by: olga).count
                try await fill(mount, centre)
                for _ in 1...3 {
                    await #expect(throws: IssuingError.kms(.auditUnavailable)) {
                        _ = try await desk.personalise(bureau.request(card, batch: batch), by: olga)
                    }
                }
                #expect(try await card.count == 0)
                #expect(try await bureau.stock(batch).place == "blank")
                #expect(try await bureau.desk.jobs(by: bureau.people.olga).count == jobs)
                unsafe unlink("\(mount)/filler")
                let job = try await desk.personalise(bureau.request(card, batch: batch), by: olga)
                #expect(job.state == .finished, "\(job.message ?? "")")
                #expect(try await centre.audit.verify().isIntact)
            }
        }

        private func desk(_ bureau: Bureau, _ gate: Gate) async throws -> CardIssuing {
            try await CardIssuing.open(
                database: bureau.database, centre: bureau.centre, module: bureau.module, cards: gate.access,
                profiles: Bureau.profiles, settings: .node("loss"))
        }

        /// The job is interrupted at a step that it names, and comes to one of its two ends.
        private func goOn(_ job: CardJob, _ place: Place, _ desk: CardIssuing, _ bureau: Bureau) async throws {
            let olga = bureau.people.olga
            #expect(job.state == .interrupted, "\(job.message ?? "")")
            let step = "interrupted at step \(job.step) (\(job.stepName ?? "identify"))"
            #expect(job.message?.hasPrefix(step) == true, "\(job.message ?? "")")
            #expect(try await bureau.stock(job.batch).place == "working")
            let plain = try await CardIssuing.open(
                database: bureau.database, centre: bureau.centre, module: bureau.module, cards: .pcsc(Rack.readers),
                profiles: Bureau.profiles, settings: .node("after"))
            // Another server process goes on: it knows the job from the database alone, and must be told the PIN again.
            let secrets = place.card.kind == .fmcos ? ["pin": Bureau.pin] : [:]
            let next = try await plain.continueJob(job.id, reader: place.card.reader, data: secrets, by: olga)
            #expect(next.state == .finished, "\(next.message ?? "")")
            #expect(Set(next.journal.filter { $0.outcome == .done }.map(\.number)) == Set(1...next.steps))
            #expect(try await bureau.stock(job.batch).place == "finished")
            #expect(try await bureau.centre.audit.verify().isIntact)
        }

        /// Fills the disk, then the room that is left in the audit file's own last page.
        private func fill(_ mount: String, _ centre: KeyCentre) async throws {
            let file = unsafe open("\(mount)/filler", O_WRONLY | O_CREAT, 0o600)
            try #require(file >= 0)
            let block = [UInt8](repeating: 1, count: 4_096)
            while unsafe write(file, block, block.count) > 0 {}
            while unsafe write(file, block, 1) > 0 {}
            close(file)
            let event = AuditEvent(.changeSettings, actors: [], origin: "test", object: "filler", outcome: .noted)
            for _ in 1...100 {
                do { _ = try await centre.audit.append([event]) } catch { return }
            }
            Issue.record("the disk is not full")
        }
    }
}
