import FoundationEssentials
import Glibc

/// Which card a simulator plays.
public enum CardKind: String, Codable, Sendable, CaseIterable {
    case fmcos, psam
}

/// Errors of running a virtual card; a card itself never fails, it answers status words.
public enum VirtualCardError: Error, Equatable {
    /// The state file cannot be read as one of ours, or is of the other kind.
    case stateFileDamaged(String)
    /// Reading or writing failed; the number is errno.
    case inputOutput(String, Int32)
    /// Another process runs a card from this file.
    case stateFileInUse(String)
    /// A setting is out of its range.
    case badSetting(String)
}

/// One of the two cards, with its durable part as a value that can be written and compared.
struct RunningCard: Sendable {
    enum Card: Sendable {
        case fmcos(FMCOSCard)
        case psam(PSAMCard)
    }

    /// The state file's contents.
    struct Document: Codable, Equatable {
        var format = 1
        var kind: CardKind
        var fmcos: FMCOSOptions?
        var psam: PSAMOptions?
        var memory: CardMemory
    }

    private(set) var card: Card

    init(_ card: Card) { self.card = card }

    init(_ document: Document, random: CardRandom) {
        switch document.kind {
        case .fmcos:
            card = .fmcos(FMCOSCard(memory: document.memory, options: document.fmcos ?? FMCOSOptions(), random: random))
        case .psam:
            card = .psam(PSAMCard(memory: document.memory, options: document.psam ?? PSAMOptions(), random: random))
        }
    }

    var memory: CardMemory {
        switch card {
        case .fmcos(let card): card.core.memory
        case .psam(let card): card.core.memory
        }
    }

    var document: Document {
        switch card {
        case .fmcos(let card): Document(kind: .fmcos, fmcos: card.options, memory: card.core.memory)
        case .psam(let card): Document(kind: .psam, psam: card.options, memory: card.core.memory)
        }
    }

    var answerToReset: [UInt8] {
        switch card {
        case .fmcos(let card): card.answerToReset
        case .psam(let card): card.answerToReset
        }
    }

    mutating func respond(to command: [UInt8]) -> [UInt8] {
        switch card {
        case .fmcos(var value):
            let answer = value.respond(to: command)
            card = .fmcos(value)
            return answer
        case .psam(var value):
            let answer = value.respond(to: command)
            card = .psam(value)
            return answer
        }
    }

    mutating func reset() {
        switch card {
        case .fmcos(var value):
            value.reset()
            card = .fmcos(value)
        case .psam(var value):
            value.reset()
            card = .psam(value)
        }
    }
}

/// The card's EEPROM: one JSON file, replaced as a whole (write aside, fsync, rename, fsync of the folder), so that a
/// killed process leaves the state before a command or after it, nothing between.
struct StateFile: Sendable {
    let path: String

    /// `nil` when there is no file yet.
    func load(kind: CardKind) throws(VirtualCardError) -> RunningCard.Document? {
        guard unsafe access(path, F_OK) == 0 else { return nil }
        guard let data = try? Data(contentsOf: URL(filePath: path)) else { throw .inputOutput(path, errno) }
        guard let document = try? JSONDecoder().decode(RunningCard.Document.self, from: data), document.format == 1,
            document.kind == kind, document.memory.serial.bytes.count == 4,
            kind == .fmcos || !document.memory.directories.isEmpty
        else { throw .stateFileDamaged(path) }
        return document
    }

    func save(_ document: RunningCard.Document) throws(VirtualCardError) {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys]
        guard let data = try? encoder.encode(document) else { throw .stateFileDamaged(path) }
        let aside = path + ".new"
        let file = unsafe open(aside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw .inputOutput(aside, errno) }
        let isWritten = writeAll(Array(data), to: file) && fsync(file) == 0
        let code = errno
        close(file)
        guard isWritten, unsafe rename(aside, path) == 0 else { throw .inputOutput(path, isWritten ? errno : code) }
        let folder = unsafe open(
            URL(filePath: path).deletingLastPathComponent().path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard folder >= 0 else { throw .inputOutput(path, errno) }
        defer { close(folder) }
        guard fsync(folder) == 0 else { throw .inputOutput(path, errno) }
    }

    /// Takes the lock that keeps a second process from playing the same card; it is given back when the process ends.
    /// - Returns: the descriptor that holds the lock.
    func lock() throws(VirtualCardError) -> Int32 {
        let file = unsafe open(path + ".lock", O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw .inputOutput(path, errno) }
        guard flock(file, LOCK_EX | LOCK_NB) == 0 else {
            close(file)
            throw .stateFileInUse(path)
        }
        return file
    }
}

/// Writes everything or says no; errno tells why.
func writeAll(_ bytes: [UInt8], to file: Int32) -> Bool {
    var offset = 0
    while offset < bytes.count {
        let count = unsafe bytes.withUnsafeBytes { raw in
            guard let base = raw.baseAddress else { return 0 }
            return unsafe write(file, base + offset, raw.count - offset)
        }
        if count < 0, errno == EINTR { continue }
        guard count > 0 else { return false }
        offset += count
    }
    return true
}
