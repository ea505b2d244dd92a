import Foundation
import Glibc
import HSMBridge
import HTTPTypes
import Testing

@testable import Console

/// Issuers, products, keys, their values and their life, through the door.
struct KeyRouteTests {
    @Test func `issuers, products and authorities are made, listed, changed and deleted`() async throws {
        let rig = try await Rig.shared.value
        try await rig.makeProduct("HIER")
        try await rig.make(.put, "/issuers/HIER", as: "carl", ["code": "HIER", "name": "Renamed", "description": "d"])
        let issuers = try await rig.make(.get, "/issuers", as: "adam").list
        #expect(issuers.contains { $0["code"] as? String == "HIER" && $0["name"] as? String == "Renamed" })
        try await rig.make(.put, "/issuers/HIER/products/P", as: "carl", ["code": "P", "name": "Other", "kind": "k"])
        let products = try await rig.make(.get, "/issuers/HIER/products", as: "adam").list
        #expect(products.first?["name"] as? String == "Other")
        let used = try await rig.ask(.delete, "/admin/v1/issuers/HIER", as: "carl")
        #expect(used.status == .conflict && used.code == "K-304")
        try await rig.make(.delete, "/issuers/HIER/products/P", as: "carl")
        try await rig.make(.delete, "/issuers/HIER", as: "carl")
        try await rig.make(.post, "/authorities", as: "carl", ["code": "CA", "name": "Authority", "kind": "root"])
        try await rig.make(.put, "/authorities/CA", as: "carl", ["code": "CA", "name": "Changed", "kind": "root"])
        #expect(try await rig.make(.get, "/authorities", as: "adam").list.first?["name"] as? String == "Changed")
        try await rig.make(.delete, "/authorities/CA", as: "carl")
    }

    @Test func `a key is made, generated, suspended, resumed, renewed, retired and destroyed by two people`()
        async throws
    {
        let rig = try await Rig.shared.value
        try await rig.makeProduct("LIFE")
        try await rig.makeKey("LIFE/P/MAC")
        let value = try await rig.make(.post, "/keys/LIFE/P/MAC/newest/value", as: "kate")
        #expect(value.status == .created)
        #expect(try value.object["identity"] as? String == "LIFE/P/MAC/01")
        #expect((try value.object["checkValue"] as? String)?.count == 6)
        #expect((try value.object["block"] as? String)?.hasPrefix("D") == true)
        let twice = try await rig.ask(.post, "/admin/v1/keys/LIFE/P/MAC/01/value", as: "kate")
        #expect(twice.status == .conflict && twice.code == "K-402")
        for (move, state) in [("suspend", "suspended"), ("resume", "active"), ("retire", "retired")] {
            let moved = try await rig.make(.post, "/keys/LIFE/P/MAC/01/state", as: "kate", ["move": move])
            #expect(try moved.object["state"] as? String == state)
        }
        let next = try await rig.make(.post, "/keys/LIFE/P/MAC/versions", as: "kate", ["validFrom": "2027-01-01"])
        #expect(try next.object["identity"] as? String == "LIFE/P/MAC/02")
        #expect(try next.object["validFrom"] as? String == "2027-01-01T00:00:00.000000Z")
        #expect(try await rig.make(.get, "/keys/LIFE/P/MAC/newest", as: "adam").object["state"] as? String == "created")
        let alone = try await rig.ask(
            .post, "/admin/v1/keys/LIFE/P/MAC/01/destroy", as: "kate", json: ["approval": 999])
        #expect(alone.status == .notFound && alone.code == "K-203")
        let id = try await rig.approved(["operation": "key.destroy", "key": "LIFE/P/MAC/01"])
        let other = try await rig.ask(.post, "/admin/v1/keys/LIFE/P/MAC/02/destroy", as: "kate", json: ["approval": id])
        #expect(other.status == .forbidden && other.code == "K-204")
        let gone = try await rig.make(.post, "/keys/LIFE/P/MAC/01/destroy", as: "kate", ["approval": id])
        #expect(try gone.object["state"] as? String == "destroyed")
        #expect(try gone.object["block"] == nil)
        #expect(try gone.object["checkValue"] as? String == value.object["checkValue"] as? String)
    }

    @Test func `nobody approves what they asked for, and a refusal stays one`() async throws {
        let rig = try await Rig.shared.value
        try await rig.makeProduct("SECOND")
        try await rig.makeKey("SECOND/P/MAC")
        let request = ["operation": "key.destroy", "key": "SECOND/P/MAC"]
        let asked = try await rig.make(.post, "/approvals", as: "kate", request)
        let id = try #require(try asked.object["id"] as? Int)
        let own = try await rig.ask(.post, "/admin/v1/approvals/\(id)/approve", as: "kate")
        #expect(own.status == .forbidden && own.code == "K-207")
        let refused = try await rig.make(.post, "/approvals/\(id)/refuse", as: "tess")
        #expect(try refused.object["decision"] as? String == "refused")
        let late = try await rig.ask(.post, "/admin/v1/approvals/\(id)/approve", as: "mia")
        #expect(late.status == .conflict && late.code == "K-206")
        let list = try await rig.make(.get, "/approvals", as: "adam").list
        #expect(list.contains { $0["id"] as? Int == id && $0["requestedBy"] as? String == "kate" })
    }

    @Test func `three typed components make the published key, and it carries another key out and in`() async throws {
        let rig = try await Rig.shared.value
        try await rig.makeProduct("MOVE")
        try await rig.makeKey("MOVE/P/KEK", usage: "keyEncryption", mode: "B")
        let begun = try await rig.make(.post, "/keys/MOVE/P/KEK/newest/components", as: "kate", ["count": 3])
        let session = try #require(try begun.object["session"] as? String)
        let components = [
            "E0C25DDAD6FEBC325D02F2F8EAE9266B", "570E3115102C9D6B70EA920B134AE594", "F494C4E5CB1F02F143209B2364E0B66D",
        ]
        for (index, component) in components.enumerated() {
            let command = EnterComponent(
                session: try #require(UInt64(session)), number: UInt8(index + 1), component: try Self.typed(component))
            _ = try await rig.module.execute(command)
        }
        let finished = try await rig.make(.post, "/keys/MOVE/P/KEK/newest/components/\(session)", as: "kate")
        #expect(try finished.object["checkValue"] as? String == "8CE396")

        try await rig.makeKey("MOVE/P/OUT", usage: "purchase", mode: "X", exportability: "E")
        let made = try await rig.make(.post, "/keys/MOVE/P/OUT/newest/value", as: "kate")
        let id = try await rig.approved(["operation": "key.export", "key": "MOVE/P/OUT", "under": "MOVE/P/KEK"])
        let exported = try await rig.make(
            .post, "/keys/MOVE/P/OUT/newest/export", as: "kate", ["under": "MOVE/P/KEK", "approval": id])
        let block = try #require(try exported.object["block"] as? String)
        try await rig.makeKey("MOVE/P/IN", usage: "purchase", mode: "X")
        var flipped = Array(block)
        flipped[flipped.count - 1] = flipped[flipped.count - 1] == "0" ? "1" : "0"
        let bad = try await rig.ask(
            .post, "/admin/v1/keys/MOVE/P/IN/newest/import", as: "kate",
            json: ["under": "MOVE/P/KEK", "block": String(flipped)])
        #expect(bad.status == .unprocessableContent && bad.code == "K-408")
        let taken = try await rig.make(
            .post, "/keys/MOVE/P/IN/newest/import", as: "kate", ["under": "MOVE/P/KEK", "block": block])
        #expect(try taken.object["checkValue"] as? String == made.object["checkValue"] as? String)
        #expect(try taken.object["origin"] as? String == "keyBlock")
        let compromise = try await rig.approved(["operation": "key.compromise", "key": "MOVE/P/KEK"])
        let reached = try await rig.make(
            .post, "/keys/MOVE/P/KEK/newest/compromise", as: "kate", ["approval": compromise])
        let names = try reached.object["identities"] as? [String] ?? []
        #expect(names.contains("MOVE/P/KEK/01") && names.contains("MOVE/P/IN/01"))
    }

    /// What a custodian types, as the terminal hands it on.
    private static func typed(_ text: String) throws -> SecretInput {
        var ends: [Int32] = [0, 0]
        guard unsafe pipe(&ends) == 0 else { throw RigFailure(text: "pipe") }
        defer { close(ends[0]) }
        let bytes = Array((text + "\n").utf8)
        _ = unsafe write(ends[1], bytes, bytes.count)
        close(ends[1])
        return try SecretInput(lineFrom: ends[0], hexadecimal: true)
    }

    @Test func `an entry of components that was aborted is gone`() async throws {
        let rig = try await Rig.shared.value
        try await rig.makeProduct("ABORT")
        try await rig.makeKey("ABORT/P/KEK", usage: "keyEncryption", mode: "B")
        let begun = try await rig.make(.post, "/keys/ABORT/P/KEK/01/components", as: "kate", ["count": 2])
        let session = try #require(try begun.object["session"] as? String)
        try await rig.make(.delete, "/keys/ABORT/P/KEK/01/components/\(session)", as: "kate")
        let late = try await rig.ask(.post, "/admin/v1/keys/ABORT/P/KEK/01/components/\(session)", as: "kate")
        #expect(late.code == "K-408")
        try await rig.make(.delete, "/keys/ABORT/P/KEK", as: "carl")
        #expect(try await rig.ask(.get, "/admin/v1/keys/ABORT/P/KEK/01", as: "adam").code == "K-302")
    }

    @Test func `all keys verify, and the list has them`() async throws {
        let rig = try await Rig(settings: ConsoleSettings())
        try await rig.bootstrap()
        try await rig.makeProduct("LIST")
        try await rig.makeKey("LIST/P/ONE")
        try await rig.make(.post, "/keys/LIST/P/ONE/newest/value", as: "kate")
        let verification = try await rig.make(.post, "/key-verification", as: "adam")
        #expect(try verification.object["checked"] as? Int == 1)
        #expect((try verification.object["findings"] as? [Any])?.isEmpty == true)
        let keys = try await rig.make(.get, "/keys", as: "adam").list
        #expect(keys.map { $0["identity"] as? String } == ["LIST/P/ONE/01"])
        let denied = try await rig.ask(.post, "/admin/v1/key-verification", as: "carl")
        #expect(denied.status == .forbidden && denied.code == "K-201")
    }

    @Test func `the trail verifies, is read from its end, and its head is signed`() async throws {
        let rig = try await Rig(settings: ConsoleSettings())
        try await rig.bootstrap()
        try await rig.makeProduct("AUD")
        try await rig.makeKey("AUD/P/SIGN", usage: "signature", algorithm: "rsa2048", mode: "S")
        try await rig.make(.post, "/keys/AUD/P/SIGN/newest/value", as: "kate")
        let signed = try await rig.make(.post, "/audit/checkpoints", as: "kate", ["key": "AUD/P/SIGN"])
        #expect((try signed.object["message"] as? String)?.hasPrefix("kmsd audit checkpoint 1\n") == true)
        #expect((try signed.object["publicKeyPEM"] as? String)?.hasPrefix("-----BEGIN PUBLIC KEY-----") == true)
        #expect(try await rig.make(.get, "/audit/checkpoints", as: "adam").list.count == 1)
        let verified = try await rig.make(.post, "/audit/verification", as: "adam")
        #expect((try verified.object["findings"] as? [Any])?.isEmpty == true)
        #expect((try verified.object["head"] as? String)?.count == 64)
        let last = try await rig.make(.get, "/audit/records?limit=3", as: "adam").list
        #expect(last.count == 3)
        let first = try await rig.make(.get, "/audit/records?from=1&limit=1", as: "adam").list
        #expect(first.first?["sequence"] as? Int == 1)
        #expect(try await rig.ask(.get, "/admin/v1/audit/records?limit=x", as: "adam").status == .badRequest)
        #expect(try await rig.ask(.get, "/admin/v1/audit/records", as: "kate").code == "K-201")
    }
}
