internal import HSMBridge

/// What a check of the whole trail found.
public struct AuditVerification: Sendable, Hashable {
    public let node: String
    /// Records that were compared.
    public let records: UInt64
    /// Hash of the last one.
    public let head: [UInt8]
    public let checkpoints: Int
    /// By number; empty = intact.
    public let findings: [AuditFinding]
    public var isIntact: Bool { findings.isEmpty }
}

/// One thing that is wrong with the trail.
public struct AuditFinding: Sendable, Hashable {
    public enum Place: String, Sendable, Hashable { case file, table, both, checkpoint }
    public enum Problem: String, Sendable, Hashable { case edited, deleted, inserted, reordered, truncated, unreadable }

    public let node: String
    /// The record that is wrong or missing.
    public let sequence: UInt64
    public let place: Place
    public let problem: Problem

    /// For people.
    public var text: String { "record \(sequence) of node \(node): \(problem.rawValue) (\(place.rawValue))" }
}

/// One record of one sink, reduced to what the check needs.
struct AuditTrace: Sendable {
    /// As the record says; nil where it cannot be read.
    let sequence: UInt64?
    /// As the sink stores it.
    let hash: [UInt8]
    /// The stored hash is that of the record after the stored hash before it.
    let links: Bool
}

/// Reads a sink's records one after the other and keeps their traces.
struct AuditTracer {
    private(set) var traces: [AuditTrace] = []
    private var previous = AuditRecord.firstPrevious
    private let node: String

    init(node: String) { self.node = node }

    /// `row`: the number that the table has beside the record.
    mutating func add(canonical: String, hash: [UInt8], row: UInt64? = nil) {
        let record = AuditRecord(canonical: canonical, hash: hash)
        let isOurs = record.map { $0.node == node } ?? false
        traces.append(
            AuditTrace(
                sequence: isOurs ? record?.sequence : nil, hash: hash,
                links: isOurs && AuditRecord.link(previous, [UInt8](canonical.utf8)) == hash))
        if hash.count == 32 { previous = hash }
    }

    mutating func add(line: [UInt8]) {
        if let record = AuditRecord(line: line) {
            add(canonical: record.canonical, hash: record.hash)
        } else {
            traces.append(AuditTrace(sequence: nil, hash: AuditRecordLine.hash(line) ?? [], links: false))
            if let hash = AuditRecordLine.hash(line) { previous = hash }
        }
    }
}

/// The comparison of the two sinks with each other and with what is known of the head.
struct AuditComparison {
    static let findingLimit = 100

    let node: String
    let file: [AuditTrace]
    let table: [AuditTrace]
    /// Numbers at which the traces of the table stand, by its own key.
    let tableRows: [UInt64]
    let head: AuditTrail.Head

    func findings() -> [AuditFinding] {
        var found = sinkFindings(file, .file, rows: nil) + sinkFindings(table, .table, rows: tableRows)
        found += crossFindings(known: Set(found.map(\.sequence)))
        found.sort { ($0.sequence, $0.place.rawValue) < ($1.sequence, $1.place.rawValue) }
        return Array(found.prefix(Self.findingLimit))
    }

    /// One sink by itself: every number once, in order, each linked to the one before, up to the head.
    private func sinkFindings(_ traces: [AuditTrace], _ place: AuditFinding.Place, rows: [UInt64]?) -> [AuditFinding] {
        var findings: [AuditFinding] = []
        func report(_ sequence: UInt64, _ problem: AuditFinding.Problem) {
            findings.append(AuditFinding(node: node, sequence: sequence, place: place, problem: problem))
        }
        let all = Set(traces.compactMap(\.sequence))
        var seen: Set<UInt64> = []
        var expected: UInt64 = 1
        // After a wrong record the next link says nothing new.
        var isExcused = false
        for index in traces.indices {
            let trace = traces[index]
            if let row = rows?[index], row != trace.sequence {
                // The table's key gives the place, the record must say the same.
                if row > expected { report(expected, .deleted) }
                if let said = trace.sequence {
                    report(row, all.contains(row) && said != row ? .reordered : .edited)
                } else {
                    report(row, .edited)
                }
                expected = row + 1
                isExcused = true
                continue
            }
            guard let sequence = trace.sequence else {
                report(expected, .unreadable)
                expected += 1
                isExcused = true
                continue
            }
            if sequence > head.sequence {
                report(sequence, .inserted)
                continue
            }
            if sequence < expected {
                report(sequence, seen.contains(sequence) ? .inserted : .reordered)
                isExcused = true
                continue
            }
            if sequence > expected {
                for missing in expected..<min(sequence, expected + UInt64(Self.findingLimit)) {
                    report(missing, all.contains(missing) ? .reordered : .deleted)
                }
            } else if !trace.links, !isExcused {
                report(sequence, .edited)
            }
            isExcused = false
            seen.insert(sequence)
            expected = sequence + 1
        }
        if expected <= head.sequence { report(expected, .truncated) }
        return findings
    }

    /// Where both look right alone but differ: one was rewritten from there on.
    private func crossFindings(known: Set<UInt64>) -> [AuditFinding] {
        let inTable = Dictionary(table.compactMap { trace in trace.sequence.map { ($0, trace) } }) { first, _ in first }
        let inFile = Dictionary(file.compactMap { trace in trace.sequence.map { ($0, trace) } }) { first, _ in first }
        for sequence in 1..<max(1, head.sequence + 1) {
            guard let left = inFile[sequence], let right = inTable[sequence], left.hash != right.hash else { continue }
            // The one before a broken link is the wrong one: reported here, where it began.
            let fileGoesOn = inFile[sequence + 1]?.links ?? (left.hash == head.hash)
            let tableGoesOn = inTable[sequence + 1]?.links ?? (right.hash == head.hash)
            let fileEnds = inFile[head.sequence]?.hash == head.hash
            let tableEnds = inTable[head.sequence]?.hash == head.hash
            let place: AuditFinding.Place =
                switch (fileGoesOn && fileEnds, tableGoesOn && tableEnds) {
                case (true, false): .table
                case (false, true): .file
                default: .both
                }
            guard !known.contains(sequence) else { return [] }
            return [AuditFinding(node: node, sequence: sequence, place: place, problem: .edited)]
        }
        guard let last = inFile[head.sequence] ?? inTable[head.sequence], last.hash != head.hash,
            !known.contains(head.sequence)
        else { return [] }
        return [AuditFinding(node: node, sequence: head.sequence, place: .both, problem: .edited)]
    }
}

/// Pieces of a line that need no whole record.
enum AuditRecordLine {
    /// The hash at the front of a line, readable record or not.
    static func hash(_ line: [UInt8]) -> [UInt8]? {
        guard line.count > 65, line[64] == 0x20 else { return nil }
        return Hex.decode(String(decoding: line[0..<64], as: UTF8.self))
    }
}
