internal import MariaDB
import Synchronization

/// Counts of crypto requests by key, client, operation and minute; kept in memory and written in batches.
public final class RequestCounts: Sendable {
    /// Counters held between two flushes; beyond it further kinds are counted together under the key `*`.
    static let limit = 50_000

    private struct Counter: Hashable {
        let minute: Int64
        let client: String
        let key: String
        let operation: ServiceOperation
    }

    private struct State {
        var counts: [Counter: (succeeded: UInt64, failed: UInt64)] = [:]
        /// Since the process began.
        var totals: [RequestTotal.Kind: (succeeded: UInt64, failed: UInt64)] = [:]
        /// Taken out and not known to be written; written again under the same number.
        var flushing: (number: UInt64, counts: [RequestCount])?
    }

    private let database: Database
    private let clocks: Clocks
    private let state = Mutex(State())

    init(database: Database, clocks: Clocks) {
        self.database = database
        self.clocks = clocks
    }

    /// Cheap enough to be called once for each kind of request in a batch.
    public func count(client: String, key: String, operation: ServiceOperation, succeeded: Int, failed: Int) {
        let minute = clocks.wall().microseconds / 60_000_000
        let counter = Counter(minute: minute, client: client, key: key, operation: operation)
        state.withLock { state in
            let isNew = state.counts.count >= Self.limit && state.counts[counter] == nil
            let kept = isNew ? Counter(minute: minute, client: client, key: "*", operation: operation) : counter
            var sums = state.counts[kept] ?? (0, 0)
            sums.succeeded &+= UInt64(max(0, succeeded))
            sums.failed &+= UInt64(max(0, failed))
            state.counts[kept] = sums
            let kind = RequestTotal.Kind(client: client, key: key, operation: operation)
            let isKnown = state.totals[kind] != nil || state.totals.count < RequestTotal.limit
            var total = state.totals[isKnown ? kind : .others, default: (0, 0)]
            total.succeeded &+= UInt64(max(0, succeeded))
            total.failed &+= UInt64(max(0, failed))
            state.totals[isKnown ? kind : .others] = total
        }
    }

    /// What was counted since the process began, in no order.
    public var totals: [RequestTotal] {
        state.withLock { state in
            state.totals.map { RequestTotal(kind: $0, succeeded: $1.succeeded, failed: $1.failed) }
        }
    }

    /// Writes what has come together; one caller at a time. After an error the same counts are written by the next call.
    public func flush() async throws(KMSError) {
        let batch: (number: UInt64, counts: [RequestCount])? = state.withLock { state in
            if state.flushing == nil, !state.counts.isEmpty {
                let counts = state.counts.map { counter, sums in
                    RequestCount(
                        minute: counter.minute, client: counter.client, key: String(counter.key.prefix(80)),
                        operation: counter.operation.rawValue, succeeded: sums.succeeded, failed: sums.failed)
                }
                state.flushing = (UInt64.random(in: 1...UInt64(Int64.max)), counts)
                state.counts = [:]
            }
            return state.flushing
        }
        guard let batch else { return }
        do {
            try await database.write { connection in
                for start in stride(from: 0, to: batch.counts.count, by: 1_000) {
                    let chunk = Array(batch.counts[start..<min(start + 1_000, batch.counts.count)])
                    try RequestCountTable.insert(chunk, flush: batch.number, &connection)
                }
            }
        } catch DatabaseError.duplicateKey {
            // The commit whose answer was lost had been kept after all.
        } catch { throw .from(error) }
        state.withLock { $0.flushing = nil }
    }

    /// What was written for the last minutes, of all nodes.
    public func recent(minutes: Int) async throws(KMSError) -> [RequestCount] {
        let since = clocks.wall().microseconds / 60_000_000 - Int64(max(0, minutes))
        do {
            return try await database.read { connection in try RequestCountTable.since(since, &connection) }
        } catch { throw .from(error) }
    }
}

/// Requests of one kind since the process began: for the live figures, which must not need the database.
public struct RequestTotal: Sendable, Hashable {
    /// Kinds that are told apart; what comes after so many is counted as `others`.
    public static let limit = 2_000

    public struct Kind: Sendable, Hashable {
        public let client: String
        /// `issuer/product/label/NN`, or `*` where no stored key is named.
        public let key: String
        public let operation: ServiceOperation?

        static let others = Kind(client: "(other)", key: "(other)", operation: nil)
    }

    public let kind: Kind
    public let succeeded: UInt64
    public let failed: UInt64
}
