internal import MariaDB
import Synchronization

/// The audit trail (审计日志): audit before act, fail closed.
///
/// Two sinks get identical records: an append-only file, synced, and then the table. A record counts when both have it; if
/// either cannot be written, the caller is told `auditUnavailable` and must not act. Waiting callers are written as one
/// group with one sync. The file leads: what it has and the table lacks (the database went away between the two) is put
/// into the table before anything else, and that is recorded.
public final class AuditTrail: Sendable {
    /// Callers that may wait for the writer.
    static let waitingLimit = 4_096
    /// Callers served by one group.
    static let groupLimit = 64

    let sinks: AuditSinks
    private let clocks: Clocks
    private let state: Mutex<State>

    /// Position in the chain.
    struct Head: Sendable, Hashable {
        var sequence: UInt64
        var hash: [UInt8]
    }

    private struct Waiting {
        let events: [AuditEvent]
        /// Outcomes of what was done already: kept until they can be written.
        let mustBeKept: Bool
        let done: CheckedContinuation<Result<[UInt64], KMSError>, Never>
    }

    private struct State {
        var head: Head
        var waiting: [Waiting] = []
        var isWriting = false
        /// In the file, not known to be in the table.
        var pendingInTable: [AuditRecord] = []
        /// Outcomes in neither sink.
        var owed: [AuditEvent] = []
    }

    init(sinks: AuditSinks, clocks: Clocks, head: Head) {
        self.sinks = sinks
        self.clocks = clocks
        state = Mutex(State(head: head))
    }

    public var node: String { sinks.node }

    /// The last record's number and hash; number 0 before the first.
    public var head: (sequence: UInt64, hash: [UInt8]) { state.withLock { ($0.head.sequence, $0.head.hash) } }

    /// Makes the events durable in both sinks; their numbers, in order. `auditUnavailable`: they do not count.
    @discardableResult
    public func append(_ events: [AuditEvent]) async throws(KMSError) -> [UInt64] {
        try await submit(events, mustBeKept: false)
    }

    /// The outcome of something that was done: if it cannot be written now, it goes before the next record.
    func appendOutcome(_ event: AuditEvent) async throws(KMSError) {
        _ = try await submit([event], mustBeKept: true)
    }

    private func submit(_ events: [AuditEvent], mustBeKept: Bool) async throws(KMSError) -> [UInt64] {
        let result = await withCheckedContinuation { continuation in
            let waiting = Waiting(events: events, mustBeKept: mustBeKept, done: continuation)
            let (leads, full) = state.withLock { state in
                // An outcome is never turned away: its `begun` was let in.
                if state.waiting.count >= Self.waitingLimit, !mustBeKept { return (false, true) }
                state.waiting.append(waiting)
                defer { state.isWriting = true }
                return (!state.isWriting, false)
            }
            if full { continuation.resume(returning: .failure(.busy)) }
            if leads { Task { await self.writeGroups() } }
        }
        return try result.get()
    }

    private func writeGroups() async {
        while true {
            let group: [Waiting] = state.withLock { state in
                let group = Array(state.waiting.prefix(Self.groupLimit))
                state.waiting.removeFirst(group.count)
                if group.isEmpty { state.isWriting = false }
                return group
            }
            if group.isEmpty { return }
            await write(group)
        }
    }

    /// Only one group is written at a time, so the state that it reads does not move under it.
    private func write(_ group: [Waiting]) async {
        let pending = state.withLock { $0.pendingInTable }
        var events: [AuditEvent] = []
        if let first = pending.first, let last = pending.last {
            guard await sinks.completeTable(pending) else { return refuse(group) }
            state.withLock { $0.pendingInTable = [] }
            events.append(
                AuditEvent(
                    .reconcile, actors: [], origin: "audit", outcome: .noted,
                    fields: [.reconciled: "table completed", .sequence: "\(first.sequence)-\(last.sequence)"]))
        }
        let owed = state.withLock { $0.owed }
        events += owed
        let prefix = events.count
        events += group.flatMap(\.events)
        guard !events.isEmpty else { return succeed(group, from: 0) }
        let records = place(events)
        guard await sinks.appendToFile(records) else { return refuse(group) }
        state.withLock { state in
            state.owed.removeFirst(owed.count)
            if let last = records.last { state.head = Head(sequence: last.sequence, hash: last.hash) }
        }
        guard await sinks.completeTable(records) else {
            state.withLock { $0.pendingInTable = records }
            for waiting in group { waiting.done.resume(returning: .failure(.auditUnavailable)) }
            return
        }
        succeed(group, from: records[0].sequence + UInt64(prefix))
    }

    private func place(_ events: [AuditEvent]) -> [AuditRecord] {
        var head = state.withLock { $0.head }
        let time = clocks.wall()
        let monotonic = clocks.monotonicNanoseconds()
        return events.map { event in
            let position = AuditPosition(
                node: sinks.node, sequence: head.sequence + 1, time: time, monotonic: monotonic, boot: clocks.boot,
                previous: head.hash)
            let record = AuditRecord(event, at: position)
            head = Head(sequence: record.sequence, hash: record.hash)
            return record
        }
    }

    private func succeed(_ group: [Waiting], from first: UInt64) {
        var next = first
        for waiting in group {
            let numbers = waiting.events.indices.map { next + UInt64($0) }
            next += UInt64(waiting.events.count)
            waiting.done.resume(returning: .success(numbers))
        }
    }

    /// Neither sink has the group.
    private func refuse(_ group: [Waiting]) {
        state.withLock { state in
            for waiting in group where waiting.mustBeKept { state.owed += waiting.events }
        }
        for waiting in group { waiting.done.resume(returning: .failure(.auditUnavailable)) }
    }
}
