internal import HSMBridge
internal import MariaDB

extension AuditTrail {
    /// Opens both sinks, brings them level after a crash, and writes the record of the start.
    ///
    /// A torn last line is marked. Records in the file alone (the crash came between the sinks) go into the table. Records
    /// in the table alone mean that the file was lost, shortened or replaced: they are written to the file again. Each of
    /// these is noted in the trail itself. Neither sink is searched for damage here; that is `verify()`.
    static func open(
        node: String, path: String, database: Database, clocks: Clocks
    ) async throws(KMSError) -> AuditTrail {
        let sinks = try AuditSinks(node: node, path: path, database: database)
        let tableHead: AuditRecordTable.Stored?
        do throws(KMSError) { tableHead = try await sinks.tableHead() } catch { throw .auditUnavailable }
        guard
            let found = await sinks.onFile({ file in FileTail(of: file, node: node, after: tableHead?.sequence ?? 0) })
        else { throw .auditUnavailable }
        var notes: [AuditEvent] = []
        if found.wasTorn { notes.append(note([.torn: "1", .reconciled: "unfinished line marked"])) }

        let fileSequence = found.lastSequence
        let tableSequence = tableHead?.sequence ?? 0
        var head = Head(sequence: 0, hash: AuditRecord.firstPrevious)
        if fileSequence > 0 {
            // A last line that was damaged still gives its number; the chain then goes on from the table's hash.
            let hash = found.lastHash ?? (tableSequence == fileSequence ? tableHead?.hash : nil)
            head = Head(sequence: fileSequence, hash: hash ?? AuditRecord.firstPrevious)
        }
        if fileSequence > tableSequence {
            guard await sinks.completeTable(found.beyond) else { throw .auditUnavailable }
            notes.append(note([.reconciled: "table completed", .sequence: "\(tableSequence + 1)-\(fileSequence)"]))
        } else if tableSequence > fileSequence {
            head = try await restoreFile(sinks, from: fileSequence + 1, through: tableSequence, known: head)
            notes.append(note([.reconciled: "file completed", .sequence: "\(fileSequence + 1)-\(tableSequence)"]))
        } else if let tableHead, tableHead.hash != head.hash {
            notes.append(note([.finding: "file and table differ", .sequence: "\(tableSequence)"]))
        }
        let trail = AuditTrail(sinks: sinks, clocks: clocks, head: head)
        notes.append(AuditEvent(.startTrail, actors: [], origin: "audit", outcome: .noted))
        try await trail.append(notes)
        return trail
    }

    private static func note(_ fields: [AuditField: String]) -> AuditEvent {
        AuditEvent(.reconcile, actors: [], origin: "audit", outcome: .noted, fields: fields)
    }

    /// Writes the table's records to the file, as they are: `verify` judges them, not we.
    private static func restoreFile(
        _ sinks: AuditSinks, from first: UInt64, through last: UInt64, known: Head
    ) async throws(KMSError) -> Head {
        var head = known
        var next = first
        while next <= last {
            let through = min(last, next + 499)
            let rows: [AuditRecordTable.Stored]
            do throws(KMSError) { rows = try await sinks.tableRows(from: next, through: through) } catch {
                throw .auditUnavailable
            }
            let lines = rows.flatMap { [UInt8]("\(Hex.encode($0.hash)) \($0.record)\n".utf8) }
            let written = await sinks.onFile { file in
                do throws(AuditFile.Failure) {
                    try file.append(lines)
                    return true
                } catch {
                    return false
                }
            }
            guard written else { throw .auditUnavailable }
            if let row = rows.last { head = Head(sequence: row.sequence, hash: row.hash) }
            next = through + 1
        }
        return head
    }
}

/// What the start needs to know of the file: its last record and those that the table lacks.
private struct FileTail: Sendable {
    /// Records that a start puts into the table; more means a lost table, to be restored from a backup first.
    static let limit = 1_000_000

    var lastSequence: UInt64 = 0
    var lastHash: [UInt8]?
    var beyond: [AuditRecord] = []
    var wasTorn = false

    init?(of file: AuditFile, node: String, after tableSequence: UInt64) {
        do throws(AuditFile.Failure) {
            wasTorn = try file.markTornTail()
            // Whole records are read for those that the table lacks only: of the others, number and hash are enough.
            try file.forEachLine { line throws(AuditFile.Failure) in
                guard !AuditFile.isTorn(line), let sequence = Self.sequence(of: line) else { return }
                lastSequence = sequence
                lastHash = Hex.decode(String(decoding: line.prefix(64), as: UTF8.self))
                guard sequence > tableSequence, let record = AuditRecord(line: [UInt8](line)), record.node == node
                else { return }
                guard beyond.count < Self.limit else { throw AuditFile.Failure(code: 0) }
                beyond.append(record)
            }
        } catch {
            return nil
        }
    }

    /// The number in `<hash> {"v":1,"node":"…","seq":N,…`, without reading the rest.
    private static func sequence(of line: ArraySlice<UInt8>) -> UInt64? {
        let mark = Array("\"seq\":".utf8)
        guard line.count > 100 else { return nil }
        let head = line.dropFirst(65).prefix(100)
        var index = head.startIndex
        while index + mark.count < head.endIndex {
            if head[index..<index + mark.count].elementsEqual(mark) {
                let digits = line[(index + mark.count)...].prefix { (0x30...0x39).contains($0) }.prefix(20)
                return UInt64(String(decoding: digits, as: UTF8.self))
            }
            index += 1
        }
        return nil
    }
}
