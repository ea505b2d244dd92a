import MariaDB
import Testing

/// Values through the real server and back.
@Suite struct BindingTests {
    static let values: [SQLValue] = [
        .null, .integer(0), .integer(-1), .integer(.min), .integer(.max), .text(""), .text("a"), .bytes([]),
        .bytes([0]),
        .text(String(repeating: "字", count: 300)), .bytes([UInt8](repeating: 0xFF, count: 70_000)),
        .bytes([UInt8](0...255)), .text("𠀀𪛖𫠝 Ext-B, 😀, e\u{301}"), .text("' OR '1'='1"), .text("a\u{0}b"),
    ]

    @Test(arguments: values) func `a value comes back as it went`(_ value: SQLValue) async throws {
        let back = try await TestServer.with(.kmsMigrate) { database in
            try await database.read { connection in
                switch value {
                case .bytes: try connection.requireOne("SELECT CAST(\(value) AS BINARY) AS v")["v"]
                default: try connection.requireOne("SELECT \(value) AS v")["v"]
                }
            }
        }
        #expect(back == value)
    }
}
