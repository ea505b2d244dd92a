import MariaDB

/// Merchants and terminals in the database.
enum PartyTable {
    /// What became of "make this": the same again is no change, other content under the same number is refused.
    enum Registration: Sendable, Hashable {
        case made, unchanged, conflict, merchantUnknown
    }

    static func add(
        _ merchant: Merchant, by: String, at: Timestamp, _ connection: inout Connection
    ) throws(DatabaseError) -> Registration {
        if let known = try find(merchant.number, lock: true, &connection) {
            return known == merchant ? .unchanged : .conflict
        }
        try connection.execute(
            """
            INSERT INTO merchant (merchant_no, name, rate_bp, created_at, created_by)
            VALUES (\(merchant.number), \(merchant.name), \(merchant.rate.basisPoints), \(at.microseconds), \(by))
            """)
        return .made
    }

    static func add(
        _ terminal: Terminal, by: String, at: Timestamp, _ connection: inout Connection
    ) throws(DatabaseError) -> Registration {
        let row = try connection.queryOne(
            "SELECT merchant_no, psam_no FROM terminal WHERE terminal_no = \(terminal.number) FOR UPDATE")
        if let row {
            let merchant = try row.text("merchant_no")
            let psam = try row.optionalText("psam_no")
            return merchant == terminal.merchant && psam == terminal.psam ? .unchanged : .conflict
        }
        guard try find(terminal.merchant, lock: false, &connection) != nil else { return .merchantUnknown }
        try connection.execute(
            """
            INSERT INTO terminal (terminal_no, merchant_no, psam_no, created_at, created_by)
            VALUES (\(terminal.number), \(terminal.merchant), \(terminal.psam.sqlValue), \(at.microseconds), \(by))
            """)
        return .made
    }

    static func merchant(_ number: String, _ connection: inout Connection) throws(DatabaseError) -> Merchant? {
        try find(number, lock: false, &connection)
    }

    static func merchants(_ connection: inout Connection) throws(DatabaseError) -> [Merchant] {
        var merchants: [Merchant] = []
        let rows = try connection.query("SELECT merchant_no, name, rate_bp FROM merchant ORDER BY merchant_no")
        for row in rows { merchants.append(try merchant(row)) }
        return merchants
    }

    /// All terminals, or those of one merchant.
    static func terminals(of merchant: String? = nil, _ connection: inout Connection) throws(DatabaseError)
        -> [Terminal]
    {
        let rows = try connection.query(
            """
            SELECT terminal_no, merchant_no, psam_no FROM terminal
            WHERE \(merchant.sqlValue) IS NULL OR merchant_no = \(merchant.sqlValue) ORDER BY terminal_no
            """)
        var terminals: [Terminal] = []
        for row in rows {
            let number = try row.text("terminal_no")
            guard
                let terminal = Terminal(
                    number: number, merchant: try row.text("merchant_no"), psam: try row.optionalText("psam_no"))
            else { throw .column("terminal_no") }
            terminals.append(terminal)
        }
        return terminals
    }

    static func merchant(_ row: Row) throws(DatabaseError) -> Merchant {
        guard let rate = FeeRate(basisPoints: try row.int64("rate_bp")),
            let merchant = Merchant(number: try row.text("merchant_no"), name: try row.text("name"), rate: rate)
        else { throw .column("rate_bp") }
        return merchant
    }

    private static func find(
        _ number: String, lock: Bool, _ connection: inout Connection
    ) throws(DatabaseError) -> Merchant? {
        let words: SQL = lock ? "FOR UPDATE" : ""
        let row = try connection.queryOne(
            "SELECT merchant_no, name, rate_bp FROM merchant WHERE merchant_no = \(number) \(words)")
        guard let row else { return nil }
        return try merchant(row)
    }
}
