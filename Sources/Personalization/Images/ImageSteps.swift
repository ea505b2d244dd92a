internal import HSMBridge

// One step of a profile becomes one step of the image.
extension ImageBuilder {
    mutating func add(_ step: PlannedStep) throws(IssuingError) {
        if let open = throwAway {
            guard case .loadKey(let name, _, _) = step.action, profile.key(name)?.place == open else {
                throw failure("line \(step.line): a throw-away value must be replaced in the very next step")
            }
        }
        switch step.action {
        case .select(let name): try select(name)
        case .create(let name): try create(name)
        case .throwAway(let name, let value): try throwAway(name, value)
        case .loadKey(let name, let under, let replaces): try loadKey(name, under: under, replaces: replaces)
        case .authenticate(let name, let other): try authenticate(name, inPlaceOf: other)
        case .setPIN(let name): try setPIN(name)
        case .verifyPIN(let name): try verifyPIN(name)
        case .write(let name, let under): try write(name, under: under)
        case .readBack(let name): try readBack(name)
        case .tryBalance(let purse):
            let command = CommandAPDU(cla: 0x80, ins: 0x5C, p1: 0, p2: purse, expectedLength: 4)
            append(
                "try: balance of purse \(Hex.encode([purse])) is 0.00", .command(command, answer: [0, 0, 0, 0]),
                changes: false, .repeat)
        case .tryLoad(let name, let purse):
            let (place, key) = try loadedKey(name)
            append(
                "try: \(name) makes MAC1", .tryLoad(purse: purse, keyIndex: place.id, key: key), changes: false, .repeat
            )
        case .tryPurchase(let name, let purse): try tryPurchase(name, purse)
        case .tryPurchaseSAM(let name): try tryPurchaseSAM(name)
        }
    }

    // MARK: Files

    private mutating func select(_ name: String) throws(IssuingError) {
        guard let plan = profile.directory(name), created.contains(name) else {
            throw failure("select \(name): not created yet")
        }
        directory = name
        let identifier = [UInt8(plan.identifier >> 8), UInt8(plan.identifier & 0xFF)]
        let command = CommandAPDU(cla: 0x00, ins: 0xA4, p1: 0, p2: 0, data: identifier, expectedLength: 256)
        append("select \(name)", .command(command), changes: false, .repeat)
    }

    private mutating func create(_ name: String) throws(IssuingError) {
        guard !created.contains(name) else { throw failure("create \(name): exists already") }
        let body: [UInt8]
        let identifier: UInt16
        if let plan = profile.directory(name) {
            let isMaster = space.isMaster(plan)
            if !isMaster, profile.directories.contains(where: space.isMaster), directory == nil {
                throw failure("create \(name): select the MF first")
            }
            body = try createBody(
                isMaster ? .master : .directory, plan.attributes, size: space.size(plan), name: plan.dedicatedName, name
            )
            identifier = plan.identifier
        } else {
            let plan = try file(name)
            try require(current: plan.directory, "create \(name)")
            var values = plan.attributes
            values["type"] = plan.type
            let isRecords = plan.kind == .record || plan.kind == .cyclic
            let size = isRecords ? plan.records << 8 | plan.recordLength : space.size(plan)
            body = try createBody(plan.kind, values, size: size, name: [], name)
            identifier = plan.identifier
        }
        let fid = [UInt8(identifier >> 8), UInt8(identifier & 0xFF)]
        // A second CREATE of an MF is a matter of its erase right on some cards, so it is looked for instead.
        let look = CommandAPDU(cla: 0x00, ins: 0xA4, p1: 0, p2: 0, data: fid, expectedLength: 256)
        let header = try header(profile.cardOS.create, ["fid": fid], "create \(name)")
        try requireTransportKeyGone("create \(name)", isMaster: identifier == 0x3F00)
        created.insert(name)
        append(
            "create \(name)", .command(CommandAPDU(header, data: body)), changes: true,
            identifier == 0x3F00 ? .probeSelect(look) : .repeatAccepting(profile.cardOS.existsStatus))
    }

    private func createBody(
        _ kind: FileKind, _ attributes: [String: UInt8], size: Int, name: [UInt8], _ what: String
    ) throws(IssuingError) -> [UInt8] {
        guard let template = profile.cardOS.createBodies[kind] else {
            throw failure("create \(what): the COS has no \(kind) files")
        }
        guard (0...65_535).contains(size) else { throw failure("create \(what): size \(size)") }
        var values = attributes.mapValues { [$0] }
        values["size"] = [UInt8(size >> 8), UInt8(size & 0xFF)]
        values["name"] = name
        return try fill(template, values, "create \(what)")
    }

    private mutating func write(_ name: String, under: String?) throws(IssuingError) {
        let plan = try file(name)
        try require(current: plan.directory, "write \(name)")
        guard created.contains(name), plan.kind == .binary else {
            throw failure("write \(name): no such binary file yet")
        }
        guard plan.needsProtection == (under != nil) else {
            throw failure(
                "write \(name): a file of type \(Hex.encode([plan.type])) is written \(plan.needsProtection ? "under a maintenance key" : "plainly")"
            )
        }
        let bytes = try contents(plan)
        guard !bytes.isEmpty else { throw failure("write \(name): no contents") }
        written.insert(name)
        let short = 0x80 | UInt8(plan.identifier & 0x1F)
        guard let under else {
            append(
                "write \(name)", .command(CommandAPDU([0x00, 0xD6, short, 0x00], data: bytes)), changes: true, .repeat)
            return
        }
        let (_, key) = try loadedKey(under)
        let header: [UInt8] = [0x04, 0xD6, short, 0x00]
        append(
            "write \(name) under \(under)",
            .protected(header: header.commandHeader, data: bytes, under: key, encipher: plan.type & 0x40 != 0),
            changes: true, .repeat)
    }

    private mutating func readBack(_ name: String) throws(IssuingError) {
        let plan = try file(name)
        try require(current: plan.directory, "read \(name)")
        guard written.contains(name) else { throw failure("read \(name): not written yet") }
        let bytes = try contents(plan)
        readBack.insert(name)
        let command = CommandAPDU(
            cla: 0x00, ins: 0xB0, p1: 0x80 | UInt8(plan.identifier & 0x1F), p2: 0, expectedLength: bytes.count)
        append("read \(name) back", .command(command, answer: bytes), changes: false, .repeat)
    }

    // MARK: Keys

    /// A blank that has a maker's key in it is washed before anything else is done to it.
    private func requireTransportKeyGone(_ what: String, isMaster: Bool) throws(IssuingError) {
        let blankHasKey = profile.directories.contains { $0.isPresent } && profile.keys.contains(where: \.isTransport)
        if blankHasKey, !isMaster, loaded.isEmpty { throw failure("\(what): the maker's key must be replaced first") }
    }

    private mutating func throwAway(_ name: String, _ value: [UInt8]) throws(IssuingError) {
        let (plan, _) = try key(name)
        let place = try place(of: plan)
        try require(current: place.directory, "throw-away value for \(name)")
        guard let template = profile.cardOS.addPlain else { throw failure("the COS takes no key in clear") }
        guard !loaded.contains(name) else { throw failure("throw-away value for \(name): the key is there already") }
        let what = "throw-away value for \(name)"
        let header = try header(template, ["type": [place.type], "id": [place.id]], what)
        let body = try keyHeader(place, plan.attributes, what) + value
        throwAway = place
        append(
            "put the public throw-away value into the place of \(name)", .command(CommandAPDU(header, data: body)),
            changes: true,
            .repeatAccepting(profile.cardOS.existsStatus), place: place)
    }

    private mutating func loadKey(_ name: String, under: String, replaces: Bool) throws(IssuingError) {
        let what = "load key \(name)"
        let (plan, key) = try key(name)
        let (underPlan, controlling) = try self.key(under)
        guard !plan.isTransport else { throw failure("\(what): a maker's transport key is never loaded onto a card") }
        let place = try place(of: plan)
        try require(current: place.directory, what)
        guard !loaded.contains(name) else { throw failure("\(what): loaded already") }
        if underPlan.isTransport {
            guard replaces, plan.usage == .cardControl else {
                throw failure("\(what): a maker's key serves for nothing but its own replacement by a control key")
            }
        } else {
            guard loaded.contains(under) else { throw failure("\(what): \(under) is not on the card yet") }
            try requireTransportKeyGone(what, isMaster: false)
        }
        let values = ["type": [place.type], "id": [place.id]]
        let header = try header(replaces ? profile.cardOS.replaceKey : profile.cardOS.addKey, values, what)
        let keyHeader = try keyHeader(place, plan.attributes, what)
        guard (1...8).contains(keyHeader.count) else { throw failure("\(what): a key header has one to eight bytes") }
        loaded.insert(name)
        throwAway = nil
        append(
            "\(what) (type \(Hex.encode([place.type])), id \(Hex.encode([place.id]))) under \(under)",
            .loadKey(header: header.commandHeader, keyHeader: keyHeader, key: key, under: controlling), changes: true,
            try loadRecovery(place, key, under: controlling, replaces: replaces, usage: plan.usage), place: place)
    }

    /// A key load is never repeated blindly: either the card tells which key it has, or a repetition tells it by its status.
    private func loadRecovery(
        _ place: CardKeyPlace, _ key: CardKey, under: CardKey, replaces: Bool, usage: KeyUsage
    ) throws(IssuingError) -> ImageStep.Recovery {
        if replaces {
            guard usage == .cardControl else { return .scrap }
            let probe = try header(profile.cardOS.authenticate, ["id": [place.id]], "probe")
            return .probe(header: probe.commandHeader, new: key, old: under)
        }
        return switch profile.cardOS.repeatedLoad {
        case .replaces: .repeat
        case .refused(let status): .repeatAccepting(status)
        case .unknown: .scrap
        }
    }

    private mutating func authenticate(_ name: String, inPlaceOf other: String?) throws(IssuingError) {
        let (plan, key) = try key(name)
        let placePlan = try other.map { (name) throws(IssuingError) in try self.key(name).plan } ?? plan
        let place = try place(of: placePlan)
        try require(current: place.directory, "authenticate \(name)")
        guard plan.isTransport == (other != nil) else {
            throw failure("authenticate \(name): `inPlaceOf` is for transport keys, and they need it")
        }
        guard plan.isTransport || loaded.contains(name) else {
            throw failure("authenticate \(name): not on the card yet")
        }
        let header = try header(profile.cardOS.authenticate, ["id": [place.id]], "authenticate \(name)")
        append(
            "authenticate under \(name)", .authenticate(header: header.commandHeader, key: key), changes: false,
            .repeat, place: place)
    }

    private func loadedKey(_ name: String) throws(IssuingError) -> (place: CardKeyPlace, key: CardKey) {
        let (plan, key) = try key(name)
        let place = try place(of: plan)
        guard loaded.contains(name) else { throw failure("key \(name) is not on the card yet") }
        try require(current: place.directory, "use of key \(name)")
        return (place, key)
    }

    // MARK: PIN and trials

    private mutating func setPIN(_ name: String) throws(IssuingError) {
        guard let plan = profile.pin(name), let template = profile.cardOS.addPlain else {
            throw failure("PIN \(name) is not defined")
        }
        try require(current: plan.place.directory, "PIN \(name)")
        let header = try header(template, ["type": [plan.place.type], "id": [plan.place.id]], "PIN \(name)")
        let keyHeader = try keyHeader(plan.place, plan.attributes, "PIN \(name)")
        loaded.insert(name)
        append(
            "set PIN \(name)", .setPIN(before: header + keyHeader, field: plan.field), changes: true,
            .repeatAccepting(profile.cardOS.existsStatus))
    }

    private mutating func verifyPIN(_ name: String) throws(IssuingError) {
        guard let plan = profile.pin(name), loaded.contains(name) else { throw failure("PIN \(name) is not set yet") }
        append(
            "try: verify PIN \(name)", .verifyPIN(header: plan.verify.commandHeader, field: plan.field), changes: false,
            .repeat)
    }

    private mutating func tryPurchase(_ name: String, _ purse: UInt8) throws(IssuingError) {
        let (place, _) = try loadedKey(name)
        let attributes = profile.key(name)?.attributes ?? [:]
        guard let version = attributes["version"], let algorithm = attributes["algorithm"] else {
            throw failure("key \(name) needs a version and an algorithm")
        }
        append(
            "try: purchase of 0.00 opens with \(name)",
            .tryPurchase(purse: purse, keyIndex: place.id, version: version, algorithm: algorithm), changes: false,
            .repeat)
    }

    private mutating func tryPurchaseSAM(_ name: String) throws(IssuingError) {
        let (place, key) = try loadedKey(name)
        let levels = Int(place.type >> 5)
        guard let algorithm = profile.key(name)?.attributes["algorithm"], (1...3).contains(levels) else {
            throw failure("key \(name) needs an algorithm and at least one level in its usage byte")
        }
        guard let order = profile.cardOS.factorOrder else {
            throw failure("a card that diversifies needs `factorOrder` in `cardOS`")
        }
        guard let terminal = data.values["terminal"], terminal.count == 6 else {
            throw failure("a PSAM needs a data field `terminal` of 12 digits")
        }
        append(
            "try: \(name) makes MAC1",
            .tryPurchaseSAM(
                version: place.id, algorithm: algorithm, key: key, levels: levels,
                terminal: terminal.reduce(0) { $0 << 8 | UInt64($1) }, factorOrder: order),
            changes: true, .repeat)
    }
}

extension CommandAPDU {
    /// From CLA INS P1 P2 and data.
    init(_ header: [UInt8], data: [UInt8]) {
        self.init(cla: header[0], ins: header[1], p1: header[2], p2: header[3], data: data)
    }
}
