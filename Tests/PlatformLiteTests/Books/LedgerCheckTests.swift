import MariaDB
import Testing

@testable import PlatformLite

struct LedgerCheckTests {
    @Test func `The program cannot change or delete the journal`() async throws {
        try await TestDatabase.with("rights") { database in
            let office = BackOffice(database: database, verifier: ScriptedVerifier(), clock: { Scenario.now })
            try await Scenario.prepare(office)
            for statement: SQL in [
                "UPDATE entry SET amount_fen = 1", "DELETE FROM entry", "UPDATE posting SET memo = ''",
                "DELETE FROM posting",
                "DELETE FROM account", "DELETE FROM purchase", "DELETE FROM batch_line",
            ] {
                await #expect(throws: DatabaseError.accessDenied) {
                    _ = try await database.write { connection in try connection.execute(statement).affectedRows }
                }
            }
        }
    }

    @Test func `An unbalanced, empty or one-sided entry cannot be stored even with all rights`() async throws {
        try await TestDatabase.with("sides") { _ in
            try await TestDatabase.withAdministrator("sides") { database in
                _ = try await database.write { connection in
                    try connection.execute(
                        "INSERT INTO account VALUES ('bank', 'bank', 0), ('suspense', 'suspense', 0)")
                    try connection.execute(
                        "INSERT INTO posting VALUES (1, 'k', 'load', 20261120, 1, 'x', NULL, NULL, NULL, '', NULL)"
                    )
                }
                for (values, constraint) in [
                    ("(1, 1, 'load', 'bank', 'bank', 5)" as SQL, "entry_sides"),
                    ("(1, 1, 'load', 'bank', 'suspense', 0)", "entry_amount"),
                    ("(1, 1, 'load', 'bank', 'suspense', -5)", "entry_amount"),
                ] {
                    await #expect(throws: DatabaseError.checkFailed(constraint: constraint)) {
                        _ = try await database.write {
                            try $0.execute("INSERT INTO entry VALUES \(values)").affectedRows
                        }
                    }
                }
                await #expect(throws: DatabaseError.duplicateKey(constraint: "posting_key")) {
                    _ = try await database.write { connection in
                        try connection.execute(
                            "INSERT INTO posting VALUES (2, 'k', 'load', 20261120, 1, 'x', NULL, NULL, NULL, '', NULL)"
                        ).affectedRows
                    }
                }
            }
        }
    }

    /// What a thief with the database's administrator account might do.
    private static let tampering: [(SQL, String)] = [
        (
            "UPDATE account SET balance_fen = balance_fen - 100 WHERE name = 'merchant:M1'",
            "balance of account merchant:M1"
        ),
        ("UPDATE entry SET amount_fen = amount_fen + 100 WHERE posting_no = 3 AND entry_no = 1", "purchase"),
        ("DELETE FROM entry WHERE posting_no = 3", "posting 3 has no entries"),
        ("UPDATE purchase SET amount_fen = amount_fen + 1 ORDER BY terminal_no, terminal_txn LIMIT 1", "differ"),
        (
            "UPDATE purchase SET fee_fen = fee_fen + 1 WHERE merchant_no = 'M1' AND amount_fen > 400 LIMIT 1",
            "statement of merchant M1"
        ),
        ("DELETE FROM purchase ORDER BY terminal_no, terminal_txn LIMIT 1", "has no purchase"),
        ("UPDATE posting SET business_date = 20261121 WHERE posting_no = 5", "differ"),
    ]

    @Test func `Every kind of tampering is found and named`() async throws {
        try await TestDatabase.with("tamper") { database in
            let office = BackOffice(database: database, verifier: ScriptedVerifier(), clock: { Scenario.now })
            try await Scenario.prepare(office)
            let id = try await office.upload(
                Scenario.csv(Scenario.purchases(60, cards: 6, seed: 51)), id: nil, by: "test"
            ).status.id
            try await office.process(id)
            #expect(try await office.checkLedger().isRight)
            try await TestDatabase.withAdministrator("tamper") { administrator in
                for (statement, finding) in Self.tampering {
                    do {
                        _ = try await administrator.write { connection in
                            let changed = try connection.execute(statement).affectedRows
                            #expect(changed == 1)
                            throw Seen(findings: try LedgerChecker.check(&connection).findings)
                        }
                    } catch let seen as Seen {
                        #expect(seen.findings.contains { $0.contains(finding) }, "\(finding): \(seen.findings)")
                    }
                }
            }
            // Every change was rolled back.
            #expect(try await office.checkLedger().isRight)
        }
    }

    /// Carries the findings out of a transaction that is then rolled back.
    private struct Seen: Error {
        let findings: [String]
    }
}
