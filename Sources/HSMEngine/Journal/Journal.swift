import Glibc
import HSMBridge
import Synchronization

/// The journal as the module writes it: a line is on the disk (fdatasync) before `append` returns.
///
/// A write that fails is taken back and the file is tried anew with the next line, so that a disk that was full and is no
/// longer needs no restart.
final class Journal: Sendable {
    private struct State: ~Copyable {
        var descriptor: Int32 = -1
        var isRegular = true
        var length = 0
        var lines: UInt64 = 0
        var head = JournalLine.firstHash

        deinit { if descriptor >= 0 { close(descriptor) } }
    }

    private let path: String
    private let clock: @Sendable () -> Int64
    private let state = Mutex(State())

    init(path: String, clock: @escaping @Sendable () -> Int64) {
        self.path = path
        self.clock = clock
    }

    /// Opens and examines the journal now: a changed one must stop the module. A file that cannot be opened is not a reason;
    /// commands that need it are refused until it can.
    func firstBadLine() -> Int? {
        state.withLock { state in
            if case .bad(let line) = open(&state) { return line }
            return nil
        }
    }

    /// Whether a journal with lines in it exists.
    var hasLines: Bool { state.withLock { $0.lines > 0 } }

    /// Refused where the line would be longer than the journal's limit: a line is whole or is not written, and its command not done.
    func append(_ phase: String, _ name: String, _ fields: [JournalField]) throws(ModuleRefusal) {
        let outcome = state.withLock { state -> Writing in
            if state.descriptor >= 0, FileBytes.status(state.descriptor)?.isRemoved ?? true {
                // Somebody took the file away. Lines into a file without a name are no record.
                close(state.descriptor)
                state.descriptor = -1
            }
            if state.descriptor < 0, open(&state) != .ready { return .failed }
            return write(&state, phase, name, fields)
        }
        switch outcome {
        case .done: return
        case .tooLong: throw ModuleRefusal(.tooLarge)
        case .failed: throw ModuleRefusal(.journalUnavailable)
        }
    }

    private enum Writing { case done, tooLong, failed }
    private enum Opening: Equatable { case ready, unavailable, bad(Int) }

    private func open(_ state: inout State) -> Opening {
        if state.descriptor >= 0 { return .ready }
        let descriptor = unsafe Glibc.open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { return .unavailable }
        guard let status = FileBytes.status(descriptor) else {
            close(descriptor)
            return .unavailable
        }
        guard status.isRegular else {
            // A device has no lines to read back.
            state.descriptor = descriptor
            state.isRegular = false
            return .ready
        }
        guard let scan = JournalScan(descriptor: descriptor) else {
            close(descriptor)
            return .unavailable
        }
        if case .bad(let line) = scan.verdict {
            close(descriptor)
            return .bad(line)
        }
        if state.lines > 0, scan.head != state.head {
            close(descriptor)
            return .unavailable
        }
        if case .torn = scan.verdict, ftruncate(descriptor, scan.length) != 0 {
            close(descriptor)
            return .unavailable
        }
        state.descriptor = descriptor
        state.length = scan.length
        state.lines = UInt64(scan.lines)
        state.head = scan.head
        if case .torn = scan.verdict {
            // The end of a line that a crash cut off: its command was never carried out, because it was never recorded.
            _ = write(&state, "note", "tornLineRemoved", [])
        }
        return .ready
    }

    private func write(_ state: inout State, _ phase: String, _ name: String, _ fields: [JournalField]) -> Writing {
        let text = JournalLine.text(
            sequence: state.lines + 1, time: clock(), phase: phase, name: name, fields: fields)
        guard JournalLine.fits(text) else { return .tooLong }
        guard let hash = try? JournalLine.hash(state.head, text) else { return .failed }
        let line = text + Array(" h=\(Hex.encode(hash))\n".utf8)
        guard FileBytes.writeAll(state.descriptor, line, at: state.isRegular ? state.length : 0),
            fdatasync(state.descriptor) == 0 || !state.isRegular
        else {
            takeBack(&state)
            return .failed
        }
        state.length += line.count
        state.lines += 1
        state.head = hash
        return .done
    }

    private func takeBack(_ state: inout State) {
        if state.isRegular { _ = ftruncate(state.descriptor, state.length) }
        close(state.descriptor)
        state.descriptor = -1
    }
}
