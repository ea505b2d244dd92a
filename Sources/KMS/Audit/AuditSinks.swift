import Dispatch
internal import MariaDB

/// The file and the table of one node, as calls that do not block the cooperative threads.
struct AuditSinks: Sendable {
    let node: String
    let file: AuditFile
    let database: Database
    /// The file is used on this queue only.
    let queue: DispatchQueue

    init(node: String, path: String, database: Database) throws(KMSError) {
        do throws(AuditFile.Failure) { file = try AuditFile(path: path) } catch { throw .auditUnavailable }
        self.node = node
        self.database = database
        queue = DispatchQueue(label: "kmsd.audit")
    }

    func appendToFile(_ records: [AuditRecord]) async -> Bool {
        let lines = records.flatMap(\.line)
        return await onFile { file in
            do throws(AuditFile.Failure) {
                try file.append(lines)
                return true
            } catch {
                return false
            }
        }
    }

    func completeTable(_ records: [AuditRecord]) async -> Bool {
        do {
            // Chunks, for the start after a long loss of the table.
            for start in stride(from: 0, to: records.count, by: 500) {
                let chunk = Array(records[start..<min(start + 500, records.count)])
                try await database.write { connection in try AuditRecordTable.complete(chunk, &connection) }
            }
            return true
        } catch {
            return false
        }
    }

    func onFile<R: Sendable>(_ work: @escaping @Sendable (AuditFile) -> R) async -> R {
        await withCheckedContinuation { continuation in
            queue.async { continuation.resume(returning: work(file)) }
        }
    }

    func tableRows(from: UInt64, through: UInt64) async throws(KMSError) -> [AuditRecordTable.Stored] {
        let node = node
        do {
            return try await database.read { connection in
                try AuditRecordTable.rows(node, from: from, through: through, &connection)
            }
        } catch { throw .from(error) }
    }

    func tableHead() async throws(KMSError) -> AuditRecordTable.Stored? {
        let node = node
        do {
            return try await database.read { connection in try AuditRecordTable.head(node, &connection) }
        } catch { throw .from(error) }
    }
}

extension KMSError {
    /// Whatever a database job threw.
    static func from(_ error: any Error) -> KMSError {
        switch error {
        case let error as KMSError: error
        case let error as DatabaseError: KMSError(error)
        default: .internalFault("database job")
        }
    }
}
