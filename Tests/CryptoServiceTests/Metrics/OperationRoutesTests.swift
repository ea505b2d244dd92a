import Foundation
import HSMBridge
import NIOCore
import Testing

@testable import CryptoService
@testable import KMS

/// The paths on which the service speaks of itself, on a real port.
struct OperationRoutesTests {
    @Test func `The page that a service serves is one that Prometheus reads`() async throws {
        let door = try await HTTPDoor.open.value
        try await door.world.centre.directory.refreshNow()
        let directory = door.world.centre.directory
        var keys = directory.snapshot.keyCount
        var answer = try await door.ask("GET", "/metrics", nil, token: .some(nil))
        // Another test of this world may make a key in the meantime.
        while keys != directory.snapshot.keyCount {
            keys = directory.snapshot.keyCount
            answer = try await door.ask("GET", "/metrics", nil, token: .some(nil))
        }
        #expect(answer.status == 200)
        let text = String(decoding: answer.body, as: UTF8.self)
        for family in MetricFamily.all { #expect(text.contains("# TYPE \(family.name) \(family.kind.rawValue)\n")) }
        #expect(text.contains("kmsd_ready 1\n") && text.contains(#"kmsd_module_state{state="operational"} 1"#))
        #expect(text.contains("kmsd_directory_keys \(keys)\n"))
        if PrometheusParserTests.hasParser { #expect(try await !PrometheusParserTests.parse(text).isEmpty) }
    }

    @Test func `Nothing on the page is a key, a check value of one, or a token`() async throws {
        let door = try await HTTPDoor.open.value
        try await door.world.centre.directory.refreshNow()
        let pages = try await [
            door.ask("GET", "/metrics", nil, token: .some(nil)), door.ask("GET", "/statusz", nil, token: .some(nil)),
            door.ask("GET", "/readyz", nil, token: .some(nil)),
        ].map { String(decoding: $0.body, as: UTF8.self).uppercased() }
        for secret in [World.macKey, World.master, door.token] {
            for page in pages { #expect(!page.contains(secret.uppercased())) }
        }
    }

    @Test(arguments: ["Forwarded: for=192.0.2.1", "X-Forwarded-For: 192.0.2.1", "x-real-ip: 192.0.2.1"])
    func `What a proxy on this machine passes on is not from this machine`(header: String) async throws {
        let door = try await HTTPDoor.open.value
        for path in ["/metrics", "/statusz"] {
            #expect(try await door.ask("GET", path, nil, token: .some(nil), headers: [header]).status == 401)
            #expect(try await door.ask("GET", path, nil, headers: [header]).status == 200)
        }
        #expect(try await door.ask("GET", "/healthz", nil, token: .some(nil), headers: [header]).status == 200)
    }

    @Test func `The status is the document that kmsd status reads`() async throws {
        let door = try await HTTPDoor.open.value
        try await door.world.centre.directory.refreshNow()
        let answer = try await door.ask("GET", "/statusz", nil, token: .some(nil))
        let status = try JSONDecoder().decode(OperationStatus.self, from: Data(answer.body))
        #expect(status.isReady && status.module.state == "operational" && status.module.lmkCheckValue?.count == 6)
        #expect(status.directory.state == "current" && status.directory.databaseAnswers)
    }

    @Test func `From other addresses the figures need a client with the grant`() {
        var settings = CryptoSettings(moduleSocket: "", plainClient: "")
        settings.metricsFrom = ["10.0.0.9", "2001:db8::9"]
        for (address, may) in [
            ("127.0.0.1", true), ("::1", true), ("10.0.0.9", true), ("::ffff:10.0.0.9", true), ("2001:db8::9", true),
            ("10.0.0.90", false), ("10.0.0.8", false), ("2001:db8::8", false),
        ] {
            let read = try? SocketAddress(ipAddress: address, port: 1)
            #expect(read.map(settings.mayReadMetrics) == may, "\(address)")
        }
    }

    @Test func `A sealed or absent module and a stop are told by readyz at once, and so is their end`() async throws {
        let door = try await HTTPDoor.make(without: [], presented: false)
        func ready() async throws -> (Int, String) {
            let answer = try await door.ask("GET", "/readyz", nil, token: .some(nil))
            return (answer.status, String(decoding: answer.body, as: UTF8.self))
        }
        #expect(try await ready().0 == 200)
        door.world.stopModule()
        #expect(try await ready() == (503, #"{"module":"away","obstacles":["module away"],"status":"not ready"}"#))
        try door.world.startModule()
        #expect(try await ready().0 == 200)
        _ = try await door.world.module.execute(SealModule())
        #expect(try await ready() == (503, #"{"module":"sealed","obstacles":["module sealed"],"status":"not ready"}"#))
        #expect(try await door.ask("GET", "/healthz", nil, token: .some(nil)).status == 200)
        await door.stop()
    }
}
