import Glibc

/// One reading of a journal from its beginning: how far it holds, and where it continues.
struct JournalScan {
    private(set) var verdict = JournalVerdict.intact(lines: 0)
    /// Hash of the last good line.
    private(set) var head = JournalLine.firstHash
    private(set) var lines = 0
    /// Bytes of the good lines.
    private(set) var length = 0

    /// Nil where the file cannot be read.
    init?(path: String) {
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        guard scan(descriptor) else { return nil }
    }

    /// From a file that is open already; its position is not used.
    init?(descriptor: Int32) {
        guard scan(descriptor) else { return nil }
    }

    private mutating func scan(_ descriptor: Int32) -> Bool {
        var rest: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 65_536)
        var offset = 0
        while true {
            let got = unsafe piece.withUnsafeMutableBytes { unsafe pread(descriptor, $0.baseAddress, $0.count, offset) }
            if got < 0 && errno == EINTR { continue }
            guard got >= 0 else { return false }
            if got == 0 { break }
            offset += got
            rest += piece[0..<got]
            guard take(&rest) else { return true }
        }
        if !rest.isEmpty { verdict = .torn(lines: lines) } else { verdict = .intact(lines: lines) }
        return true
    }

    /// Takes the whole lines out of `rest`; false at the first bad one.
    private mutating func take(_ rest: inout [UInt8]) -> Bool {
        var start = 0
        while let end = rest[start...].firstIndex(of: 0x0A) {
            guard let line = JournalLine.split(rest[start..<end]), JournalLine.sequence(line.text) == UInt64(lines + 1),
                let hash = try? JournalLine.hash(head, line.text), hash == line.hash
            else {
                verdict = .bad(line: lines + 1)
                return false
            }
            head = hash
            lines += 1
            length += end - start + 1
            start = end + 1
        }
        rest.removeFirst(start)
        guard rest.count <= JournalLine.maximumLength else {
            verdict = .bad(line: lines + 1)
            return false
        }
        return true
    }
}
