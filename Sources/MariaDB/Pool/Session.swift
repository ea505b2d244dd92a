import Glibc

/// A worker's standing with the database: its connection while there is one, and the rules of retrying.
struct Session: ~Copyable {
    private let settings: DatabaseSettings
    private let closing: @Sendable () -> Bool
    private var connection: Connection?

    /// How often a transaction is begun anew because the server was lost.
    private static let lossTries = 3

    init(_ settings: DatabaseSettings, closing: @escaping @Sendable () -> Bool) {
        self.settings = settings
        self.closing = closing
        connection = nil
    }

    /// Runs `body` in a read-only transaction (one snapshot); once more if the server was lost meanwhile.
    mutating func read<T>(_ body: (inout Connection) throws -> T) throws -> T {
        try transaction(.reading, body)
    }

    /// Runs `body` in one transaction and commits it.
    ///
    /// The body runs again after a conflict (1213, 1205, 1020) and after a loss before COMMIT. A loss during COMMIT is
    /// `.gone(.unknown)` and never retried: the server may have kept the transaction.
    mutating func write<T>(_ body: (inout Connection) throws -> T) throws -> T {
        try transaction(.writing, body)
    }

    /// Runs `body` on a connection without a transaction and without retries (migrations, start-up checks).
    mutating func plain<T>(_ body: (inout Connection) throws -> T) throws -> T {
        var lent = try connected()
        let result = Result { try body(&lent) }
        // What the body left open must not swallow the next job's statements.
        if lent.isInTransaction { lent.rollback() }
        keepIfSound(lent)
        return try result.get()
    }

    private mutating func transaction<T>(
        _ kind: Connection.TransactionKind, _ body: (inout Connection) throws -> T
    ) throws -> T {
        var conflicts = 0
        var losses = 0
        while true {
            var lent = try connected()
            switch Self.attempt(kind, on: &lent, body) {
            case .done(let result):
                keepIfSound(lent)
                return result
            case .failed(let error):
                keepIfSound(lent)
                throw error
            case .conflict(let error):
                keepIfSound(lent)
                conflicts += 1
                guard conflicts < settings.transactionTries, !closing() else { throw error }
                Self.pause(afterConflict: conflicts)
            case .lost:
                // The connection is dropped here; the next round waits for the server.
                losses += 1
                guard losses < Self.lossTries, !closing() else { throw DatabaseError.gone(.notCommitted) }
            }
        }
    }

    private enum Attempt<T> {
        case done(T)
        case failed(any Error)
        case conflict(DatabaseError)
        case lost
    }

    /// One try of a transaction. The connection's own notes decide, not what the body made of an error.
    private static func attempt<T>(
        _ kind: Connection.TransactionKind, on connection: inout Connection, _ body: (inout Connection) throws -> T
    ) -> Attempt<T> {
        let result: Result<T, any Error>
        do {
            try connection.begin(kind)
            result = try .success(body(&connection))
        } catch {
            result = .failure(error)
        }
        switch (connection.damage, result) {
        case (.lost?, _):
            return .lost
        case (.conflict(let error)?, _):
            connection.rollback()
            return .conflict(error)
        case (.broken?, _):
            connection.rollback()
            return .failed(DatabaseError.transactionBroken)
        case (nil, .failure(let error)):
            connection.rollback()
            return .failed(error)
        case (nil, .success(let value)):
            return committed(&connection, kind, value)
        }
    }

    private static func committed<T>(
        _ connection: inout Connection, _ kind: Connection.TransactionKind, _ value: T
    ) -> Attempt<T> {
        do throws(DatabaseError) {
            try connection.commit()
            return .done(value)
        } catch {
            switch (connection.damage, kind) {
            case (.lost?, .reading): return .lost
            case (.lost?, .writing): return .failed(DatabaseError.gone(.unknown))
            case (.conflict(let conflict)?, _):
                // Galera certifies at COMMIT: a conflict here means rolled back everywhere.
                connection.rollback()
                return .conflict(conflict)
            case (.broken?, _), (nil, _):
                connection.rollback()
                return .failed(error)
            }
        }
    }

    /// A connection, made now if there is none; waits a bounded time for the server to come back.
    private mutating func connected() throws(DatabaseError) -> Connection {
        if let kept = connection.take() { return kept }
        let deadline = ContinuousClock.now + .seconds(settings.reconnectSeconds)
        var pauseMicroseconds: UInt32 = 10_000
        while true {
            do throws(DatabaseError) {
                return try Connection(to: settings)
            } catch .gone {
                guard ContinuousClock.now < deadline, !closing() else { throw .gone(.notCommitted) }
                usleep(pauseMicroseconds)
                pauseMicroseconds = min(pauseMicroseconds * 2, 250_000)
            }
        }
    }

    private mutating func keepIfSound(_ lent: consuming Connection) {
        if case .lost? = lent.damage { return }
        connection = consume lent
    }

    /// Longer with each conflict and never the same for two workers, so that they do not meet again.
    private static func pause(afterConflict count: Int) {
        let most = UInt32(1_000) << UInt32(min(count, 6))
        usleep(UInt32.random(in: 500...most))
    }
}
