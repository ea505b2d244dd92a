import HTTPTypes
import Testing

@testable import Console

/// Card profiles, jobs and stock, through the door; the cards themselves are tried in `PersonalizationTests`.
struct CardRouteTests {
    @Test func `the profiles say which data they need and which of it is secret`() async throws {
        let rig = try await Rig.shared.value
        let profiles = try await rig.make(.get, "/cards/profiles", as: "adam").list
        let canteen = try #require(profiles.first { $0["name"] as? String == "fmcos-canteen" })
        let fields = canteen["fields"] as? [[String: Any]] ?? []
        #expect(fields.contains { $0["name"] as? String == "pin" && $0["isSecret"] as? Bool == true })
        #expect(fields.contains { $0["name"] as? String == "asn" && $0["defaultText"] == nil })
        let readers = try await rig.make(.get, "/cards/readers", as: "olga")
        #expect(readers.text == "[\"Reader 1\"]")
    }

    @Test func `blanks are booked in by an operator and by nobody else`() async throws {
        let rig = try await Rig.shared.value
        let delivery: [String: Any] = ["kind": "psam", "batch": "route-test", "count": 3]
        let line = try await rig.make(.post, "/cards/stock", as: "olga", delivery)
        #expect(line.status == .created)
        #expect(try line.object["blank"] as? Int == 3)
        let stock = try await rig.make(.get, "/cards/stock", as: "adam").list
        #expect(stock.contains { $0["batch"] as? String == "route-test" && $0["received"] as? Int == 3 })
        let denied = try await rig.ask(.post, "/admin/v1/cards/stock", as: "kate", json: delivery)
        #expect(denied.status == .forbidden && denied.code == "K-201")
        let none = try await rig.ask(
            .post, "/admin/v1/cards/stock", as: "olga", json: ["kind": "psam", "batch": "x", "count": 0])
        #expect(none.status == .unprocessableContent && none.code == "P-104")
    }

    @Test func `a job that cannot begin says why, and never repeats a secret`() async throws {
        let rig = try await Rig.shared.value
        var job: [String: Any] = [
            "profile": "none", "issuer": "PARK", "reader": "Reader 1", "data": [String: String](),
        ]
        let unknown = try await rig.ask(.post, "/admin/v1/cards/jobs", as: "olga", json: job)
        #expect(unknown.status == .notFound && unknown.code == "P-101")
        job["profile"] = "fmcos-canteen"
        job["data"] = ["asn": "00003101000000000042", "holder": "x", "pin": "nine9nine9"]
        let wrong = try await rig.ask(.post, "/admin/v1/cards/jobs", as: "olga", json: job)
        #expect(wrong.status == .unprocessableContent && wrong.code == "P-103")
        #expect(!wrong.text.contains("nine9nine9") && !rig.log.text.contains("nine9nine9"))
        job["data"] = ["asn": "00003101000000000042", "holder": "x", "pin": "123456"]
        let missing = try await rig.ask(.post, "/admin/v1/cards/jobs", as: "olga", json: job)
        #expect(missing.status == .conflict && missing.code == "P-111")
        let denied = try await rig.ask(.post, "/admin/v1/cards/jobs", as: "kate", json: job)
        #expect(denied.status == .forbidden)
    }

    @Test func `a job that does not exist is neither shown, continued nor scrapped`() async throws {
        let rig = try await Rig.shared.value
        let shown = try await rig.ask(.get, "/admin/v1/cards/jobs/999", as: "olga")
        #expect(shown.status == .notFound && shown.code == "P-131")
        let continued = try await rig.ask(
            .post, "/admin/v1/cards/jobs/999/continue", as: "olga", json: ["reader": "Reader 1"])
        #expect(continued.status == .notFound && continued.code == "P-131")
        let scrapped = try await rig.ask(
            .post, "/admin/v1/cards/jobs/999/scrap", as: "olga", json: ["reason": "gone"])
        #expect(scrapped.status == .notFound && scrapped.code == "P-131")
        #expect(try await rig.ask(.get, "/admin/v1/cards/jobs/x", as: "olga").status == .badRequest)
        #expect(try await rig.make(.get, "/cards/jobs", as: "olga").text == "[]")
    }
}
