import Testing

@testable import MariaDB

@Suite struct ErrorTests {
    /// A value that tries to pass for the name of a key in the server's message.
    static let hostile = "x' for key 'forged"

    @Test func `constraints are mapped to their kind and name, and no error shows data`() async throws {
        let settings = try await TestServer.schema("errors")
        try await TestServer.with(settings) { database async throws in
            try await database.plain { connection in
                try connection.execute(
                    """
                    CREATE TABLE parent (id INT PRIMARY KEY, name VARCHAR(30) NOT NULL, amount INT NOT NULL DEFAULT 0,
                    UNIQUE KEY parent_name (name), CONSTRAINT amount_positive CHECK (amount >= 0))
                    """)
                try connection.execute(
                    """
                    CREATE TABLE child (id INT PRIMARY KEY, parent INT NOT NULL,
                    CONSTRAINT child_parent FOREIGN KEY (parent) REFERENCES parent (id))
                    """)
                try connection.execute("INSERT INTO parent (id, name) VALUES (1, \(Self.hostile))")
                try connection.execute("INSERT INTO child VALUES (1, 1)")
            }
            let cases: [(SQL, DatabaseError)] = [
                ("INSERT INTO parent (id, name) VALUES (2, \(Self.hostile))", .duplicateKey(constraint: "parent_name")),
                ("INSERT INTO parent (id, name) VALUES (1, 'b')", .duplicateKey(constraint: "PRIMARY")),
                ("INSERT INTO child VALUES (2, 9)", .foreignKey(constraint: "child_parent")),
                ("DELETE FROM parent WHERE id = 1", .foreignKey(constraint: "child_parent")),
                ("UPDATE parent SET amount = \(-1)", .checkFailed(constraint: "amount_positive")),
                ("UPDATE parent SET name = \(String(repeating: "n", count: 31))", .invalidValue(code: 1406)),
                ("UPDATE parent SET amount = \(Int64.max)", .invalidValue(code: 1264)),
                ("UPDATE parent SET amount = \("many")", .invalidValue(code: 1366)),
                ("UPDATE parent SET name = \(nil as String?)", .invalidValue(code: 1048)),
                ("INSERT INTO parent (id) VALUES (5)", .invalidValue(code: 1364)),
                ("SELECT * FROM nowhere", .other(code: 1146)),
                ("SELEC 1", .other(code: 1064)),
                // A question mark of the text's own has no value to it.
                ("SELECT '?' = ?", .other(code: 2031)),
            ]
            for (sql, expected) in cases {
                let error = await #expect(throws: DatabaseError.self) {
                    try await database.write { try $0.execute(sql) }
                }
                #expect(error == expected, "\(sql.text)")
                #expect(error.map { !$0.description.contains("forged") } == true)
            }
            // The pool is sound after all these.
            #expect(try await database.read { try $0.query("SELECT id FROM parent").count } == 1)
        }
    }

    @Test func `too many rows are refused, and no row where one must be`() async throws {
        var settings = try await TestServer.schema("limits")
        settings.rowLimit = 10
        try await TestServer.with(settings) { database async throws in
            try await database.plain { connection in
                try connection.execute("CREATE TABLE number (n INT PRIMARY KEY)")
                try connection.execute("INSERT INTO number VALUES \((1...11).map { SQL.row($0) }.joined(", "))")
            }
            await #expect(throws: DatabaseError.tooManyRows) {
                try await database.read { try $0.query("SELECT n FROM number") }
            }
            let ten = try await database.read { try $0.query("SELECT n FROM number WHERE n <= 10") }
            #expect(ten.count == 10)
            await #expect(throws: DatabaseError.noRow) {
                try await database.read { try $0.requireOne("SELECT n FROM number WHERE n = 99") }
            }
        }
    }

    @Test func `a wrong password, a missing password file and a remote server without TLS are refused`() async throws {
        let folder = try TestServer.temporaryFolder("password")
        var settings = try await TestServer.running().settings(for: .kms)
        settings.password = .file(path: "\(folder)/none")
        await expect(.accessDenied, settings)
        settings.password = .file(path: "/dev/null")
        await expect(.accessDenied, settings)
        settings.server = .tcp(host: "192.0.2.1", port: 3306, authorityFile: nil)
        let violation = SettingViolation(setting: "TLS to the database", found: "off", wanted: "an authority file")
        await expect(.unsafeSettings([violation]), settings)
    }

    @Test func `a server that is not there is given up after the set time`() async throws {
        var settings = DatabaseSettings(
            server: .socket(path: "/tmp/kmsd-no-such-socket"), user: "kms", password: .none, schema: nil)
        settings.reconnectSeconds = 0
        await expect(.gone(.notCommitted), settings)
    }

    private func expect(_ error: DatabaseError, _ settings: DatabaseSettings) async {
        await #expect(throws: error) {
            try await TestServer.with(settings) { try await $0.read { try $0.query("SELECT 1 AS one").count } }
        }
    }
}
