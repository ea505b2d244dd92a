internal import HSMBridge

extension CardProfile {
    /// From the text of a profile; `file` is for messages only.
    public init(yaml text: String, file: String) throws(ProfileError) {
        let root = try ProfileReader(file: file, text: text)
        let top = try root.fields([
            "profile", "title", "stock", "cardOS", "data", "directories", "keys", "pins", "files", "steps",
        ])
        name = try top.required("profile").name()
        title = try top.required("title").text()
        stockKind = try top.required("stock").name()
        cardOS = try CardOS(top.required("cardOS"))
        var fields: [DataField] = []
        for (name, place) in try top.required("data").entries() { fields.append(try DataField(name, place)) }
        self.fields = fields
        var directories: [DirectoryPlan] = []
        for (name, place) in try top.required("directories").entries() {
            directories.append(try DirectoryPlan(name, place))
        }
        self.directories = directories
        var keys: [KeyPlan] = []
        for (name, place) in try top.required("keys").entries() { keys.append(try KeyPlan(name, place)) }
        self.keys = keys
        var pins: [PINPlan] = []
        for (name, place) in try top.optional("pins")?.entries() ?? [] { pins.append(try PINPlan(name, place)) }
        self.pins = pins
        var files: [FilePlan] = []
        for (name, place) in try top.required("files").entries() { files.append(try FilePlan(name, place)) }
        self.files = files
        var steps: [PlannedStep] = []
        for place in try top.required("steps").list() { steps.append(try PlannedStep(place)) }
        self.steps = steps
        try checkNames(top)
    }
}

extension CardOS {
    fileprivate init(_ place: ProfileReader) throws(ProfileError) {
        let fields = try place.fields([
            "name", "cipher", "challenge", "serial", "addKey", "replaceKey", "addPlain", "keyHeaders", "repeatedLoad",
            "authenticate", "create", "createFile", "exists", "memory", "factorOrder",
        ])
        name = try fields.required("name").text()
        cipher = try fields.required("cipher").choice(CipherWord.self).cipher
        challengeLength = try fields.required("challenge").number(4...16)
        let serial = try fields.required("serial").fields(["command", "length"])
        serialCommand = try serial.required("command").template([])
        serialLength = try serial.required("length").number(1...32)
        let place: Set<String> = ["type", "id"]
        addKey = try fields.required("addKey").template(place)
        replaceKey = try fields.required("replaceKey").template(place)
        addPlain = try fields.optional("addPlain")?.template(place)
        var headers: [KeyHeader] = []
        for entry in try fields.required("keyHeaders").list() { headers.append(try KeyHeader(entry)) }
        keyHeaders = headers
        let exists = try fields.required("exists").identifier()
        existsStatus = StatusWord(rawValue: exists)
        switch try fields.required("repeatedLoad").choice(RepeatWord.self) {
        case .replaces: repeatedLoad = .replaces
        case .refused: repeatedLoad = .refused(StatusWord(rawValue: exists))
        case .unknown: repeatedLoad = .unknown
        }
        authenticate = try fields.required("authenticate").template(["id"])
        create = try fields.required("create").template(["fid"])
        var bodies: [FileKind: ByteTemplate] = [:]
        for (name, entry) in try fields.required("createFile").entries() {
            guard let kind = FileKind(rawValue: name) else {
                throw entry.failure(
                    "unknown kind of file, expected one of: \(FileKind.allCases.map(\.rawValue).joined(separator: ", "))"
                )
            }
            bodies[kind] = try entry.template(FilePlan.tokens)
        }
        createBodies = bodies
        let memory = try fields.required("memory").fields(["total", "perFile", "perRecord", "perKey"])
        self.memory = MemoryRule(
            total: try memory.required("total").number(64...1_048_576),
            perFile: try memory.required("perFile").number(0...64),
            perRecord: try memory.required("perRecord").number(0...16),
            perKey: try memory.required("perKey").number(0...64))
        factorOrder = try fields.optional("factorOrder")?.choice(FactorOrder.self)
    }

    private enum CipherWord: String, CaseIterable {
        case tripleDES = "3des"
        case sm4

        var cipher: CardCipher { self == .sm4 ? .sm4 : .tripleDES }
    }

    private enum RepeatWord: String, CaseIterable { case replaces, refused, unknown }
}

extension CardOS.KeyHeader {
    fileprivate init(_ place: ProfileReader) throws(ProfileError) {
        let fields = try place.fields(["types", "header"])
        types = try fields.optional("types")?.bytes(1...32) ?? []
        template = try fields.required("header").template(KeyPlan.attributeNames.union(["type", "id"]))
    }
}

extension DataField {
    fileprivate init(_ name: String, _ place: ProfileReader) throws(ProfileError) {
        let fields = try place.fields(["title", "form", "default"])
        self.name = name
        title = try fields.required("title").text()
        form = try Form(fields.required("form"))
        defaultText = try fields.optional("default")?.text()
        if let place = fields.optional("default") {
            if isSecret { throw place.failure("a secret has no default") }
            if JobData.encode(defaultText ?? "", form, today: JobData.exampleDay) == nil {
                throw place.failure("expected \(expected)")
            }
        }
    }
}

extension DataField.Form {
    /// `digits 20`, `hex 8`, `text 20`, `date`, `pin 2-8`.
    fileprivate init(_ place: ProfileReader) throws(ProfileError) {
        let words = try place.text().split(separator: " ").map(String.init)
        let counts = words.count == 2 ? words[1].split(separator: "-").compactMap { Int($0) } : []
        switch (words.first, counts.count) {
        case ("date", 0) where words.count == 1: self = .date
        case ("digits", 1) where counts[0] % 2 == 0 && (2...64).contains(counts[0]): self = .digits(counts[0])
        case ("hex", 1) where (1...64).contains(counts[0]): self = .hex(bytes: counts[0])
        case ("text", 1) where (1...200).contains(counts[0]): self = .text(bytes: counts[0])
        case ("pin", 2) where counts[0] >= 2 && counts[0] <= counts[1] && counts[1] <= 12:
            self = .pin(counts[0]...counts[1])
        default: throw place.failure("expected `digits N` (even), `hex BYTES`, `text BYTES`, `date` or `pin FROM-TO`")
        }
    }
}

extension DirectoryPlan {
    fileprivate init(_ name: String, _ place: ProfileReader) throws(ProfileError) {
        let fields = try place.fields(["fid", "present", "name", "size", "create", "erase", "short"])
        self.name = name
        identifier = try fields.required("fid").identifier()
        isPresent =
            try fields.optional("present").map { (field) throws(ProfileError) in try field.choice(YesNo.self) } == .yes
        dedicatedName = try fields.optional("name")?.bytes(1...16) ?? []
        size = try Self.size(fields.optional("size"))
        attributes = try place.bytes(["create", "erase", "short"], in: fields)
    }

    fileprivate enum YesNo: String, CaseIterable { case yes, no }

    /// `auto` or a number.
    fileprivate static func size(_ place: ProfileReader?) throws(ProfileError) -> Int? {
        guard let place else { return nil }
        return try place.text() == "auto" ? nil : try place.number(1...65_535)
    }
}

extension ProfileReader {
    /// One-byte fields that are there, by name.
    fileprivate func bytes(_ names: [String], in fields: Fields) throws(ProfileError) -> [String: UInt8] {
        var values: [String: UInt8] = [:]
        for name in names { if let field = fields.optional(name) { values[name] = try field.byte() } }
        return values
    }
}

extension KeyPlan {
    /// What a key header can ask for, beside `type`.
    static let attributeNames: Set<String> = ["version", "algorithm", "use", "change", "state", "tries"]

    fileprivate init(_ name: String, _ place: ProfileReader) throws(ProfileError) {
        let fields = try place.fields(
            Self.attributeNames.union(["label", "usage", "factors", "directory", "type", "id", "protection"]))
        self.name = name
        label = try fields.required("label").text()
        let parts = label.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 2, parts.allSatisfy(KeyIdentity.isValidPart) else {
            throw try fields.required("label").failure("expected `product/label`, found `\(label)`")
        }
        let usagePlace = try fields.required("usage")
        guard let usage = KeyUsage(named: try usagePlace.text()), usage.isCardRole else {
            throw usagePlace.failure("expected the usage of a card key, such as purchase or cardControl")
        }
        self.usage = usage
        var factors: [FactorSource] = []
        for entry in try fields.required("factors").list() { factors.append(try FactorSource(entry)) }
        guard factors.count <= DerivedKey.maximumLevels else {
            throw try fields.required("factors").failure("at most four levels")
        }
        self.factors = factors
        attributes = try place.bytes(Self.attributeNames.sorted() + ["protection"], in: fields)
        if usage == .vendorTransport {
            guard fields.optional("type") == nil, fields.optional("directory") == nil, attributes.isEmpty else {
                throw place.failure("a vendor's transport key is never loaded, so it has no place of its own")
            }
            self.place = nil
            return
        }
        self.place = try CardKeyPlace(fields)
    }
}

extension CardKeyPlace {
    fileprivate init(_ fields: ProfileReader.Fields) throws(ProfileError) {
        directory = try fields.required("directory").name()
        type = try fields.required("type").byte()
        id = try fields.required("id").byte()
    }
}

extension PINPlan {
    fileprivate init(_ name: String, _ place: ProfileReader) throws(ProfileError) {
        let fields = try place.fields(["data", "directory", "type", "id", "use", "change", "state", "tries", "verify"])
        self.name = name
        field = try fields.required("data").name()
        self.place = try CardKeyPlace(fields)
        attributes = try place.bytes(["use", "change", "state", "tries"], in: fields)
        verify = try fields.required("verify").bytes(4...4)
    }
}

extension FactorSource {
    fileprivate init(_ place: ProfileReader) throws(ProfileError) {
        let fields = try place.fields(["data", "bytes"])
        if let data = fields.optional("data") {
            self = .field(try data.name())
            guard fields.found.count == 1 else { throw place.failure("expected either `data` or `bytes`") }
        } else {
            self = .constant(try fields.required("bytes").bytes(8...8).reduce(0) { $0 << 8 | UInt64($1) })
        }
    }
}

extension FilePlan {
    static let attributeNames = ["read", "write", "use", "add", "protection", "log", "short"]
    /// What CREATE FILE can ask for.
    static let tokens: Set<String> = Set(attributeNames).union(["type", "size", "create", "erase", "name"])

    fileprivate init(_ name: String, _ place: ProfileReader) throws(ProfileError) {
        let fields = try place.fields(
            Set(Self.attributeNames).union([
                "directory", "kind", "fid", "type", "size", "records", "recordLength", "contents", "present",
            ]))
        self.name = name
        directory = try fields.required("directory").name()
        kind = try fields.required("kind").choice(FileKind.self)
        guard kind != .master, kind != .directory else { throw place.failure("directories stand under `directories`") }
        identifier = try fields.required("fid").identifier()
        type = try fields.required("type").byte()
        size = try DirectoryPlan.size(fields.optional("size"))
        records = try fields.optional("records")?.number(1...254) ?? 0
        recordLength = try fields.optional("recordLength")?.number(1...254) ?? 0
        attributes = try place.bytes(Self.attributeNames, in: fields)
        isPresent =
            try fields.optional("present").map { (field) throws(ProfileError) in
                try field.choice(DirectoryPlan.YesNo.self)
            } == .yes
        var contents: [ContentPart] = []
        for entry in try fields.optional("contents")?.list() ?? [] { contents.append(try ContentPart(entry)) }
        self.contents = contents
        switch kind {
        case .binary:
            guard size != nil else { throw place.failure("a binary file needs a `size`") }
        case .record, .cyclic:
            guard records > 0, recordLength > 0 else {
                throw place.failure("a record file needs `records` and `recordLength`")
            }
        case .keyFile, .purse, .master, .directory: break
        }
        if kind != .binary, !contents.isEmpty { throw place.failure("only binary files have `contents`") }
    }
}

extension ContentPart {
    fileprivate init(_ place: ProfileReader) throws(ProfileError) {
        let fields = try place.fields(["data", "bytes"])
        if let data = fields.optional("data") {
            self = .field(try data.name())
            guard fields.found.count == 1 else { throw place.failure("expected either `data` or `bytes`") }
        } else {
            self = .bytes(try fields.required("bytes").bytes(1...200))
        }
    }
}
