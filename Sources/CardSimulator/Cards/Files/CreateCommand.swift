/// The name a MF has here; its CREATE FILE carries the transport code in the place of a name.
let masterFileName: [UInt8] = Array("1PAY.SYS.DDF01".utf8)

extension CardCore {
    /// CREATE FILE `80 E0 FID Lc …` for MF, DF and EF (domain.md §2.6).
    mutating func createFile(_ command: Command) throws(Status) -> Answer {
        let identifier = UInt16(command.p1) << 8 | UInt16(command.p2)
        guard let kind = command.data.first else { throw .wrongLength }
        if kind == 0x38 {
            if identifier == 0x3F00 { return try createMasterFile(command.data) }
            return try createApplication(identifier, command.data)
        }
        guard !memory.directories.isEmpty else { throw .fileNotFound }
        guard command.data.count == 7 else { throw .wrongLength }
        try require(directory.createRight)
        guard !isTaken(identifier) else { throw .wrongParameters }
        if kind & 0x3F == 0x3F { return try createKeyFile(identifier, command.data) }
        let file = try elementaryFile(identifier, command.data)
        guard file.cost <= freeSpace else { throw .noSpace }
        directory.files.append(file)
        session.file = directory.files.count - 1
        return Answer()
    }

    /// `38 | size2 | create | erase | app FID | transport code 7…8`. A MF that was erased may be created anew.
    private mutating func createMasterFile(_ data: [UInt8]) throws(Status) -> Answer {
        guard dialect == .fmcos else { throw .wrongParameters }
        guard data.count == 13 || data.count == 14 else { throw .wrongLength }
        if let present = memory.directories.first {
            guard memory.directories.count == 1, present.files.isEmpty, present.keyFile == nil else {
                throw .wrongParameters
            }
            try require(present.eraseRight)
        }
        let code = Array(data[6...])
        guard sameBytes(code, Array(memory.transportCode.bytes.prefix(code.count))) else {
            throw .securityNotSatisfied
        }
        let size = Int(data[1]) << 8 | Int(data[2])
        guard size == 0xFFFF || size <= memory.capacity else { throw .noSpace }
        memory.directories = [
            Directory(
                identifier: 0x3F00, name: Octets(masterFileName), size: size == 0xFFFF ? memory.capacity : size,
                createRight: data[3], eraseRight: data[4], directoryFile: data[5])
        ]
        session = Session()
        return Answer()
    }

    /// `38 | size2 | create | erase | SFI | FF FF | name 5…16`. Applications lie directly under the MF.
    private mutating func createApplication(_ identifier: UInt16, _ data: [UInt8]) throws(Status) -> Answer {
        guard !memory.directories.isEmpty else { throw .fileNotFound }
        guard (13...24).contains(data.count) || (12...12).contains(data.count) else { throw .wrongLength }
        guard session.directory == 0 else { throw .notSupported }
        try require(directory.createRight)
        let name = Array(data[8...])
        guard !isTaken(identifier), !memory.directories.contains(where: { $0.name.bytes == name }) else {
            throw .wrongParameters
        }
        let size = Int(data[1]) << 8 | Int(data[2])
        guard size + 8 + name.count <= freeSpace else { throw .noSpace }
        memory.directories.append(
            Directory(
                identifier: identifier, name: Octets(name), size: size, createRight: data[3], eraseRight: data[4],
                directoryFile: data[5]))
        return Answer()
    }

    /// `3F | size2 | DF SFI | add right | FF FF`.
    private mutating func createKeyFile(_ identifier: UInt16, _ data: [UInt8]) throws(Status) -> Answer {
        guard directory.keyFile == nil else { throw .wrongParameters }
        let size = Int(data[1]) << 8 | Int(data[2])
        guard size + 8 <= freeSpace else { throw .noSpace }
        directory.keyFile = KeyFile(identifier: identifier, size: size, addRight: data[4])
        return Answer()
    }

    private func elementaryFile(_ identifier: UInt16, _ data: [UInt8]) throws(Status) -> ElementaryFile {
        let size = Int(data[1]) << 8 | Int(data[2])
        let contents: ElementaryFile.Contents
        var (records, recordLength) = (0, 0)
        switch data[0] & 0x3F {
        case 0x28:
            guard size > 0, size <= freeSpace else { throw .noSpace }
            contents = .binary(Octets([UInt8](repeating: 0, count: size)))
        case 0x2A, 0x2E:
            (records, recordLength) = (Int(data[1]), Int(data[2]))
            guard records > 0, recordLength > 0 else { throw .wrongData }
            contents = data[0] & 0x3F == 0x2A ? .fixed([]) : .cyclic([])
        case 0x2C:
            guard size > 0 else { throw .wrongData }
            contents = .variable([])
        case 0x2F:
            guard dialect == .fmcos, size == 0x0208, identifier == 1 || identifier == 2, data[0] == 0x2F else {
                throw .wrongData
            }
            contents = .purse(Purse(useRight: data[3], logFile: data[6] & 0x1F))
        default:
            throw .wrongData
        }
        let isPurse = data[0] == 0x2F
        return ElementaryFile(
            identifier: identifier, size: size, readRight: data[3], writeRight: isPurse ? 0xEF : data[4],
            needsMAC: data[0] & 0x80 != 0, needsEncryption: data[0] & 0x40 != 0, protection: isPurse ? 0xFF : data[6],
            maximumRecords: records, recordLength: recordLength, contents: contents)
    }

    /// ERASE DF `80 0E 00 00`: everything in the current directory goes; the directory itself stays, empty. The MF of a PSAM
    /// keeps its card master key: without one the card would be lost.
    mutating func eraseDirectory(_ command: Command) throws(Status) -> Answer {
        try command.require(p1: 0, p2: 0)
        guard command.data.isEmpty else { throw .wrongLength }
        guard !memory.directories.isEmpty else { throw .fileNotFound }
        try require(directory.eraseRight)
        if session.directory == 0 { memory.directories = [memory.directories[0]] }
        directory.files = []
        if dialect == .psam, session.directory == 0 {
            directory.keyFile?.keys.removeAll { $0.kind != 0 }
        } else {
            directory.keyFile = nil
        }
        session.file = nil
        session.isPINVerified = false
        state = 0
        return Answer()
    }

    private func isTaken(_ identifier: UInt16) -> Bool {
        if directory.files.contains(where: { $0.identifier == identifier }) { return true }
        if directory.keyFile?.identifier == identifier { return true }
        return memory.directories.contains { $0.identifier == identifier }
    }

    private var freeSpace: Int {
        let children =
            session.directory == 0
            ? memory.directories.dropFirst().reduce(0) { $0 + $1.size + 8 + $1.name.bytes.count } : 0
        return directory.size - directory.used - children
    }
}
