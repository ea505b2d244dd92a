import Foundation
import Hummingbird
import HummingbirdTesting
import Logging
import MariaDB
import Testing

@testable import PlatformLite

/// The web door on a schema of its own, without a socket; batches are carried on by `office.process`.
struct WebClient {
    let office: BackOffice
    let client: any TestClientProtocol
    let tokens: [StaffRole: String]

    static func with(
        _ schema: StaticString, setup: TestingSetup = .router, verifier: ScriptedVerifier = ScriptedVerifier(),
        _ body: @Sendable (WebClient) async throws -> Void
    ) async throws {
        try await TestDatabase.with(schema) { database in
            let path = "/tmp/kmsd-tokens-\(UInt32.random(in: 0 ... .max))-\(schema)"
            try? FileManager.default.removeItem(atPath: path)
            try AccessTokens.make(path: path, staff: StaffRole.allCases.map { ("the-\($0.rawValue)", $0) })
            defer { try? FileManager.default.removeItem(atPath: path) }
            var found: [StaffRole: String] = [:]
            for role in StaffRole.allCases {
                found[role] = try AccessTokens.token(of: "the-\(role.rawValue)", in: path)
            }
            let tokens = found
            let office = BackOffice(database: database, verifier: verifier, clock: { Scenario.now })
            let service = PlatformService(
                PlatformSettings(), office: office, tokens: try AccessTokens(path: path), logger: Logger(label: "test"))
            try await service.application().test(setup) { client in
                try await body(WebClient(office: office, client: client, tokens: tokens))
            }
        }
    }

    /// A request as one of the staff, or as nobody.
    func send(
        _ method: HTTPRequest.Method, _ uri: String, as role: StaffRole?, body: String? = nil,
        type: String = "application/json",
        headers: HTTPFields = [:]
    ) async throws -> TestResponse {
        var headers = headers
        if let role, let token = tokens[role] { headers[.authorization] = "Bearer \(token)" }
        if body != nil { headers[.contentType] = type }
        return try await client.execute(
            uri: uri, method: method, headers: headers, body: body.map { ByteBuffer(string: $0) })
    }

    func get(_ uri: String, headers: HTTPFields = [:]) async throws -> String {
        let response = try await send(.get, uri, as: .auditor, headers: headers)
        #expect(response.status == .ok, "\(uri): \(response.text)")
        return response.text
    }

    /// Three merchants, six terminals, over HTTP.
    func prepare() async throws {
        for (number, rate) in Scenario.merchants {
            let body = #"{"merchant_no":"\#(number)","name":"食堂 <\#(number)>","rate_bp":\#(rate)}"#
            #expect(try await send(.post, "/v1/merchants", as: .clerk, body: body).status == .created)
        }
        let rows = Scenario.terminals.enumerated().map { "\($0.element),,食堂 <M\($0.offset / 2 + 1)>" }
        let csv = "terminal_no,psam_no,merchant\n" + rows.joined(separator: "\n") + "\n"
        let made = try await send(.post, "/v1/terminals", as: .clerk, body: csv, type: "text/csv")
        #expect(made.status == .created)
        #expect(made.text == #"{"given":6,"made":6}"#)
    }

    /// Uploads and carries the batch on; the answer of the upload.
    @discardableResult
    func upload(_ records: [String]) async throws -> TestResponse {
        let csv = String(decoding: Scenario.csv(records), as: UTF8.self)
        let response = try await send(.post, "/v1/batches", as: .uploader, body: csv, type: "text/csv")
        for id in try await office.unfinishedBatches() { try await office.process(id) }
        return response
    }
}

extension TestResponse {
    var text: String { String(buffer: body) }
}
