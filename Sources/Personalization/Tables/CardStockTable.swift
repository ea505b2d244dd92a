internal import MariaDB

/// Table `card_stock`: the present count of each delivery. Its constraint is the rule of the stock room.
enum CardStockTable {
    static let creation: [SQL] = [
        """
        CREATE TABLE card_stock (
            kind VARCHAR(40) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
            batch VARCHAR(40) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
            received INT UNSIGNED NOT NULL,
            blank INT UNSIGNED NOT NULL,
            working INT UNSIGNED NOT NULL DEFAULT 0,
            finished INT UNSIGNED NOT NULL DEFAULT 0,
            scrapped INT UNSIGNED NOT NULL DEFAULT 0,
            first_at_us BIGINT NOT NULL,
            PRIMARY KEY (kind, batch),
            CONSTRAINT card_stock_sum CHECK (received = blank + working + finished + scrapped)
        ) ENGINE = InnoDB
        """
    ]
    static let grants = [Grant("card_stock", [.select, .insert, .update])]

    static func receive(
        kind: String, batch: String, count: Int, now: Int64, _ connection: inout Connection
    ) throws(DatabaseError) {
        try connection.execute(
            """
            INSERT INTO card_stock (kind, batch, received, blank, first_at_us)
            VALUES (\(kind), \(batch), \(count), \(count), \(now))
            ON DUPLICATE KEY UPDATE blank = blank + VALUES(blank), received = received + VALUES(received)
            """)
    }

    /// The oldest delivery with blanks left, or the one that was named, locked; nil if there is none.
    static func batch(kind: String, named: String?, _ connection: inout Connection) throws(DatabaseError) -> String? {
        var query: SQL = "SELECT batch FROM card_stock WHERE kind = \(kind) AND blank > 0"
        if let named { query += " AND batch = \(named)" }
        query += " ORDER BY first_at_us, batch LIMIT 1 FOR UPDATE"
        return try connection.queryOne(query)?.text("batch")
    }

    /// Moves one card; false if there is none in that place.
    static func move(
        kind: String, batch: String, from: StockPlace, to: StockPlace, _ connection: inout Connection
    ) throws(DatabaseError) -> Bool {
        guard let source = column(from), let target = column(to) else { return false }
        return try connection.execute(
            """
            UPDATE card_stock SET \(source) = \(source) - 1, \(target) = \(target) + 1
            WHERE kind = \(kind) AND batch = \(batch) AND \(source) > 0
            """
        ).affectedRows == 1
    }

    private static func column(_ place: StockPlace) -> SQL? {
        switch place {
        case .supplier: nil
        case .blank: "blank"
        case .working: "working"
        case .finished: "finished"
        case .scrapped: "scrapped"
        }
    }

    static func all(_ connection: inout Connection) throws -> [StockLine] {
        try connection.query(
            """
            SELECT kind, batch, received, blank, working, finished, scrapped FROM card_stock ORDER BY kind, first_at_us, batch
            """
        ).map { row in
            StockLine(
                kind: try row.text("kind"), batch: try row.text("batch"), received: try row.int("received"),
                blank: try row.int("blank"), working: try row.int("working"), finished: try row.int("finished"),
                scrapped: try row.int("scrapped"))
        }
    }
}
