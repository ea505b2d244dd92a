import CryptoClient
import Foundation
import NIOCore
import Testing

@testable import CryptoService

/// What monitors GET.
struct MonitorTests {
    @Test(arguments: MonitorResource.all.map(\.path))
    func `A resource is what its document says, to those who were granted it`(path: String) async throws {
        let resource = try #require(MonitorResource.all.first { $0.path == path })
        let open = try await HTTPDoor.open.value
        let answer = try await open.ask(path, nil)
        #expect(answer.status == 200 && answer.contentType == "application/json", "\(answer.words)")
        #expect(throws: Never.self) { try JSONBody(.init(bytes: answer.body), resource.answer) }
        #expect(throws: Never.self) { try JSONBody(.init(string: resource.example), resource.answer) }
        let refused = try await HTTPDoor.shared.value.ask(path, nil)
        #expect(refused.status == (resource.grant == nil ? 200 : 403))
        #expect(try await open.ask(path, nil, token: .some(nil)).status == 401)
        #expect(try await open.ask(path, nil, headers: ["accept: text/html"]).status == 406)
        let post = try await open.ask(path, "{}")
        #expect(post.status == 405 && post.headers["allow"] == "GET, HEAD")
    }

    @Test func `Operations asked over HTTP are among the volumes`() async throws {
        let open = try await HTTPDoor.open.value
        #expect(try await open.ask("/v1/hash", #"{"hash":"sha256","data":""}"#).status == 200)
        // Counts are up to a quarter of a second old; none is lost.
        for _ in 0..<10_000 {
            let volumes = try await open.ask("/v1/monitor/volumes", nil).json()["volumes"] as? [[String: Any]] ?? []
            if volumes.contains(where: { $0["command"] as? String == "GM" }) { return }
        }
        Issue.record("GM is not counted")
    }
}
