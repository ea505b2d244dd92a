internal import MariaDB

/// Table `stock_movement`: every way that every card went, with who and why. Rows come and stay.
enum StockMovementTable {
    static let creation: [SQL] = [
        """
        CREATE TABLE stock_movement (
            id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
            kind VARCHAR(40) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
            batch VARCHAR(40) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
            from_place VARCHAR(10) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
            to_place VARCHAR(10) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
            cards INT UNSIGNED NOT NULL,
            job_id BIGINT NULL,
            person VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
            reason VARCHAR(200) NOT NULL,
            at_us BIGINT NOT NULL,
            KEY stock_movement_job (job_id),
            CONSTRAINT stock_movement_batch FOREIGN KEY (kind, batch) REFERENCES card_stock (kind, batch),
            CONSTRAINT stock_movement_ways CHECK (CONCAT(from_place, ' ', to_place) IN
                ('supplier blank', 'blank working', 'working blank', 'working finished', 'working scrapped')),
            CONSTRAINT stock_movement_cards CHECK (cards > 0 AND (cards = 1 OR from_place = 'supplier'))
        ) ENGINE = InnoDB
        """
    ]
    static let grants = [Grant.appendOnly("stock_movement")]

    struct Movement: Sendable {
        let kind: String
        let batch: String
        let from: StockPlace
        let to: StockPlace
        var cards = 1
        var job: Int64?
        let person: String
        let reason: String
        let now: Int64
    }

    static func append(_ movement: Movement, _ connection: inout Connection) throws(DatabaseError) {
        try connection.execute(
            """
            INSERT INTO stock_movement (kind, batch, from_place, to_place, cards, job_id, person, reason, at_us)
            VALUES (\(movement.kind), \(movement.batch), \(movement.from.rawValue), \(movement.to.rawValue),
                \(movement.cards), \(movement.job.sqlValue), \(movement.person), \(movement.reason), \(movement.now))
            """)
    }

    /// One card's way: count and ledger change together.
    static func move(_ movement: Movement, _ connection: inout Connection) throws {
        guard
            try CardStockTable.move(
                kind: movement.kind, batch: movement.batch, from: movement.from, to: movement.to, &connection)
        else { throw IssuingError.noStock(kind: movement.kind) }
        try append(movement, &connection)
    }
}
