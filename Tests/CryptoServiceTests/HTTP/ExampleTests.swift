import Foundation
import Testing

@testable import CryptoService

/// What the documents show is what the service does.
struct ExampleTests {
    @Test func `Every example of docs-http-md runs as written and is answered as printed`() async throws {
        let door = try await HTTPDoor.open.value
        let page = try HTTPPage()
        let mark = "--example--"
        let script = page.examples.map { "\($0.commands)\necho; echo \(mark)" }.joined(separator: "\n")
        var shell = Program("/bin/sh", ["-c", script])
        shell.environment = [
            "PATH": "/usr/bin:/bin", "KMSD": "http://127.0.0.1:\(door.port)", "TOKEN": door.token,
            "SESSION": try await ExplainTests.key.value,
        ]
        shell.showsErrors = true
        let text = try await shell.run().text
        let answers = text.components(separatedBy: mark + "\n")
        try #require(answers.count == page.examples.count + 1)
        for (example, answer) in zip(page.examples, answers) {
            guard let printed = example.answer else { continue }
            let expected = try JSONSerialization.jsonObject(with: Data(printed.utf8))
            let given = try? JSONSerialization.jsonObject(with: Data(answer.utf8))
            #expect(given.map { HTTPPage.matches(expected, $0) } ?? false, "\(example.commands)\n\(answer)")
        }
    }

    @Test func `Every operation has an example on the page`() throws {
        let page = try HTTPPage()
        let paths =
            ServiceRoute.all.map(\.path) + MonitorResource.all.map(\.path) + [MACExplainDesk.path, "/v1/status"]
        for path in paths {
            #expect(page.examples.contains { $0.commands.contains("\"$KMSD\(path)\"") }, "\(path)")
        }
    }

    @Test(arguments: ServiceRoute.all.map(\.path))
    func `The example of the OpenAPI document is what the service answers`(path: String) async throws {
        let route = try #require(ServiceRoute.byPath[path])
        var (request, printed) = route.example
        for (page, here) in ProtocolPage.values {
            request = request.replacing(page, with: here)
            printed = printed.replacing(page, with: here)
        }
        let answer = try await HTTPDoor.open.value.ask(path, request)
        // What comes in under the transport key or the LMK of a document cannot be under those of this test.
        guard !path.hasPrefix("/v1/keys/import"), path != "/v1/keys/form" else {
            return #expect([403, 422].contains(answer.status))
        }
        #expect(answer.status == 200, "\(String(decoding: answer.body, as: UTF8.self))")
        let expected = try #require(try JSONSerialization.jsonObject(with: Data(printed.utf8)) as? [String: Any])
        #expect(try expected.keys == answer.json().keys, "\(answer.words)")
    }
}
