/// What an examination of a journal found.
public enum JournalVerdict: Sendable, Hashable {
    case intact(lines: Int)
    /// The first line, from 1, that was changed, inserted, moved or follows a removed one.
    case bad(line: Int)
    /// The file ends in the middle of a line: a write that a crash cut off, after this many good lines.
    case torn(lines: Int)
    case unreadable
}

/// Examines a module's journal without the module, for auditors.
///
/// A journal cut off at a line's end looks whole: compare the last hash with one that was noted elsewhere.
public enum ModuleJournal {
    public static func verify(path: String) -> JournalVerdict {
        guard let scan = JournalScan(path: path) else { return .unreadable }
        return scan.verdict
    }
}
