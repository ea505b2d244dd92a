import Foundation
import HTTPTypes
import Hummingbird
import KMS
import NIOCore
import Testing

@testable import Console

/// Bootstrap, signing in, passwords.
struct SessionTests {
    @Test func `the first administrators need the token, once`() async throws {
        let rig = try await Rig(settings: ConsoleSettings())
        let token = try #require(try await rig.centre.offerBootstrap())
        let path = "/admin/v1/bootstrap?person=carl%3Dconf&person=kate%3Dkey%2Bcert"
        let passwords = "a long password of carl\na long password of kate\n"
        let wrong = try await rig.ask(.post, path, text: String(repeating: "0", count: 64) + "\n" + passwords)
        #expect(wrong.status == .forbidden && wrong.code == "K-109")
        let short = try await rig.ask(.post, path, text: token + "\nshort\nshort\n")
        #expect(short.status == .unprocessableContent && short.code == "K-105")
        let few = try await rig.ask(.post, path, text: token + "\na long password of carl\n")
        #expect(few.status == .badRequest)
        let role = try await rig.ask(.post, "/admin/v1/bootstrap?person=carl%3Dking", text: token + "\n" + passwords)
        #expect(role.code == "K-301")
        let right = try await rig.ask(.post, path, text: token + "\n" + passwords)
        #expect(right.status == .created)
        let again = try await rig.ask(.post, path, text: token + "\n" + passwords)
        #expect(again.status == .conflict && again.code == "K-108")
        let kate = try await rig.make(.get, "/me", as: "kate")
        #expect(try kate.object["roles"] as? [String] == ["cert", "key"])
    }

    @Test func `a session begins with the password and ends for good`() async throws {
        let rig = try await Rig.shared.value
        let begun = try await rig.ask(.post, "/admin/v1/sessions?name=uwe", text: Rig.password("uwe") + "\n")
        #expect(begun.status == .created)
        let token = try #require(try begun.object["token"] as? String)
        let me = try await rig.ask(.get, "/admin/v1/me", token: token)
        #expect(try me.object["name"] as? String == "uwe")
        #expect(try await rig.ask(.delete, "/admin/v1/sessions/mine", token: token).status == .noContent)
        #expect(try await rig.ask(.get, "/admin/v1/me", token: token).status == .unauthorized)
    }

    @Test func `a wrong password, an unknown name and no password are refused alike`() async throws {
        let rig = try await Rig.shared.value
        for (name, password) in [("vera", "another long password"), ("nobody", "a long password of nobody")] {
            let answer = try await rig.ask(.post, "/admin/v1/sessions?name=\(name)", text: password)
            #expect(answer.status == .unauthorized && answer.code == "K-103")
        }
        #expect(try await rig.ask(.post, "/admin/v1/sessions?name=vera", text: "").status == .badRequest)
        #expect(try await rig.ask(.post, "/admin/v1/sessions", text: "x").status == .badRequest)
        let long = try await rig.ask(.post, "/admin/v1/sessions?name=vera", text: String(repeating: "x", count: 5_000))
        #expect(long.status == .unprocessableContent && long.code == "K-106")
    }

    @Test func `one changes one's own password and every session ends`() async throws {
        let rig = try await Rig(settings: ConsoleSettings())
        try await rig.bootstrap()
        let token = try await rig.session("kate")
        let bad = try await rig.ask(
            .post, "/admin/v1/me/password", token: token, text: "wrong password\na new long password\n")
        #expect(bad.status == .unauthorized && bad.code == "K-103")
        let body = Rig.password("kate") + "\na new long password\n"
        #expect(try await rig.ask(.post, "/admin/v1/me/password", token: token, text: body).status == .noContent)
        #expect(try await rig.ask(.get, "/admin/v1/me", token: token).status == .unauthorized)
        let again = try await rig.ask(.post, "/admin/v1/sessions?name=kate", text: "a new long password")
        #expect(again.status == .created)
    }

    @Test func `neither passwords nor tokens reach the log`() async throws {
        let rig = try await Rig(settings: ConsoleSettings())
        try await rig.bootstrap()
        let token = try await rig.session("carl")
        _ = try await rig.ask(.post, "/admin/v1/sessions?name=carl", text: "a password that is wrong")
        _ = try await rig.ask(.get, "/admin/v1/me?secret=query-text", as: "carl")
        let log = rig.log.text
        #expect(log.contains("/admin/v1/sessions"))
        #expect(log.contains("carl"))
        for secret in [Rig.password("carl"), Rig.password("mia"), "a password that is wrong", token, "query-text"] {
            #expect(!log.contains(secret))
        }
    }

    @Test func `a password is overwritten where the network put it`() async throws {
        let buffer = ByteBuffer(string: "first password\r\nsecond password")
        let request = Request(
            head: .init(method: .post, scheme: nil, authority: nil, path: "/"), body: RequestBody(buffer: buffer))
        let body = try await SecretBody.take(from: request)
        #expect(body.lineCount == 2)
        #expect(buffer.readableBytesView.allSatisfy { $0 == 0 })
    }

    @Test func `a person is made, gets a role with another's approval, loses it, is locked out`() async throws {
        let rig = try await Rig(settings: ConsoleSettings())
        try await rig.bootstrap()
        let made = try await rig.make(
            .post, "/administrators?name=li&fullName=Li%20Ming", as: "carl", text: "a long password of li")
        #expect(try made.object["roles"] as? [String] == [])
        #expect(try made.object["fullName"] as? String == "Li Ming")
        let without = try await rig.ask(
            .post, "/admin/v1/administrators/li/roles", as: "carl", json: ["role": "key", "approval": 999])
        #expect(without.code == "K-203")
        let id = try await rig.approved(
            ["operation": "administrator.role.grant", "role": "key", "name": "li"], by: "carl")
        let granted = try await rig.make(
            .post, "/administrators/li/roles", as: "carl", ["role": "key", "approval": id])
        #expect(try granted.object["roles"] as? [String] == ["key"])
        let again = try await rig.ask(
            .post, "/admin/v1/administrators/li/roles", as: "carl", json: ["role": "key", "approval": id])
        #expect(again.status == .conflict && again.code == "K-206")
        let revoked = try await rig.make(.delete, "/administrators/li/roles/key", as: "carl")
        #expect(try revoked.object["roles"] as? [String] == [])
        let disabled = try await rig.make(.post, "/administrators/li/disable", as: "carl")
        #expect(try disabled.object["disabled"] as? Bool == true)
        #expect(
            try await rig.ask(.post, "/admin/v1/sessions?name=li", text: "a long password of li").status
                == .unauthorized)
        try await rig.make(.post, "/administrators/li/enable", as: "carl")
        try await rig.make(.post, "/administrators/li/unlock", as: "carl")
        let reset = try await rig.approved(["operation": "administrator.password.reset", "name": "li"], by: "carl")
        try await rig.make(
            .post, "/administrators/li/password?approval=\(reset)", as: "carl", text: "another long password")
        #expect(
            try await rig.ask(.post, "/admin/v1/sessions?name=li", text: "another long password").status == .created)
    }
}
