import MariaDB

/// The whole back office in a few numbers, and what waits for somebody.
struct Overview: Sendable {
    let posted: Int64
    let takings: Amount
    let suspended: Int64
    let rejected: Int64
    let merchants: Int64
    let terminals: Int64
    let waiting: [BatchStatus]
    /// The earliest of all terminals' last records; nil while a terminal has never uploaded.
    let completeUntil: Statement.RecordTime?
}

extension BackOffice {
    func overview() async throws -> Overview {
        try await database.read { connection in
            let row = try connection.requireOne(
                """
                SELECT (SELECT COUNT(*) FROM purchase WHERE standing = 'clear') AS posted,
                    (SELECT COALESCE(SUM(amount_fen), 0) FROM purchase WHERE standing = 'clear') AS takings,
                    (SELECT COUNT(*) FROM purchase WHERE standing = 'suspense') AS suspended,
                    (SELECT COUNT(*) FROM batch_line WHERE outcome = 'rejected') AS rejected,
                    (SELECT COUNT(*) FROM merchant) AS merchants, (SELECT COUNT(*) FROM terminal) AS terminals
                """)
            var waiting: [BatchStatus] = []
            for id in try BatchTable.unfinished(&connection).prefix(20) {
                if let status = try BatchTable.status(id, &connection) { waiting.append(status) }
            }
            return Overview(
                posted: try row.int64("posted"), takings: Amount(fen: try row.int64("takings")),
                suspended: try row.int64("suspended"), rejected: try row.int64("rejected"),
                merchants: try row.int64("merchants"), terminals: try row.int64("terminals"), waiting: waiting,
                completeUntil: try StatementTable.completeUntil(&connection)
            )
        }
    }
}
