extension CardCore {
    /// READ BINARY `00|04 B0 P1 P2 [04 MAC] Le`: P1 bit 8 set = SFI and offset P2, else offset P1P2 in the current file.
    mutating func readBinary(_ command: Command) throws(Status) -> Answer {
        let (index, offset) = try binaryTarget(command)
        let file = directory.files[index]
        guard case .binary(let contents) = file.contents else { throw .wrongFileKind }
        try require(file.readRight)
        let seal = try openRead(command, of: file)
        guard offset < contents.bytes.count else { throw .wrongOffset }
        let rest = contents.bytes.count - offset
        let wanted = command.expected ?? 256
        if wanted != 256, wanted > rest { throw .expectedLength(rest) }
        session.file = index
        return Answer(data: try seal(self, Array(contents.bytes[offset..<offset + min(wanted, rest)])))
    }

    /// UPDATE BINARY `00|04 D6 P1 P2 Lc data [MAC]`.
    mutating func updateBinary(_ command: Command) throws(Status) -> Answer {
        let (index, offset) = try binaryTarget(command)
        let file = directory.files[index]
        guard case .binary(var contents) = file.contents else { throw .wrongFileKind }
        try require(file.writeRight)
        guard !command.data.isEmpty else { throw .wrongLength }
        let data = try openWrite(command, to: file)
        guard !data.isEmpty else { throw .wrongLength }
        guard offset <= contents.bytes.count else { throw .wrongOffset }
        guard offset + data.count <= contents.bytes.count else { throw .noSpace }
        contents.bytes.replaceSubrange(offset..<offset + data.count, with: data)
        directory.files[index].contents = .binary(contents)
        session.file = index
        return Answer()
    }

    private func binaryTarget(_ command: Command) throws(Status) -> (index: Int, offset: Int) {
        if command.p1 & 0x80 != 0 {
            guard command.p1 & 0x60 == 0, command.p1 & 0x1F != 0 else { throw .wrongParameters }
            return (try fileIndex(short: command.p1 & 0x1F), Int(command.p2))
        }
        return (try fileIndex(short: 0), Int(command.p1) << 8 | Int(command.p2))
    }
}
