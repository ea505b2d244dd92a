/// How much room a profile's files take, by the card's own rule (domain.md 2.6; the manuals' example sizes are too small, 12.8).
struct SpaceSum {
    let profile: CardProfile
    private var rule: CardOS.MemoryRule { profile.cardOS.memory }

    /// Bytes that CREATE FILE asks for.
    func size(_ file: FilePlan) -> Int {
        if let size = file.size { return size }
        switch file.kind {
        case .keyFile: return rule.perFile + keysSize(in: file.directory)
        case .record, .cyclic: return file.records * (file.recordLength + rule.perRecord)
        case .binary, .purse, .master, .directory: return 0
        }
    }

    /// Bytes that the keys and PINs of a directory take in its key file.
    func keysSize(in directory: String) -> Int {
        let keys = profile.keys.filter { $0.place?.directory == directory }.count * (16 + rule.perKey)
        let pins = profile.pins.filter { $0.place.directory == directory }.reduce(0) { sum, pin in
            guard case .pin(let range)? = profile.field(pin.field)?.form else { return sum }
            return sum + range.upperBound + rule.perKey
        }
        return keys + pins
    }

    /// Bytes that everything in a directory takes.
    func contents(_ directory: DirectoryPlan) -> Int {
        let files = profile.files.filter { $0.directory == directory.name }.reduce(0) { $0 + size($1) + rule.perFile }
        guard isMaster(directory) else { return files }
        return profile.directories.filter { !isMaster($0) }.reduce(files) {
            $0 + size($1) + rule.perFile + $1.dedicatedName.count
        }
    }

    func size(_ directory: DirectoryPlan) -> Int { directory.size ?? contents(directory) }

    func isMaster(_ directory: DirectoryPlan) -> Bool { directory.identifier == 0x3F00 }

    /// The first thing that does not fit, in words; nil if all does.
    func overflow() -> String? {
        for file in profile.files where file.kind == .keyFile {
            let needed = rule.perFile + keysSize(in: file.directory)
            if needed > size(file) { return "key file \(file.name) has \(size(file)) bytes and needs \(needed)" }
        }
        for directory in profile.directories {
            // FFFF asks for the rest of the card.
            let limit = isMaster(directory) ? min(size(directory), rule.total) : size(directory)
            let needed = contents(directory)
            if needed > limit { return "directory \(directory.name) has \(limit) bytes and needs \(needed)" }
            if needed > rule.total { return "the card has \(rule.total) bytes, \(needed) are needed" }
        }
        return nil
    }
}
