internal import HSMBridge
internal import KMS

extension CardImage {
    /// Computes and checks the image of one card. A pure function: the same profile, data and keys give the same image.
    static func make(
        _ profile: CardProfile, data: JobData, keys lookup: KeyLookup, needsSecrets: Bool = true
    ) throws(IssuingError) -> CardImage {
        var builder = ImageBuilder(profile: profile, data: data, keys: try lookup.keys(of: profile, data: data))
        try builder.checkPlan()
        for step in profile.steps { try builder.add(step) }
        try builder.checkEnd()
        if needsSecrets {
            for pin in profile.pins where data.pins[pin.field] == nil {
                throw .dataField(pin.field, expected: profile.field(pin.field)?.expected ?? "a PIN")
            }
        }
        let allKeys = profile.keys.compactMap { builder.keys[$0.name] }
        return CardImage(
            profile: profile.name, steps: builder.steps, keys: allKeys.filter { !$0.isTransport }, allKeys: allKeys,
            serial: try builder.serialCommand(), challengeLength: profile.cardOS.challengeLength,
            cipher: profile.cardOS.cipher)
    }
}

/// Follows a profile's steps with a model of the card in mind: what is selected, what exists, which keys are where.
struct ImageBuilder {
    let profile: CardProfile
    let data: JobData
    let keys: [String: CardKey]
    let space: SpaceSum
    private(set) var steps: [ImageStep] = []

    /// The model.
    var directory: String?
    var created: Set<String> = []
    var written: Set<String> = []
    var readBack: Set<String> = []
    var loaded: Set<String> = []
    /// Places with a public value in them.
    var throwAway: CardKeyPlace?

    init(profile: CardProfile, data: JobData, keys: [String: CardKey]) {
        self.profile = profile
        self.data = data
        self.keys = keys
        space = SpaceSum(profile: profile)
        created = Set(
            profile.directories.filter(\.isPresent).map(\.name) + profile.files.filter(\.isPresent).map(\.name))
    }

    func failure(_ text: String) -> IssuingError { .imageInvalid(text) }

    mutating func append(
        _ name: String, _ action: ImageStep.Action, changes: Bool, _ recovery: ImageStep.Recovery,
        place: CardKeyPlace? = nil
    ) {
        steps.append(ImageStep(name: name, action: action, changesCard: changes, recovery: recovery, place: place))
    }

    // MARK: The profile as a whole

    func checkPlan() throws(IssuingError) {
        if let problem = space.overflow() { throw failure(problem) }
        for directory in profile.directories {
            let files = profile.files.filter { $0.directory == directory.name }
            try distinct(files.map(\.identifier), "file identifier", directory.name)
            try distinct(
                files.filter { $0.kind != .keyFile && $0.kind != .purse }.map { $0.identifier & 0x1F },
                "short file identifier",
                directory.name)
        }
        try distinct(profile.directories.map(\.identifier), "directory identifier", profile.name)
        let places = profile.keys.compactMap(\.place) + profile.pins.map(\.place)
        for (index, place) in places.enumerated() where places[..<index].contains(place) {
            throw failure(
                "two keys in one place: type \(Hex.encode([place.type])) id \(Hex.encode([place.id])) in \(place.directory)"
            )
        }
        for file in profile.files where file.kind == .binary && !file.contents.isEmpty {
            let count = try contents(file).count
            guard count == file.size else {
                throw failure("file \(file.name) has \(file.size ?? 0) bytes and \(count) bytes of contents")
            }
            guard count <= 200 else { throw failure("file \(file.name): at most 200 bytes go in one APDU") }
        }
    }

    private func distinct(_ numbers: [UInt16], _ what: String, _ place: String) throws(IssuingError) {
        for (index, number) in numbers.enumerated() where numbers[..<index].contains(number) {
            throw failure("\(what) \(Hex.encode([UInt8(number >> 8), UInt8(number & 0xFF)])) stands twice in \(place)")
        }
    }

    /// What must be true of a finished card.
    func checkEnd() throws(IssuingError) {
        for file in profile.files {
            guard created.contains(file.name) else { throw failure("file \(file.name) is never created") }
            guard file.contents.isEmpty || written.contains(file.name) else {
                throw failure("file \(file.name) is never written")
            }
            guard file.contents.isEmpty || readBack.contains(file.name) else {
                throw failure("file \(file.name) is never read back")
            }
        }
        for directory in profile.directories where !created.contains(directory.name) {
            throw failure("directory \(directory.name) is never created")
        }
        for key in profile.keys where !key.isTransport && !loaded.contains(key.name) {
            throw failure("key \(key.name) is never loaded")
        }
        for pin in profile.pins where !loaded.contains(pin.name) { throw failure("PIN \(pin.name) is never set") }
        if throwAway != nil { throw failure("a throw-away value would stay on the card") }
    }

    // MARK: What steps need

    func key(_ name: String) throws(IssuingError) -> (plan: KeyPlan, key: CardKey) {
        guard let plan = profile.key(name), let key = keys[name] else { throw failure("key \(name) is not defined") }
        return (plan, key)
    }

    func place(of plan: KeyPlan) throws(IssuingError) -> CardKeyPlace {
        guard let place = plan.place else { throw failure("key \(plan.name) has no place on the card") }
        return place
    }

    func require(current name: String, _ what: String) throws(IssuingError) {
        guard directory == name else { throw failure("\(what): select \(name) first") }
    }

    func file(_ name: String) throws(IssuingError) -> FilePlan {
        guard let file = profile.file(name) else { throw failure("file \(name) is not defined") }
        return file
    }

    func contents(_ file: FilePlan) throws(IssuingError) -> [UInt8] {
        var bytes: [UInt8] = []
        for part in file.contents {
            switch part {
            case .bytes(let fixed): bytes += fixed
            case .field(let name):
                guard let value = data.values[name] else { throw failure("data field \(name) is missing") }
                bytes += value
            }
        }
        return bytes
    }

    /// Fills a template; a token without a value is an error of the profile.
    func fill(_ template: ByteTemplate, _ values: [String: [UInt8]], _ what: String) throws(IssuingError) -> [UInt8] {
        do throws(ByteTemplate.MissingToken) { return try template.bytes(values) } catch {
            throw failure("\(what): no value for {\(error.name)}")
        }
    }

    /// CLA INS P1 P2.
    func header(_ template: ByteTemplate, _ values: [String: [UInt8]], _ what: String) throws(IssuingError) -> [UInt8] {
        let bytes = try fill(template, values, what)
        guard bytes.count == 4 else { throw failure("\(what): a command header has four bytes, not \(bytes.count)") }
        return bytes
    }

    func keyHeader(_ place: CardKeyPlace, _ attributes: [String: UInt8], _ what: String) throws(IssuingError) -> [UInt8]
    {
        guard let template = profile.cardOS.keyHeader(for: place.type) else {
            throw failure("\(what): no key header for type \(Hex.encode([place.type]))")
        }
        var values = attributes.mapValues { [$0] }
        values["type"] = [place.type | (attributes["protection"] ?? 0)]
        values["id"] = [place.id]
        return try fill(template, values, what)
    }

    func serialCommand() throws(IssuingError) -> CommandAPDU {
        let bytes = try fill(profile.cardOS.serialCommand, [:], "serial command")
        guard let command = CommandAPDU(bytes: bytes), command.expectedLength == profile.cardOS.serialLength else {
            throw failure("the serial command must be an APDU whose Le is the serial's length")
        }
        return command
    }
}

extension [UInt8] {
    /// Four bytes, big-endian.
    var commandHeader: UInt32 { prefix(4).reduce(0) { $0 << 8 | UInt32($1) } }
}
