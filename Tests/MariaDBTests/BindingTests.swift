import Testing

@testable import MariaDB

/// Values through the real server and back.
@Suite struct BindingTests {
    static let values: [SQLValue] = [
        .null, .integer(0), .integer(-1), .integer(.min), .integer(.max), .text(""), .text("a"), .bytes([]),
        .bytes([0]),
        .text(String(repeating: "字", count: 300)), .bytes([UInt8](repeating: 0xFF, count: 70_000)),
        .bytes([UInt8](0...255)), .text("𠀀𪛖𫠝 Ext-B, 😀, e\u{301}"), .text("a\u{0}b"),
        .bytes([UInt8](repeating: 1, count: 256)), .bytes([UInt8](repeating: 1, count: 257)),
    ]

    /// Well-known forms of SQL injection; as values they are harmless text.
    static let injections = [
        "' OR '1'='1", "'; DROP TABLE corpus; --", "\" OR 1=1 -- ", "\\' OR 1=1 #", "1; SELECT SLEEP(5)",
        "') UNION SELECT 1 -- ",
        "%' AND 1=0 UNION ALL SELECT NULL -- ", "/*!50000 DROP TABLE corpus */", "\u{BF}' OR 1=1 -- ", "?", "? OR ?",
        "\\",
        "x\u{0}' OR '1'='1", "`", "admin'--", "${jndi}", "\u{2019} OR 1=1", "\r\n; COMMIT; ",
    ]

    @Test(arguments: values) func `a value comes back as it went`(_ value: SQLValue) async throws {
        let settings = try await TestServer.administrator(of: TestServer.running())
        let back = try await TestServer.with(settings) { database in
            try await database.read { connection in
                switch value {
                case .bytes: try connection.requireOne("SELECT CAST(\(value) AS BINARY) AS v")["v"]
                default: try connection.requireOne("SELECT \(value) AS v")["v"]
                }
            }
        }
        #expect(back == value)
    }

    @Test func `columns of every kind are decoded by their kind`() async throws {
        let settings = try await TestServer.schema("kinds")
        try await TestServer.with(settings) { database in
            try await database.plain { connection in
                try connection.execute(
                    """
                    CREATE TABLE kinds (t TINYINT, s SMALLINT UNSIGNED, m MEDIUMINT, l BIGINT, u BIGINT UNSIGNED,
                    d DECIMAL(30,0), f DECIMAL(10,2), v VARCHAR(20), c CHAR(4), x TEXT, b VARBINARY(20), k BINARY(4), o BLOB,
                    y BOOLEAN, w DATE, z DATETIME(6), e ENUM('one','two'), j JSON, g DOUBLE, n INT NULL)
                    """)
                try connection.execute(
                    """
                    INSERT INTO kinds VALUES (\(-128), \(65_535), \(-8_388_608), \(Int64.min), \(UInt64.max),
                    \("123456789012345678901234567890"), \("12.50"), \("𠀀"), \("ab"), \("long"), \([1, 0, 2] as [UInt8]),
                    \([1, 2, 3, 4] as [UInt8]), \([] as [UInt8]), \(true), \("2026-02-28"), \("2026-02-28 01:02:03.000004"),
                    \("two"), \("{\"a\":1}"), \("1.5"), \(nil as Int?))
                    """)
                let row = try connection.requireOne("SELECT *, (SELECT SUM(m) FROM kinds) AS sum FROM kinds")
                #expect(try row.int64("t") == -128)
                #expect(try row.int("s") == 65_535)
                #expect(row["s"] == .unsigned(65_535))
                #expect(try row.int64("m") == -8_388_608)
                #expect(try row.int64("l") == .min)
                #expect(try row.uint64("u") == .max)
                #expect(try row.text("d") == "123456789012345678901234567890")
                #expect(try row.text("f") == "12.50")
                #expect(try row.text("v") == "𠀀")
                #expect(try row.text("c") == "ab")
                #expect(try row.text("x") == "long")
                #expect(try row.bytes("b") == [1, 0, 2])
                #expect(try row.bytes("k") == [1, 2, 3, 4])
                #expect(try row.bytes("o") == [])
                #expect(try row.bool("y"))
                #expect(try row.text("w") == "2026-02-28")
                #expect(try row.text("z") == "2026-02-28 01:02:03.000004")
                #expect(try row.text("e") == "two")
                #expect(try row.text("j") == "{\"a\":1}")
                #expect(try row.text("g") == "1.5")
                #expect(try row.optionalInt("n") == nil)
                #expect(row["sum"] == .integer(-8_388_608))
            }
        }
    }

    @Test func `a column asked for as another kind is refused by name`() async throws {
        let settings = try await TestServer.administrator(of: TestServer.running())
        try await TestServer.with(settings) { database in
            try await database.read { connection in
                let row = try connection.requireOne("SELECT \("text") AS a, \(2) AS b, NULL AS c")
                #expect(throws: DatabaseError.column("a")) { try row.int64("a") }
                #expect(throws: DatabaseError.column("a")) { try row.bytes("a") }
                #expect(throws: DatabaseError.column("b")) { try row.bool("b") }
                #expect(throws: DatabaseError.column("b")) { try row.text("b") }
                #expect(throws: DatabaseError.column("c")) { try row.text("c") }
                #expect(throws: DatabaseError.column("missing")) { try row.optionalText("missing") }
            }
        }
    }

    @Test func `the injection corpus is stored and found as plain values`() async throws {
        let settings = try await TestServer.schema("corpus")
        try await TestServer.with(settings) { database in
            try await database.plain { connection in
                try connection.execute(
                    "CREATE TABLE corpus (id INT AUTO_INCREMENT PRIMARY KEY, v VARCHAR(100) NOT NULL)")
            }
            let ids = try await database.write { connection in
                try connection.execute(
                    "INSERT INTO corpus (v) VALUES \(Self.injections.map { SQL.row($0) }.joined(", "))")
                return try connection.query("SELECT id FROM corpus WHERE v IN \(SQL.list(Self.injections))").count
            }
            #expect(ids == Self.injections.count)
            for text in Self.injections {
                let found = try await database.read { try $0.query("SELECT v FROM corpus WHERE v = \(text)") }
                #expect(try found.map { try $0.text("v") } == [text])
            }
        }
    }

    @Test func `comparison is exact, trailing spaces and case included`() async throws {
        let settings = try await TestServer.schema("exact")
        try await TestServer.with(settings) { database in
            try await database.plain { connection in
                try connection.execute("CREATE TABLE name (v VARCHAR(20) NOT NULL PRIMARY KEY)")
                for name in ["a", "A", "a ", "á"] { try connection.execute("INSERT INTO name VALUES (\(name))") }
                #expect(try connection.query("SELECT v FROM name WHERE v = \("a")").count == 1)
            }
        }
    }
}
