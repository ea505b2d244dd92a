import MariaDB
import Testing

@Suite struct SQLTests {
    @Test func `an interpolated value becomes a placeholder and never text`() {
        let name = "x'; DROP TABLE account; --"
        let sql: SQL = "SELECT * FROM account WHERE name = \(name) AND id = \(7)"
        #expect(sql.text == "SELECT * FROM account WHERE name = ? AND id = ?")
        #expect(sql.values == [.text(name), .integer(7)])
    }

    @Test func `pieces keep the order of their values`() {
        let inner: SQL = "b = \(2)"
        var sql: SQL = "a = \(1) AND \(inner) AND c = \(3)"
        sql += " ORDER BY \(literal: "c")"
        #expect(sql.text == "a = ? AND b = ? AND c = ? ORDER BY c")
        #expect(sql.values == [.integer(1), .integer(2), .integer(3)])
        #expect(("x" as SQL) + "y" == "xy")
    }

    @Test func `rows and lists join with their values`() {
        let rows = [SQL.row(1, "a", [0xFF] as [UInt8]), SQL.row(2, nil as String?, [] as [UInt8])].joined(", ")
        #expect(rows.text == "(?, ?, ?), (?, ?, ?)")
        #expect(rows.values == [.integer(1), .text("a"), .bytes([0xFF]), .integer(2), .null, .bytes([])])
        #expect(SQL.list([5, 6]) == "(\(5), \(6))")
        #expect(SQL.list([] as [Int]) == "(NULL)")
        #expect([SQL]().joined(", ") == "")
    }

    @Test func `every bindable type has its value`() {
        #expect(UInt64.max.sqlValue == .unsigned(.max))
        #expect(UInt8.max.sqlValue == .integer(255))
        #expect(Int8.min.sqlValue == .integer(-128))
        #expect(true.sqlValue == .integer(1))
        #expect((nil as Int?).sqlValue == .null)
        #expect(Optional(Optional("a")).sqlValue == .text("a"))
        #expect([UInt8](0..<4)[1..<3].sqlValue == .bytes([1, 2]))
        #expect("abc".dropFirst().sqlValue == .text("bc"))
    }
}
