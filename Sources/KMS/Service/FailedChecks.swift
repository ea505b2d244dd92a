internal import MariaDB
import Synchronization

/// Failed MAC and TAC checks, each recorded, at a bounded rate: equal ones of one second are one row with a count, and when
/// too many kinds come at once the rest of that second is one row for each client.
public final class FailedChecks: Sendable {
    static let kindsPerSecond = 200
    static let limit = 20_000

    private struct Kind: Hashable {
        let second: Int64
        let client: String
        let key: String
        let operation: String
        let code: String
        let origin: String
    }

    private struct State {
        var counts: [Kind: UInt64] = [:]
        var second: Int64 = 0
        var kindsInSecond = 0
        /// More than the memory allows: how many were only counted.
        var lost: UInt64 = 0
    }

    private let database: Database
    private let clocks: Clocks
    private let state = Mutex(State())

    init(database: Database, clocks: Clocks) {
        self.database = database
        self.clocks = clocks
    }

    /// Somebody was not let in, or sent away. `reason` is a name of the door's, never data.
    public func recordAdmission(_ reason: String, origin: String) {
        record("admission", client: "", key: "", code: reason, origin: origin, count: 1)
    }

    /// `count` failed checks alike, of this second.
    public func record(
        client: String, key: String, operation: ServiceOperation, code: String, origin: String, count: Int = 1
    ) {
        record(operation.rawValue, client: client, key: key, code: code, origin: origin, count: count)
    }

    private func record(
        _ operation: String, client: String, key: String, code: String, origin: String, count: Int
    ) {
        let second = clocks.wall().microseconds / 1_000_000
        state.withLock { state in
            if state.second != second {
                state.second = second
                state.kindsInSecond = 0
            }
            var kind = Kind(
                second: second, client: String(client.prefix(32)), key: String(key.prefix(80)), operation: operation,
                code: String(code.prefix(32)), origin: String(origin.prefix(40)))
            if state.counts[kind] == nil {
                if state.kindsInSecond >= Self.kindsPerSecond {
                    kind = Kind(
                        second: second, client: kind.client, key: "", operation: operation, code: kind.code, origin: "")
                }
                state.kindsInSecond += 1
            }
            if state.counts[kind] == nil, state.counts.count >= Self.limit {
                state.lost &+= UInt64(max(0, count))
            } else {
                state.counts[kind, default: 0] += UInt64(max(0, count))
            }
        }
    }

    /// Writes what has come together. After an error it is kept for the next call; after a commit without an answer it may
    /// be there twice, which is better than not at all.
    public func flush() async throws(KMSError) {
        let (counts, lost) = state.withLock { state in
            defer {
                state.counts = [:]
                state.lost = 0
            }
            return (state.counts, state.lost)
        }
        var checks = counts.map { kind, count in
            FailedCheck(
                time: Timestamp(microseconds: kind.second * 1_000_000), client: kind.client, key: kind.key,
                operation: kind.operation, code: kind.code, origin: kind.origin, count: count)
        }
        if lost > 0 {
            checks.append(
                FailedCheck(
                    time: clocks.wall(), client: "*", key: "*", operation: "*", code: "overflow", origin: "",
                    count: lost))
        }
        guard !checks.isEmpty else { return }
        let rows = checks
        do {
            try await database.write { connection in
                for start in stride(from: 0, to: rows.count, by: 1_000) {
                    try FailedCheckTable.insert(Array(rows[start..<min(start + 1_000, rows.count)]), &connection)
                }
            }
        } catch {
            state.withLock { state in
                state.counts.merge(counts) { $0 + $1 }
                state.lost += lost
            }
            throw .from(error)
        }
    }

    /// The last ones written, of all nodes, newest first.
    public func recent(limit: Int) async throws(KMSError) -> [FailedCheck] {
        do {
            return try await database.read { connection in try FailedCheckTable.recent(limit, &connection) }
        } catch { throw .from(error) }
    }
}
