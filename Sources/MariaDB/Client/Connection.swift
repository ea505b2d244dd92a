import CMariaDB

/// One conversation with the server, lent `inout` to the job that uses it and to nothing else.
///
/// A worker thread makes it, owns it and closes it, so it is never used by two threads. All statements are prepared, with
/// their values bound.
@safe public struct Connection: ~Copyable {
    private let handle: UnsafeMutablePointer<MYSQL>
    private let rowLimit: Int
    private var cache: StatementCache
    /// What became of the transaction that runs, whatever the job makes of the error it saw.
    private(set) var damage: Damage?
    /// Whether a job's transaction runs, which must be committed as a whole or not at all.
    private var isGuarded = false

    /// Why a transaction can no longer be committed as a whole.
    enum Damage {
        /// The server rolled it back, or a statement of it, in favour of another.
        case conflict(DatabaseError)
        /// The job ended it with DDL or a COMMIT of its own.
        case broken
        /// The server is lost.
        case lost
    }

    /// Connects, logs in and sets the session up; throws `.gone`, `.accessDenied`, `.unsafeSettings` or `.other`.
    init(to settings: DatabaseSettings) throws(DatabaseError) {
        unsafe handle = try Handshake(settings).connect()
        rowLimit = settings.rowLimit
        cache = StatementCache(limit: settings.statementLimit)
        damage = nil
    }

    deinit {
        // Statements outlive their connection without harm (the library unhooks them), so the order does not matter.
        unsafe mysql_close(handle)
    }

    /// All rows of an answer, at most `DatabaseSettings.rowLimit`.
    public mutating func query(_ sql: SQL) throws(DatabaseError) -> [Row] {
        let statement = try run(sql)
        do throws(DatabaseError) {
            return try statement.rows(limit: rowLimit)
        } catch {
            note(error)
            throw error
        }
    }

    /// The first row of an answer, or nil.
    public mutating func queryOne(_ sql: SQL) throws(DatabaseError) -> Row? {
        try query(sql).first
    }

    /// The first row of an answer that must have one; throws `.noRow`.
    public mutating func requireOne(_ sql: SQL) throws(DatabaseError) -> Row {
        guard let row = try queryOne(sql) else { throw .noRow }
        return row
    }

    /// A statement without rows.
    @discardableResult
    public mutating func execute(_ sql: SQL) throws(DatabaseError) -> Outcome {
        let statement = try run(sql)
        let outcome = statement.outcome
        _ = try statement.rows(limit: rowLimit)
        return outcome
    }

    /// Prepared statements held at the moment.
    var preparedCount: Int { cache.count }

    private mutating func run(_ sql: SQL) throws(DatabaseError) -> Statement {
        try refuseDamaged()
        do throws(DatabaseError) {
            return try attempt(sql)
        } catch .other(UInt32(ER_UNKNOWN_STMT_HANDLER)), .other(UInt32(ER_NEED_REPREPARE)) {
            // The server forgot the statement, or its tables changed too much; it did not execute.
            cache.forget(sql.text)
        } catch {
            note(error)
            throw error
        }
        do throws(DatabaseError) {
            return try attempt(sql)
        } catch {
            note(error)
            throw error
        }
    }

    /// After a deadlock the server has rolled back, and what a job that swallowed the error did next would be committed
    /// statement by statement: half a posting. So it gets the same error again.
    private mutating func refuseDamaged() throws(DatabaseError) {
        if isGuarded, damage == nil, !isInTransaction { damage = .broken }
        switch damage {
        case nil: return
        case .conflict(let error)?: throw error
        case .broken?: throw .transactionBroken
        case .lost?: throw .gone(.notCommitted)
        }
    }

    private mutating func attempt(_ sql: SQL) throws(DatabaseError) -> Statement {
        let statement = try cache.statement(for: sql.text) { () throws(DatabaseError) in
            unsafe try Statement(handle, sql.text)
        }
        try statement.execute(sql.values)
        return statement
    }

    private mutating func note(_ error: DatabaseError) {
        switch error {
        case .gone: damage = .lost
        case .deadlock, .lockTimeout: if isGuarded, damage == nil { damage = .conflict(error) }
        case .other(let code) where (2000..<3000).contains(code) && code != UInt32(CR_PARAMS_NOT_BOUND):
            // The client library lost its place in the conversation.
            damage = .lost
        default: break
        }
    }
}

// MARK: - Transactions, for Session alone

extension Connection {
    enum TransactionKind {
        case reading, writing
    }

    mutating func begin(_ kind: TransactionKind) throws(DatabaseError) {
        damage = nil
        switch kind {
        case .reading: try command("START TRANSACTION READ ONLY")
        case .writing: try command("START TRANSACTION")
        }
        isGuarded = true
    }

    /// Leaves the transaction open if it fails; look at `damage` and roll back.
    mutating func commit() throws(DatabaseError) {
        try refuseDamaged()
        try command("COMMIT")
        isGuarded = false
    }

    /// If it fails the connection counts as lost, and the server rolls back by itself when it is closed.
    mutating func rollback() {
        isGuarded = false
        if case .lost? = damage { return }
        do throws(DatabaseError) {
            damage = nil
            try command("ROLLBACK")
        } catch {
            damage = .lost
        }
    }

    /// Whether the server thinks that a transaction is open, as of its last answer.
    var isInTransaction: Bool {
        unsafe handle.pointee.server_status & UInt32(SERVER_STATUS_IN_TRANS) != 0
    }

    /// Sends fixed words of our own; there is nothing in them to bind.
    mutating func command(_ words: StaticString) throws(DatabaseError) {
        let failed = unsafe words.utf8Start.withMemoryRebound(to: CChar.self, capacity: words.utf8CodeUnitCount) {
            unsafe mysql_real_query(handle, $0, UInt(words.utf8CodeUnitCount)) != 0
        }
        if failed {
            let error = unsafe ServerErrors.error(of: handle)
            note(error)
            throw error
        }
    }

    /// Sends a statement that carries a secret; its text is wiped with `secret`.
    mutating func command(secret: borrowing SecretText) throws(DatabaseError) {
        let failed = unsafe secret.withCString { unsafe mysql_real_query(handle, $0, UInt(secret.count)) != 0 }
        if failed { throw unsafe ServerErrors.error(of: handle) }
    }
}

extension ServerErrors {
    static func error(of handle: UnsafeMutablePointer<MYSQL>) -> DatabaseError {
        unsafe kind(
            code: mysql_errno(handle),
            message: unsafe mysql_error(handle).map { unsafe String(cString: $0) } ?? ""
        )
    }
}
