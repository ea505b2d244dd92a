internal import Glibc

/// The trail's file: one record a line, appended and synced; nobody but this process may have it open for writing.
///
/// Used by the trail's own queue only, one call at a time.
final class AuditFile: @unchecked Sendable {
    /// Why a line could not be made durable.
    struct Failure: Error {
        let code: Int32
    }

    let path: String
    private let descriptor: Int32
    private let isRegular: Bool
    /// Bytes that are known to be whole lines.
    private var length: Int64
    /// A piece of a line stands at the end and could not be taken back.
    private var hasTornTail = false

    /// The mark at the end of a line that was never finished. Such a line is no record; the next one tells of it.
    static let tornMark = [UInt8](" #torn\n".utf8)

    init(path: String) throws(Failure) {
        let descriptor = unsafe open(path, O_RDWR | O_APPEND | O_CREAT | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY, 0o600)
        guard descriptor >= 0 else { throw Failure(code: errno) }
        var about = stat()
        guard unsafe fstat(descriptor, &about) == 0 else {
            let code = errno
            close(descriptor)
            throw Failure(code: code)
        }
        // A device can stand in for a broken disk in tests; it has no content to read back.
        let isRegular = about.st_mode & S_IFMT == S_IFREG
        if isRegular, flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
            close(descriptor)
            throw Failure(code: EBUSY)
        }
        self.path = path
        self.descriptor = descriptor
        self.isRegular = isRegular
        length = isRegular ? Int64(about.st_size) : 0
        Self.syncFolder(of: path)
    }

    deinit { close(descriptor) }

    /// Adds whole lines and waits until they are on the disk; on failure the file is as before, as far as it can be helped.
    func append(_ lines: [UInt8]) throws(Failure) {
        if isRegular {
            var about = stat()
            // Somebody removed or shortened it under us: what we would write proves nothing.
            guard unsafe fstat(descriptor, &about) == 0, about.st_nlink > 0 else { throw Failure(code: ENOENT) }
            guard hasTornTail || Int64(about.st_size) == length else { throw Failure(code: ESTALE) }
            if hasTornTail { try takeBackTornTail() }
        }
        do throws(Failure) {
            try write(lines)
            guard fdatasync(descriptor) == 0 || !isRegular else { throw Failure(code: errno) }
            length += Int64(lines.count)
        } catch {
            if isRegular { hasTornTail = ftruncate(descriptor, off_t(length)) != 0 }
            throw error
        }
    }

    /// Closes a piece of a line that a crash left at the end. True if there was one.
    func markTornTail() throws(Failure) -> Bool {
        guard isRegular, length > 0 else { return false }
        var last: UInt8 = 0
        guard unsafe pread(descriptor, &last, 1, off_t(length - 1)) == 1 else { throw Failure(code: errno) }
        guard last != 0x0A else { return false }
        try append(Self.tornMark)
        return true
    }

    /// Calls `body` with each line, without its end; lines longer than any record come cut.
    func forEachLine(_ body: (ArraySlice<UInt8>) throws(Failure) -> Void) throws(Failure) {
        guard isRegular else { return }
        var buffer = [UInt8](repeating: 0, count: 256 * 1_024)
        var rest: [UInt8] = []
        var offset: off_t = 0
        while true {
            let got = unsafe pread(descriptor, &buffer, buffer.count, offset)
            if got < 0 && errno == EINTR { continue }
            guard got >= 0 else { throw Failure(code: errno) }
            if got == 0 { break }
            offset += off_t(got)
            var start = 0
            while let end = buffer[start..<got].firstIndex(of: 0x0A) {
                if rest.isEmpty {
                    try body(buffer[start..<end])
                } else {
                    rest += buffer[start..<end]
                    try body(rest[...])
                    rest = []
                }
                start = end + 1
            }
            if rest.count <= 2 * AuditRecord.maximumLength { rest += buffer[start..<got] }
        }
        if !rest.isEmpty { try body(rest[...]) }
    }

    static func isTorn(_ line: ArraySlice<UInt8>) -> Bool {
        line.suffix(tornMark.count - 1).elementsEqual(tornMark.dropLast())
    }

    private func takeBackTornTail() throws(Failure) {
        guard ftruncate(descriptor, off_t(length)) == 0 else { throw Failure(code: errno) }
        hasTornTail = false
    }

    private func write(_ bytes: [UInt8]) throws(Failure) {
        var done = 0
        while done < bytes.count {
            let written = unsafe bytes.withUnsafeBytes { buffer in
                unsafe Glibc.write(descriptor, buffer.baseAddress.map { unsafe $0 + done }, buffer.count - done)
            }
            if written < 0 && errno == EINTR { continue }
            guard written > 0 else { throw Failure(code: written < 0 ? errno : EIO) }
            done += written
        }
    }

    /// So that a new file's name survives a power cut.
    private static func syncFolder(of path: String) {
        let folder = path.lastIndex(of: "/").map { String(path[...$0]) } ?? "."
        let descriptor = unsafe open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { return }
        fsync(descriptor)
        close(descriptor)
    }
}
