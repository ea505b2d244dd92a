extension CardCore {
    /// READ RECORD `00|04 B2 number (SFI << 3 | 4) [04 MAC] Le`; record 1 of a cyclic file is the newest.
    mutating func readRecord(_ command: Command) throws(Status) -> Answer {
        let index = try recordTarget(command, mode: 4)
        let file = directory.files[index]
        guard let records = file.records else { throw .wrongFileKind }
        try require(file.readRight)
        let seal = try openRead(command, of: file)
        let number = Int(command.p1)
        guard number >= 1, number <= records.count else { throw .recordNotFound }
        let record = records[number - 1].bytes
        try command.expect(record.count)
        session.file = index
        return Answer(data: try seal(self, record))
    }

    /// UPDATE RECORD `00|04 DC number (SFI << 3 | 4) Lc data [MAC]` of a record that exists; not for cyclic files.
    mutating func updateRecord(_ command: Command) throws(Status) -> Answer {
        let index = try recordTarget(command, mode: 4)
        var file = directory.files[index]
        try require(file.writeRight)
        guard !command.data.isEmpty else { throw .wrongLength }
        let number = Int(command.p1)
        guard var records = file.records, !file.isCyclic else { throw .wrongFileKind }
        let data = try openWrite(command, to: file)
        guard number >= 1, number <= records.count else { throw .recordNotFound }
        if file.recordLength > 0, data.count != file.recordLength { throw .wrongLength }
        records[number - 1] = Octets(data)
        try file.setRecords(records)
        directory.files[index] = file
        session.file = index
        return Answer()
    }

    /// APPEND RECORD `00|04 E2 00 (SFI << 3) Lc data [MAC]`; in a cyclic file the oldest record makes room.
    mutating func appendRecord(_ command: Command) throws(Status) -> Answer {
        try command.require(p1: 0)
        let index = try recordTarget(command, mode: nil)
        var file = directory.files[index]
        guard file.records != nil else { throw .wrongFileKind }
        try require(file.writeRight)
        guard !command.data.isEmpty else { throw .wrongLength }
        let data = try openWrite(command, to: file)
        try file.append(data)
        directory.files[index] = file
        session.file = index
        return Answer()
    }

    /// - Parameter mode: the low three bits P2 must have; `nil` accepts 000 and 100 (APPEND).
    private func recordTarget(_ command: Command, mode: UInt8?) throws(Status) -> Int {
        let low = command.p2 & 7
        guard mode.map({ $0 == low }) ?? (low == 0 || low == 4) else { throw .wrongParameters }
        return try fileIndex(short: command.p2 >> 3)
    }
}

extension ElementaryFile {
    var records: [Octets]? {
        switch contents {
        case .fixed(let records), .variable(let records), .cyclic(let records): records
        case .binary, .purse: nil
        }
    }

    var isCyclic: Bool {
        if case .cyclic = contents { return true }
        return false
    }

    mutating func append(_ record: [UInt8]) throws(Status) {
        guard let present = records else { throw .wrongFileKind }
        if recordLength > 0, record.count != recordLength { throw .wrongLength }
        if isCyclic {
            contents = .cyclic(Array(([Octets(record)] + present).prefix(maximumRecords)))
        } else {
            try setRecords(present + [Octets(record)])
        }
    }

    mutating func setRecords(_ records: [Octets]) throws(Status) {
        switch contents {
        case .fixed:
            guard records.count <= maximumRecords else { throw .noSpace }
            contents = .fixed(records)
        case .variable:
            guard records.reduce(0, { $0 + $1.bytes.count + 1 }) <= size else { throw .noSpace }
            contents = .variable(records)
        case .cyclic:
            contents = .cyclic(records)
        case .binary, .purse:
            throw .wrongFileKind
        }
    }
}
