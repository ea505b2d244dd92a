import Foundation
import Glibc
import HSMBridge
import HSMEngine
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import KMS
import Logging
import NIOCore
import Personalization
import Synchronization

@testable import Console
@testable import MariaDB

/// The admin API over a real key centre: a schema of its own in a private MariaDB, a module in this process.
final class Rig: Sendable {
    let centre: KeyCentre
    let issuing: CardIssuing
    let module: SoftwareModule
    let application: ConsoleServer
    let log: LogCapture

    /// Roles and passwords of the people that `shared` has.
    static let people = [
        ("mia", "mk"), ("carl", "conf"), ("kate", "key"), ("olga", "operator"), ("adam", "auditor"), ("tess", "key"),
        ("uwe", "cert"), ("vera", "cert"),
    ]
    static func password(_ name: String) -> String { "a long password of \(name)" }

    /// One rig with people for the tests that do not mind each other's issuers.
    static let shared = Task {
        let rig = try await Rig(settings: ConsoleSettings())
        try await rig.bootstrap()
        return rig
    }

    init(settings: ConsoleSettings, lockSeconds: Int = 60) async throws {
        let number = TestDatabase.next()
        let folder = try TestDatabase.folder("rig\(number)")
        let database = try await TestDatabase.makeSchema("t\(number)", on: try await TestDatabase.shared.value)
        module = try SoftwareModule(forTestsWithRandomLMKIn: folder)
        var kms = KMSSettings(auditFile: "\(folder)/audit.log")
        kms.node = "n\(number)"
        kms.lockSeconds = lockSeconds
        centre = try await KeyCentre.open(database: database, module: module, settings: kms)
        try await centre.directory.refreshNow()
        issuing = try await CardIssuing.open(
            database: database, centre: centre, module: module, cards: Self.oneEmptyReader,
            profiles: try Self.profiles())
        let log = LogCapture()
        self.log = log
        application = ConsoleServer(
            settings, centre: centre, issuing: issuing,
            logger: Logger(label: "console") { _ in CapturingHandler(capture: log) })
    }

    private static let oneEmptyReader = CardAccess(
        names: { ["Reader 1"] }, withCard: { _, _ in throw CardError.noCard })

    /// The profiles that we ship.
    private static func profiles(file: String = #filePath) throws -> ProfileLibrary {
        var folder = URL(filePath: file)
        for _ in 0..<4 { folder.deleteLastPathComponent() }
        return try ProfileLibrary(folder: folder.appending(path: "conf/cards").path())
    }

    /// Makes the people, through the front door.
    func bootstrap() async throws {
        let token = try await centre.offerBootstrap() ?? ""
        let body = ([token] + Self.people.map { Self.password($0.0) }).joined(separator: "\n")
        let query = Self.people.map { "person=\($0.0)%3D\($0.1)" }.joined(separator: "&")
        let answer = try await ask(.post, "/admin/v1/bootstrap?\(query)", text: body)
        guard answer.status == .created else { throw RigFailure(text: "bootstrap: \(answer.text)") }
    }

    /// One request, without the network.
    func ask(
        _ method: HTTPRequest.Method, _ path: String, as person: String? = nil, token: String? = nil,
        text: String? = nil,
        json: [String: Any]? = nil, language: String? = nil
    ) async throws -> RigAnswer {
        var headers = HTTPFields()
        if let person { headers[.authorization] = "Bearer \(try await session(person))" }
        if let token { headers[.authorization] = "Bearer \(token)" }
        if let language { headers[.acceptLanguage] = language }
        let body: Data? = try json.map { try JSONSerialization.data(withJSONObject: $0) } ?? text.map { Data($0.utf8) }
        let sent = headers
        return try await application.application().test(.router) { client in
            let answer = try await client.execute(
                uri: path, method: method, headers: sent, body: body.map { ByteBuffer(bytes: $0) })
            return RigAnswer(status: answer.status, headers: answer.headers, body: Data(answer.body.readableBytesView))
        }
    }

    /// A JSON request under `/admin/v1` that must succeed.
    @discardableResult
    func make(
        _ method: HTTPRequest.Method, _ path: String, as person: String, _ json: [String: Any]? = nil,
        text: String? = nil
    ) async throws -> RigAnswer {
        let answer = try await ask(method, "/admin/v1" + path, as: person, text: text, json: json)
        guard answer.status.kind == .successful else { throw RigFailure(text: "\(method) \(path): \(answer.text)") }
        return answer
    }

    func session(_ person: String) async throws -> String {
        // One sign-in for all tests that run at once: a second check of the same name meanwhile is answered "busy".
        let task = sessions.withLock { sessions in
            if let known = sessions[person] { return known }
            let new = Task { try await self.signIn(person) }
            sessions[person] = new
            return new
        }
        return try await task.value
    }

    private func signIn(_ person: String) async throws -> String {
        let answer = try await ask(.post, "/admin/v1/sessions?name=\(person)", text: Self.password(person))
        guard let token = try answer.object["token"] as? String else { throw RigFailure(text: answer.text) }
        return token
    }

    private let sessions = Mutex<[String: Task<String, any Error>]>([:])

    /// An issuer with one product `P`.
    func makeProduct(_ issuer: String) async throws {
        try await make(.post, "/issuers", as: "carl", ["code": issuer, "name": "Issuer", "description": ""])
        try await make(.post, "/issuers/\(issuer)/products", as: "carl", ["code": "P", "name": "Keys", "kind": "any"])
    }

    /// A key without a value.
    func makeKey(
        _ name: String, usage: String = "mac3", algorithm: String = "3des2", mode: String = "C",
        exportability: String = "N"
    ) async throws {
        try await make(
            .post, "/keys", as: "carl",
            ["name": name, "usage": usage, "algorithm": algorithm, "mode": mode, "exportability": exportability])
    }

    /// The number of an approval that kate asked for and mia gave.
    func approved(_ request: [String: Any], by requester: String = "kate") async throws -> Int {
        let asked = try await make(.post, "/approvals", as: requester, request)
        guard let id = try asked.object["id"] as? Int else { throw RigFailure(text: asked.text) }
        try await make(.post, "/approvals/\(id)/approve", as: "mia")
        return id
    }
}

struct RigFailure: Error {
    let text: String
}

/// An answer, as a test looks at it.
struct RigAnswer: Sendable {
    let status: HTTPResponse.Status
    let headers: HTTPFields
    let body: Data

    var text: String { String(decoding: body, as: UTF8.self) }
    var object: [String: Any] {
        get throws { try JSONSerialization.jsonObject(with: body) as? [String: Any] ?? [:] }
    }
    var list: [[String: Any]] {
        get throws { try JSONSerialization.jsonObject(with: body) as? [[String: Any]] ?? [] }
    }
    /// The code of a problem.
    var code: String { (try? object["code"] as? String) ?? "" }
}

/// Everything that was logged, at every level.
final class LogCapture: Sendable {
    private let lines = Mutex<[String]>([])
    func add(_ line: String) { lines.withLock { $0.append(line) } }
    var text: String { lines.withLock { $0.joined(separator: "\n") } }
}

struct CapturingHandler: LogHandler {
    let capture: LogCapture
    var metadata: Logger.Metadata = [:]
    var logLevel = Logger.Level.trace

    init(capture: LogCapture) { self.capture = capture }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        capture.add("\(event.level) \(event.message) \(metadata) \(event.metadata ?? [:])")
    }
}
