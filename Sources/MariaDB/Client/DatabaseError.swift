/// What went wrong in the database, in the few kinds that callers decide upon.
///
/// Names of constraints and columns and the server's error numbers are kept; the server's message is not, because it quotes the
/// refused data. `description` may therefore be logged.
public enum DatabaseError: Error, Hashable, Sendable {
    /// A unique or primary key is taken; the key's name as the server gives it (`PRIMARY`, `account.number`…), or empty.
    case duplicateKey(constraint: String)
    /// A foreign key has no parent, or a parent still has children; the constraint's name, or empty.
    case foreignKey(constraint: String)
    /// A `CHECK` constraint said no; its name, or empty.
    case checkFailed(constraint: String)
    /// A value does not fit its column (too long, out of range, not of its kind, `NULL`): strict mode's refusal.
    case invalidValue(code: UInt32)
    /// The transaction was rolled back by the server in favour of another, and retries ran out (1213, 1020).
    case deadlock
    /// A lock was not given in time, and retries ran out (1205).
    case lockTimeout
    /// The server was lost or cannot be reached.
    case gone(CommitOutcome)
    /// A table, table space or the disk is full.
    case tableFull
    /// The account may not do this.
    case accessDenied
    /// The server's settings do not keep what it promises; nothing may be stored there.
    case unsafeSettings([SettingViolation])
    /// The queue of jobs is full: answer "busy", do not wait.
    case busy
    /// The pool has been closed.
    case closed
    /// A row was required and there is none.
    case noRow
    /// The answer has more rows than `DatabaseSettings.rowLimit`.
    case tooManyRows
    /// The row has no such column, or its value is not of the asked kind.
    case column(String)
    /// The job ended or broke its own transaction (DDL, COMMIT, or an error it swallowed); nothing more was committed.
    case transactionBroken
    /// The migration of this name differs from the one that was applied.
    case migrationChanged(String)
    /// The named migration lock is held elsewhere and was not given in time.
    case migrationLocked
    /// Any other error, by the number in the server's or the client library's list.
    case other(code: UInt32)

    /// Whether a lost server may have kept the transaction.
    public enum CommitOutcome: Hashable, Sendable {
        /// The server was lost before COMMIT was sent: nothing was kept.
        case notCommitted
        /// COMMIT was sent and got no answer: look (by the idempotency key) before doing it again.
        case unknown
    }
}

extension DatabaseError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .duplicateKey(let name): "a key of this value exists (\(name))"
        case .foreignKey(let name): "a row that this one belongs to, or that belongs to it, stands against it (\(name))"
        case .checkFailed(let name): "a check constraint refused the row (\(name))"
        case .invalidValue(let code): "a value does not fit its column (\(code))"
        case .deadlock: "another transaction came first, again and again"
        case .lockTimeout: "a lock was not given in time"
        case .gone(.notCommitted): "the database server is not there; nothing was kept"
        case .gone(.unknown): "the database server was lost while it committed; the outcome is unknown"
        case .tableFull: "the database has no room"
        case .accessDenied: "the database account may not do this"
        case .unsafeSettings(let violations):
            "unsafe database settings: \(violations.map(\.description).joined(separator: "; "))"
        case .busy: "the database queue is full"
        case .closed: "the database pool is closed"
        case .noRow: "no such row"
        case .tooManyRows: "the answer has too many rows"
        case .column(let name): "column \(name) is missing or of another kind"
        case .transactionBroken: "the job broke its own transaction"
        case .migrationChanged(let name): "migration \(name) was changed after it had been applied"
        case .migrationLocked: "another node is migrating"
        case .other(let code): "database error \(code)"
        }
    }
}

/// One server setting under which stored data would not be safe.
public struct SettingViolation: Hashable, Sendable, CustomStringConvertible {
    public let setting: String
    public let found: String
    /// What to write into the server's configuration.
    public let wanted: String

    public init(setting: String, found: String, wanted: String) {
        self.setting = setting
        self.found = found
        self.wanted = wanted
    }

    public var description: String { "\(setting) is \(found), set \(wanted)" }
}
