/// The prepared statements of one connection, at most `limit`; the one not used for longest goes first.
struct StatementCache {
    private let limit: Int
    private var statements: [String: (statement: Statement, used: UInt64)] = [:]
    private var clock: UInt64 = 0

    init(limit: Int) {
        self.limit = max(1, limit)
    }

    var count: Int { statements.count }

    mutating func statement(
        for text: String, prepare: () throws(DatabaseError) -> Statement
    ) throws(DatabaseError) -> Statement {
        clock += 1
        if let found = statements[text] {
            statements[text]?.used = clock
            return found.statement
        }
        let made = try prepare()
        // A linear search: it happens only when a statement is prepared, which costs a round trip anyway.
        if statements.count >= limit, let oldest = statements.min(by: { $0.value.used < $1.value.used }) {
            statements[oldest.key] = nil
        }
        statements[text] = (made, clock)
        return made
    }

    mutating func forget(_ text: String) {
        statements[text] = nil
    }

    mutating func removeAll() {
        statements.removeAll()
    }
}
