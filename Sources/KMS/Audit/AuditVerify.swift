internal import MariaDB

extension AuditTrail {
    /// Reads both sinks whole, checks numbers and chain, compares them with each other, with the head in memory and with the
    /// signed checkpoints. The first finding is the first bad record.
    public func verify() async throws(KMSError) -> AuditVerification {
        // What the table still lacks because it was away goes in first.
        _ = try? await append([])
        let known = head
        let file = try await fileTraces()
        let (table, rows) = try await tableTraces()
        let checkpoints = try await checkpointRows()
        // Records that came while we read are no findings, and no part of this check.
        let latest = head.sequence
        let cut = { (trace: AuditTrace) in (trace.sequence ?? 0) <= known.sequence || (trace.sequence ?? 0) > latest }
        let keptRows = rows.indices.filter { cut(table[$0]) }
        let comparison = AuditComparison(
            node: node, file: file.filter(cut), table: keptRows.map { table[$0] }, tableRows: keptRows.map { rows[$0] },
            head: Head(sequence: known.sequence, hash: known.hash))
        var findings = comparison.findings()
        findings += checkpointFindings(checkpoints, comparison, latest: latest)
        findings.sort { $0.sequence < $1.sequence }
        return AuditVerification(
            node: node, records: known.sequence, head: known.hash, checkpoints: checkpoints.count, findings: findings)
    }

    /// Records from a number on, as the table has them; unreadable ones are left to `verify`.
    public func records(from: UInt64, limit: Int) async throws(KMSError) -> [AuditRecord] {
        let count = UInt64(max(1, min(limit, 10_000)))
        let (last, overflows) = from.addingReportingOverflow(count - 1)
        return try await sinks.tableRows(from: from, through: overflows ? .max : last)
            .compactMap { AuditRecord(canonical: $0.record, hash: $0.hash) }
    }

    private func fileTraces() async throws(KMSError) -> [AuditTrace] {
        let node = node
        let traces: [AuditTrace]? = await sinks.onFile { file in
            var tracer = AuditTracer(node: node)
            do throws(AuditFile.Failure) {
                try file.forEachLine { line throws(AuditFile.Failure) in
                    if !AuditFile.isTorn(line) { tracer.add(line: [UInt8](line)) }
                }
                return tracer.traces
            } catch {
                return nil
            }
        }
        guard let traces else { throw .auditUnavailable }
        return traces
    }

    private func tableTraces() async throws(KMSError) -> ([AuditTrace], [UInt64]) {
        let database = sinks.database
        let node = node
        var tracer = AuditTracer(node: node)
        var rows: [UInt64] = []
        var next: UInt64 = 1
        while true {
            let from = next
            let page: [AuditRecordTable.Stored]
            do {
                page = try await database.read { connection in
                    try AuditRecordTable.page(node, from: from, &connection)
                }
            } catch { throw .from(error) }
            guard let last = page.last else { return (tracer.traces, rows) }
            for stored in page {
                tracer.add(canonical: stored.record, hash: stored.hash, row: stored.sequence)
                rows.append(stored.sequence)
            }
            guard last.sequence < .max else { return (tracer.traces, rows) }
            next = last.sequence + 1
        }
    }

    private func checkpointRows() async throws(KMSError) -> [AuditCheckpoint] {
        let node = node
        do {
            return try await sinks.database.read { connection in try AuditCheckpointTable.all(node, &connection) }
        } catch { throw .from(error) }
    }

    /// A signed head must still stand in the chain: this finds a trail whose end was cut from both sinks, or that was
    /// rewritten as a whole.
    private func checkpointFindings(
        _ checkpoints: [AuditCheckpoint], _ comparison: AuditComparison, latest: UInt64
    ) -> [AuditFinding] {
        var hashes: [UInt64: [UInt8]] = [:]
        for trace in comparison.file { if let sequence = trace.sequence { hashes[sequence] = trace.hash } }
        return checkpoints.compactMap { checkpoint in
            let problem: AuditFinding.Problem
            if checkpoint.message != checkpoint.expectedMessage {
                problem = .edited
            } else if checkpoint.sequence > comparison.head.sequence, checkpoint.sequence > latest {
                problem = .truncated
            } else if let hash = hashes[checkpoint.sequence], hash != checkpoint.head {
                problem = .edited
            } else {
                return nil
            }
            return AuditFinding(node: node, sequence: checkpoint.sequence, place: .checkpoint, problem: problem)
        }
    }
}
