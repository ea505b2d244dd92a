import CryptoClient
import FoundationEssentials
import HSMBridge
import NIOCore

/// What stored keys cost: the service with a few thousand of them and with a million, in the throw-away database of the bench.
///
/// A few thousand are real: made by the service itself (A0), whose blocks bind an identity `host/<client>/<number>`, and written
/// into the tables with SQL. The others are rows with one of their blocks, which the module would refuse to open as theirs;
/// they make the directory large and are never asked for.
struct StoredKeys {
    struct Line {
        let stored: Int
        /// Requests a second under one key, and under all real ones in turn: more than the module holds open.
        let one, turning: Double
        /// Of kmsd serve, MiB.
        let memory: Double
        /// From the change in the tables to its effect.
        let seconds: Double
    }

    let context: BenchContext
    let keys: [MadeKey]
    private static let many = 1_000_000

    func run() async throws -> String {
        _ = try sql(preparation + rows(keys))
        var lines = [try await line(keys.count)]
        _ = try sql(filling(Self.many - keys.count))
        lines.append(try await line(Self.many))
        let seconds = try await oneChange()
        context.tell("  one of them suspended by its row: refused after \(BenchTable.hundredths(seconds)) s")
        let head = """
            | keys stored | one key | \(keys.count) keys in turn | memory of kmsd serve | seen after |
            |---:|---:|---:|---:|---:|
            """
        return
            ([head]
            + lines.map { line in
                "| \(BenchTable.number(Double(line.stored))) | \(BenchTable.number(line.one)) requests/s | "
                    + "\(BenchTable.number(line.turning)) requests/s | \(BenchTable.number(line.memory)) MiB | "
                    + "\(BenchTable.hundredths(line.seconds)) s |"
            }).joined(separator: "\n")
            + "\n\nOne of a million keys suspended in its row: refused after \(BenchTable.hundredths(seconds)) s."
    }

    /// From the suspension of one key among all to the first refusal, seconds.
    private func oneChange() async throws -> Double {
        let key = keys[0]
        let parts = MadeKey.product.split(separator: "/")
        let clock = ContinuousClock()
        let began = clock.now
        // By the whole of the primary key: a look through a million rows would be most of what is measured.
        _ = try sql(
            """
            UPDATE key_version SET state = 'suspended'
                WHERE issuer = '\(parts[0])' AND product = '\(parts[1])' AND label = '\(key.label)' AND version = 1;
            UPDATE change_counter SET value = value + 1, key_value = key_value + 1 WHERE id = 1;
            """)
        try await waitFor(key.label, until: began + .seconds(30)) { $0 == .keyBlockOther }
        return (clock.now - began) / .seconds(1)
    }

    /// Waits until the directory has the change, then measures.
    private func line(_ stored: Int) async throws -> Line {
        let clock = ContinuousClock()
        let began = clock.now
        _ = try sql("UPDATE change_counter SET value = value + 1, key_value = key_value + 1 WHERE id = 1;")
        let marker = stored == keys.count ? keys[keys.count - 1].label : "F\(stored - keys.count)"
        try await waitFor(marker, until: began + .seconds(180))
        let seconds = (clock.now - began) / .seconds(1)
        context.tell("\(stored) keys are in the tables, and seen after \(BenchTable.hundredths(seconds)) s")
        let exchanges = try await exchanges()
        let one = LoadPattern(Array(repeating: exchanges[0], count: 64))
        let line = Line(
            stored: stored, one: try context.service(one, connections: 50, depth: 16),
            turning: try context.service(LoadPattern(exchanges), connections: 50, depth: 16),
            memory: try Double(MemoryGrowth.resident(context.references.servePID ?? 0)) / 1_024, seconds: seconds)
        context.tell("  \(BenchTable.number(line.one)) and \(BenchTable.number(line.turning)) requests/s")
        return line
    }

    private func exchanges() async throws -> [LoadPattern.Exchange] {
        let requests = try keys.enumerated().map { number, key in
            try KeyLoad.request(number, HostKeyReference.label("\(MadeKey.product)/\(key.label)"))
        }
        return try await RawExchange.exchanges(context.settings.crypto, requests) { reply in
            (try? HostReply(reply).error) == .noError
        }
    }

    /// Until the answer under the key is as wanted; unless told, until the service knows the key: no longer 21.
    private func waitFor(
        _ label: String, until end: ContinuousClock.Instant,
        _ isWanted: @escaping @Sendable (HostErrorCode) -> Bool = { $0 != .indexValue && $0 != .functionNotPermitted }
    ) async throws {
        let request = try KeyLoad.request(0, HostKeyReference.label("\(MadeKey.product)/\(label)"))
        while ContinuousClock.now < end {
            var isKnown = false
            _ = try await RawExchange.exchanges(context.settings.crypto, [request]) { reply in
                isKnown = (try? HostReply(reply).error).map(isWanted) ?? false
                return true
            }
            if isKnown { return }
            try await Task.sleep(for: .milliseconds(50))
        }
        throw BenchTrouble("the service does not see the keys in the tables")
    }

    // MARK: SQL

    private var client: String { context.settings.crypto.plainClient }

    /// Nothing of this is ever done to a database that matters: the tables' guards go, because rows are written as no program
    /// may write them.
    private var preparation: String {
        let parts = MadeKey.product.split(separator: "/")
        return """
            SET SESSION foreign_key_checks = 0, unique_checks = 0;
            DROP TRIGGER IF EXISTS key_version_begins;
            INSERT INTO issuer (code, name, description) VALUES ('\(parts[0])', 'bench', '');
            INSERT INTO key_product (issuer, code, name, kind, description) VALUES ('\(parts[0])', '\(parts[1])', 'bench', 'MAC', '');
            INSERT INTO service_grant (client, scope, operation) VALUES ('\(client)', '\(MadeKey.product)/*', 'generateMAC');

            """
    }

    private func rows(_ keys: [MadeKey]) -> String {
        let names = keys.map { Self.name($0.label) }.joined(separator: ",\n")
        let values = keys.map { Self.value($0.label, $0.block, $0.checkValue) }.joined(separator: ",\n")
        return "\(Self.intoNames) VALUES \(names);\n\(Self.intoValues) VALUES \(values);\n"
    }

    private func filling(_ count: Int) -> String {
        let parts = MadeKey.product.split(separator: "/")
        return """
            SET SESSION foreign_key_checks = 0, unique_checks = 0;
            \(Self.intoNames) SELECT '\(parts[0])', '\(parts[1])', CONCAT('F', seq), 'M3', '3des2', 'C', 'E', '' FROM seq_1_to_\(count);
            \(Self.intoValues) SELECT '\(parts[0])', '\(parts[1])', CONCAT('F', seq), 1, 'active', '\(keys[0].block)',
                '\(keys[0].checkValue)', 'generated', 'bench', 1, 1 FROM seq_1_to_\(count);

            """
    }

    private static let intoNames =
        "INSERT INTO application_key (issuer, product, label, key_usage, algorithm, mode_of_use, exportability, description)"
    private static let intoValues =
        "INSERT INTO key_version (issuer, product, label, version, state, key_block, check_value, origin, made_by, made_at_us, "
        + "changed_at_us)"

    private static func name(_ label: String) -> String {
        let parts = MadeKey.product.split(separator: "/")
        return "('\(parts[0])', '\(parts[1])', '\(label)', 'M3', '3des2', 'C', 'E', '')"
    }

    private static func value(_ label: String, _ block: String, _ checkValue: String) -> String {
        let parts = MadeKey.product.split(separator: "/")
        return
            "('\(parts[0])', '\(parts[1])', '\(label)', 1, 'active', '\(block)', '\(checkValue)', 'generated', 'bench', 1, 1)"
    }

    /// As the database's own administrator, through its socket.
    private func sql(_ text: String) throws -> String {
        let file = "\(FileManager.default.temporaryDirectory.path)/kmsd-bench.sql"
        try Data(text.utf8).write(to: URL(filePath: file))
        defer { try? FileManager.default.removeItem(atPath: file) }
        return try OutsideProgram.run([
            "sh", "-c", "exec mariadb --no-defaults --socket=\"$1\" --batch --skip-column-names kms <\"$2\"", "sql",
            context.settings.database.socket, file,
        ])
    }
}

/// A key that the service made and gave back: its block under the LMK, and what that block is bound to.
struct MadeKey: Sendable {
    /// Issuer and product of the identity that A0 gives the keys of the plain client.
    static let product = "host/host-port"

    let reference: HostKeyReference
    let block: String
    /// Behind issuer and product.
    let label: String
    let checkValue: String

    init(_ reply: KeyReply) throws {
        reference = reply.key
        block = String(buffer: reply.key.text)
        checkValue = reply.checkValue
        let identity = try KeyBlockHeader(parsing: block).optionalBlock(LMKBlockField.identity) ?? ""
        let parts = identity.split(separator: "/").map(String.init)
        guard parts.count == 4, parts.dropLast(2).joined(separator: "/") == Self.product else {
            throw BenchTrouble("A0 makes keys of \(identity)")
        }
        label = parts[2]
    }
}
