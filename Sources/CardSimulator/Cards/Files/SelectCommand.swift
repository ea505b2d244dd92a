extension CardCore {
    /// SELECT `00 A4 00 00 02 FID` or `00 A4 04 00 Lc name` → FCI of a directory, nothing for an elementary file.
    mutating func select(_ command: Command) throws(Status) -> Answer {
        guard command.p2 == 0 else { throw .wrongParameters }
        switch command.p1 {
        case 0x00:
            try command.require(length: 2)
            return try select(identifier: UInt16(command.data.number))
        case 0x04:
            guard (1...16).contains(command.data.count) else { throw .wrongLength }
            guard let index = memory.directories.firstIndex(where: { $0.name.bytes == command.data }) else {
                throw .fileNotFound
            }
            return try enter(index)
        default:
            throw .wrongParameters
        }
    }

    private mutating func select(identifier: UInt16) throws(Status) -> Answer {
        guard !memory.directories.isEmpty else { throw .fileNotFound }
        if let index = directory.files.firstIndex(where: { $0.identifier == identifier }) {
            session.file = index
            return Answer()
        }
        if let index = memory.directories.firstIndex(where: { $0.identifier == identifier }) {
            return try enter(index)
        }
        throw .fileNotFound
    }

    /// Makes a directory the current one. The security state of an application always starts at zero; the MF's stays
    /// until power-off, because rights `0Y` in an application refer to it.
    private mutating func enter(_ index: Int) throws(Status) -> Answer {
        let target = memory.directories[index]
        if target.block == .permanent { throw .permanentlyLocked }
        session.directory = index
        session.file = nil
        session.applicationState = 0
        session.isPINVerified = false
        return Answer(
            data: controlInformation(target), status: target.block == .temporary ? .selectedFileBlocked : .success)
    }

    /// FCI: `6F | 84 name | A5 (9F0C contents of the SFI, or 88 01 SFI)`.
    private func controlInformation(_ directory: Directory) -> [UInt8] {
        let short = directory.directoryFile & 0x1F
        var proprietary: [UInt8] = []
        if directory.directoryFile & 0x80 == 0 {
            proprietary = [0x88, 1, directory.directoryFile]
        } else if let file = directory.files.first(where: { $0.shortIdentifier == short }),
            case .binary(let contents) = file.contents, contents.bytes.count <= 0x60
        {
            proprietary = [0x9F, 0x0C, UInt8(contents.bytes.count)] + contents.bytes
        }
        let name = [0x84, UInt8(directory.name.bytes.count)] + directory.name.bytes
        let body = name + [0xA5, UInt8(proprietary.count)] + proprietary
        return [0x6F, UInt8(body.count)] + body
    }

    /// Finds the file a command means by SFI (0 = the current file).
    func fileIndex(short: UInt8) throws(Status) -> Int {
        guard !memory.directories.isEmpty else { throw .fileNotFound }
        if short == 0 {
            guard let file = session.file, directory.files.indices.contains(file) else { throw .fileNotFound }
            return file
        }
        guard let index = directory.files.firstIndex(where: { $0.shortIdentifier == short }) else {
            throw .fileNotFound
        }
        return index
    }
}
