import Hummingbird
import Testing

@testable import Console

/// Clients of the crypto service through the admin API.
@Suite struct ClientRouteTests {
    @Test func `clients get a token once and what they were granted`() async throws {
        let rig = try await Rig.shared.value
        try await rig.makeProduct("CLI")
        let made = try await rig.make(.post, "/clients", as: "carl", ["id": "pos", "description": "front end"])
        let token = try #require(try made.object["token"] as? String)
        #expect(token.count == 78 && token.hasPrefix("kmsd_"))
        let granted = try await rig.make(
            .post, "/clients/pos/grants", as: "carl", ["scope": "CLI/P/*", "operations": ["verifyTAC"]])
        #expect(granted.status == .ok)
        let unknown = try await rig.ask(
            .post, "/admin/v1/clients/pos/grants", as: "carl", json: ["scope": "CLI/P/*", "operations": ["everything"]])
        #expect(unknown.status == .unprocessableContent && unknown.code == "K-301")
        let gone = try await rig.make(
            .post, "/clients/pos/grants/revoke", as: "carl", ["scope": "CLI/P/*", "operations": ["verifyTAC"]])
        #expect((try gone.object["grants"] as? [Any])?.isEmpty == true)
        try await rig.make(.post, "/clients/pos/disable", as: "carl")
        let clients = try await rig.make(.get, "/clients", as: "adam").list
        #expect(clients.contains { $0["id"] as? String == "pos" && $0["enabled"] as? Bool == false })
        try await rig.make(.post, "/clients/pos/enable", as: "carl")
        let renewed = try await rig.make(.post, "/clients/pos/tokens", as: "carl", ["replacing": false])
        #expect(try renewed.object["token"] as? String != token)
        let shown = try await rig.make(.get, "/clients/pos", as: "adam")
        let names = (try shown.object["tokens"] as? [[String: Any]])?.compactMap { $0["prefix"] as? String } ?? []
        #expect(names.count == 2 && names.contains(String(token.dropFirst(5).prefix(8))))
        for name in names {
            try await rig.make(.post, "/clients/pos/tokens/revoke", as: "carl", ["prefix": name])
        }
        let again = try await rig.ask(
            .post, "/admin/v1/clients/pos/tokens/revoke", as: "carl", json: ["prefix": names[0]])
        #expect(again.status == .notFound && again.code == "K-302")
    }

    @Test func `limits, ends and addresses are kept, and what is misspelt changes nothing`() async throws {
        let rig = try await Rig.shared.value
        try await rig.makeProduct("LIM")
        let made = try await rig.make(.post, "/clients", as: "carl", ["id": "lim", "token": false])
        #expect(try made.object["token"] == nil)
        try await rig.make(.post, "/clients/lim/rate", as: "carl", ["perSecond": 50, "burst": 80])
        try await rig.make(.post, "/clients/lim/addresses", as: "carl", ["addresses": ["192.0.2.0/24", "2001:db8::7"]])
        try await rig.make(
            .post, "/clients/lim/grants", as: "carl",
            ["scope": "LIM/P/*", "operations": ["verifyMAC"], "until": "2099-01-01"])
        for (path, body) in [
            ("rate", ["perSecond": 0] as [String: Any]), ("rate", ["burst": 7]), ("rate", ["perSecond": 2_000_000]),
            ("addresses", ["addresses": ["192.0.2.9/24"]]), ("addresses", ["addresses": ["pos.example"]]),
            ("grants", ["scope": "LIM/P/*", "operations": ["verifyMAC"], "until": "2001-01-01"]),
            ("grants", ["scope": "LIM/P/*", "operations": ["verifyMAC"], "until": "soon"]),
            ("certificates", ["pem": "-----BEGIN PRIVATE KEY-----"]), ("certificates", ["pem": "MIIB"]),
            ("certificates/remove", ["fingerprint": "00"]),
        ] {
            let refused = try await rig.ask(.post, "/admin/v1/clients/lim/\(path)", as: "carl", json: body)
            #expect(refused.status == .unprocessableContent && refused.code == "K-301", "\(path) \(body)")
        }
        let shown = try await rig.make(.get, "/clients/lim", as: "adam").object
        #expect(shown["addresses"] as? [String] == ["192.0.2.0/24", "2001:db8::7"])
        let rate = shown["rate"] as? [String: Any]
        #expect(rate?["perSecond"] as? Int == 50 && rate?["burst"] as? Int == 80)
        let grants = shown["grants"] as? [[String: Any]]
        #expect(grants?.first?["until"] as? String == "2099-01-01T00:00:00.000000Z")
    }

    @Test func `only conf changes clients`() async throws {
        let rig = try await Rig.shared.value
        try await rig.make(.post, "/clients", as: "carl", ["id": "mine"])
        for (path, body) in [
            ("rate", ["perSecond": 5] as [String: Any]), ("addresses", ["addresses": ["192.0.2.9"]]),
            ("tokens", [:]), ("tokens/revoke", ["prefix": "00000000"]), ("disable", [:]),
            ("certificates/remove", ["fingerprint": String(repeating: "0", count: 64)]),
        ] {
            let refused = try await rig.ask(.post, "/admin/v1/clients/mine/\(path)", as: "kate", json: body)
            #expect(refused.status == .forbidden && refused.code == "K-201", "\(path)")
        }
    }
}
