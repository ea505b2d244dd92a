import Glibc
import HSMBridge

/// Why the state folder could not be used; the text goes to the status of a failed module.
struct StateFolderFault: Error, Hashable {
    let reason: String
}

/// The module's folder on disk: one small file, replaced as a whole, and a lock against a second module.
final class StateFolder: Sendable {
    let path: String
    private let lock: Int32

    private static let fileLimit = 65_536

    var statePath: String { path + "/module.state" }
    var journalPath: String { path + "/module.journal" }

    /// Takes the folder's lock: two modules over one folder would give out the same epoch.
    init(path: String) throws(StateFolderFault) {
        let descriptor = unsafe open(path + "/module.lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { throw StateFolderFault(reason: "state folder cannot be written") }
        guard FileBytes.lock(descriptor) else {
            close(descriptor)
            throw StateFolderFault(reason: "another module uses the state folder")
        }
        self.path = path
        lock = descriptor
    }

    /// Unlocked, and not only closed: a program that another thread is starting has a copy of the descriptor until it begins, and the
    /// lock would last as long.
    deinit {
        FileBytes.unlock(lock)
        close(lock)
    }

    /// Nil where there is no state file yet.
    func read() throws(StateFolderFault) -> StateRecord? {
        guard let bytes = try readFile() else { return nil }
        guard let record = StateRecord(parsing: bytes) else { throw StateFolderFault(reason: "state file is damaged") }
        return record
    }

    private func readFile() throws(StateFolderFault) -> [UInt8]? {
        let descriptor = unsafe open(statePath, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
        if descriptor < 0 && errno == ENOENT { return nil }
        guard descriptor >= 0 else { throw StateFolderFault(reason: "state file cannot be read") }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 4_096)
        while true {
            let got = unsafe piece.withUnsafeMutableBytes { unsafe Glibc.read(descriptor, $0.baseAddress, $0.count) }
            if got < 0 && errno == EINTR { continue }
            guard got >= 0, bytes.count + got <= Self.fileLimit else {
                throw StateFolderFault(reason: "state file cannot be read")
            }
            if got == 0 { return bytes }
            bytes += piece[0..<got]
        }
    }

    /// Replaces the state file: written beside, synchronised, renamed, folder synchronised. After a power cut either the old
    /// or the new record is there, whole.
    func write(_ record: StateRecord) throws(StateFolderFault) {
        guard let bytes = try? record.serialised() else { throw StateFolderFault(reason: "state cannot be written") }
        let beside = statePath + ".new"
        let descriptor = unsafe open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { throw StateFolderFault(reason: "state cannot be written") }
        let isWritten = FileBytes.writeAll(descriptor, bytes, at: 0) && fsync(descriptor) == 0
        close(descriptor)
        guard isWritten, unsafe rename(beside, statePath) == 0, synchroniseFolder() else {
            throw StateFolderFault(reason: "state cannot be written")
        }
    }

    private func synchroniseFolder() -> Bool {
        let descriptor = unsafe open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        return fsync(descriptor) == 0
    }
}

/// Locks and whole writes of files.
enum FileBytes {
    /// F_OFD_SETLK: a lock of the open file and not of the process, so that it also keeps out a second module of one process.
    private static let setOpenFileLock: Int32 = 37

    static func lock(_ descriptor: Int32) -> Bool { set(F_WRLCK, descriptor) }

    static func unlock(_ descriptor: Int32) { _ = set(F_UNLCK, descriptor) }

    private static func set(_ type: Int32, _ descriptor: Int32) -> Bool {
        var whole = flock()
        whole.l_type = Int16(type)
        whole.l_whence = Int16(SEEK_SET)
        return unsafe fcntl(descriptor, setOpenFileLock, &whole) == 0
    }

    /// One byte into a pipe that somebody polls.
    static func wake(_ descriptor: Int32) -> Bool { unsafe Glibc.write(descriptor, [1], 1) == 1 }

    /// Nil where the kernel refuses.
    static func status(_ descriptor: Int32) -> (isRegular: Bool, isRemoved: Bool)? {
        var about = stat()
        guard unsafe fstat(descriptor, &about) == 0 else { return nil }
        return (about.st_mode & 0o170000 == 0o100000, about.st_nlink == 0)
    }

    /// False where not everything could be written.
    static func writeAll(_ descriptor: Int32, _ bytes: [UInt8], at offset: Int) -> Bool {
        unsafe bytes.withUnsafeBytes { memory in
            var done = 0
            while done < memory.count {
                guard let base = memory.baseAddress else { return true }
                let count = unsafe pwrite(descriptor, base + done, memory.count - done, offset + done)
                if count < 0 && errno == EINTR { continue }
                guard count > 0 else { return false }
                done += count
            }
            return true
        }
    }
}
