import HTTPTypes
import KMS
import Logging
import Testing

@testable import Console

/// Who gets in, and what whoever does not is told.
struct AccessTests {
    @Test func `only bootstrap, sign-in and health are open`() async throws {
        let rig = try await Rig.shared.value
        let open = rig.application.routes.filter { !$0.needsSession }.map { "\($0.method) \($0.path)" }
        #expect(
            open.sorted() == ["GET /healthz", "GET /readyz", "POST /admin/v1/bootstrap", "POST /admin/v1/sessions"])
    }

    @Test func `every other route refuses without a session and with a wrong one`() async throws {
        let rig = try await Rig.shared.value
        let guarded = rig.application.routes.filter(\.needsSession)
        #expect(guarded.count > 40)
        for route in guarded {
            let path = Self.filled(route.path)
            let without = try await rig.ask(route.method, path)
            #expect(without.status == .unauthorized && without.code == "K-101", "\(route.method) \(path)")
            let wrong = try await rig.ask(route.method, path, token: String(repeating: "ab", count: 32))
            #expect(wrong.status == .unauthorized && wrong.code == "K-101", "\(route.method) \(path)")
        }
    }

    /// The path with its parameters filled in.
    private static func filled(_ path: String) -> String {
        path.split(separator: "/").map { $0.hasPrefix("{") ? "1" : String($0) }.reduce("") { "\($0)/\($1)" }
    }

    @Test func `an unknown address and an unknown method are not found`() async throws {
        let rig = try await Rig.shared.value
        for (method, path) in [(HTTPRequest.Method.get, "/admin/v1/nothing"), (.put, "/admin/v1/me"), (.get, "/")] {
            let answer = try await rig.ask(method, path, as: "carl")
            #expect(answer.status == .notFound && answer.code == "C-404")
            #expect(answer.headers[.contentType] == "application/problem+json")
        }
    }

    @Test func `a role that is missing is named in the language that was asked for`() async throws {
        let rig = try await Rig.shared.value
        let body = ["code": "NOT", "name": "x"]
        let english = try await rig.ask(.post, "/admin/v1/issuers", as: "kate", json: body)
        #expect(english.status == .forbidden && english.code == "K-201")
        #expect(try english.object["detail"] as? String == KMSError.roleMissing(.createIssuer).message)
        let chinese = try await rig.ask(.post, "/admin/v1/issuers", as: "kate", json: body, language: "zh-CN,en;q=0.5")
        #expect(try chinese.object["detail"] as? String == KMSError.roleMissing(.createIssuer).chinese)
        #expect(try chinese.object["english"] as? String == KMSError.roleMissing(.createIssuer).message)
    }

    @Test func `every answer carries the protecting headers`() async throws {
        let rig = try await Rig.shared.value
        for path in ["/healthz", "/admin/v1/me", "/nothing"] {
            let answer = try await rig.ask(.get, path)
            #expect(answer.headers[.cacheControl] == "no-store")
            #expect(answer.headers[.xContentTypeOptions] == "nosniff")
            #expect(answer.headers[.contentSecurityPolicy]?.hasPrefix("default-src 'none'") == true)
        }
    }

    @Test func `the program says that it lives and that it is ready`() async throws {
        let rig = try await Rig.shared.value
        #expect(try await rig.ask(.get, "/healthz").status == .ok)
        #expect(try await rig.ask(.get, "/readyz").status == .ok)
    }

    @Test func `the door does not open on an address that others can reach`() async throws {
        let rig = try await Rig.shared.value
        var settings = ConsoleSettings()
        settings.host = "0.0.0.0"
        let console = ConsoleServer(settings, centre: rig.centre, issuing: rig.issuing, logger: .init(label: "x"))
        await #expect(throws: ConsoleServer.Fault.self) { try await console.run() }
    }
}
