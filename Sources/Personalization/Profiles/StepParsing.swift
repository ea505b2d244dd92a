extension PlannedStep {
    private static let words: Set<String> = [
        "select", "create", "throwAway", "loadKey", "authenticate", "setPIN", "verifyPIN", "write", "readBack",
        "tryBalance",
        "tryLoad", "tryPurchase", "tryPurchaseSAM",
    ]

    /// One map with one word: `select: MF`, `loadKey: {key: purchase, under: control}` …
    init(_ place: ProfileReader) throws(ProfileError) {
        let fields = try place.fields(Self.words)
        guard fields.found.count == 1, let (word, value) = fields.found.first else {
            throw place.failure("expected one of: \(Self.words.sorted().joined(separator: ", "))")
        }
        line = value.line
        action = try Self.action(word, value)
    }

    private static func action(_ word: String, _ value: ProfileReader) throws(ProfileError) -> Action {
        switch word {
        case "select": return .select(try value.name())
        case "create": return .create(try value.name())
        case "setPIN": return .setPIN(try value.name())
        case "verifyPIN": return .verifyPIN(try value.name())
        case "readBack": return .readBack(try value.name())
        case "tryPurchaseSAM": return .tryPurchaseSAM(key: try value.name())
        case "throwAway":
            let fields = try value.fields(["key", "value"])
            return .throwAway(
                key: try fields.required("key").name(), value: try fields.required("value").bytes(16...16))
        case "loadKey":
            let fields = try value.fields(["key", "under", "replaces"])
            let replaces = try fields.optional("replaces").map { (field) throws(ProfileError) in
                try field.choice(Answer.self)
            }
            return .loadKey(
                try fields.required("key").name(), under: try fields.required("under").name(),
                replaces: replaces == .yes)
        case "write":
            let fields = try value.fields(["file", "under"])
            let under = try fields.optional("under").map { (field) throws(ProfileError) in try field.name() }
            return .write(try fields.required("file").name(), under: under)
        case "authenticate":
            let fields = try value.fields(["key", "inPlaceOf"])
            let other = try fields.optional("inPlaceOf").map { (field) throws(ProfileError) in try field.name() }
            return .authenticate(try fields.required("key").name(), inPlaceOf: other)
        case "tryBalance":
            return .tryBalance(purse: try value.fields(["purse"]).required("purse").byte())
        default:
            let fields = try value.fields(["key", "purse"])
            let (key, purse) = (try fields.required("key").name(), try fields.required("purse").byte())
            return word == "tryLoad" ? .tryLoad(key: key, purse: purse) : .tryPurchase(key: key, purse: purse)
        }
    }

    private enum Answer: String, CaseIterable { case yes, no }
}

extension CardProfile {
    /// Every name that is mentioned must exist: found when the file is read, not when a card is in the reader.
    func checkNames(_ top: ProfileReader.Fields) throws(ProfileError) {
        let stepPlace = try top.required("steps")
        for (index, step) in steps.enumerated() {
            guard let unknown = unknownName(step.action) else { continue }
            throw ProfileError(
                file: stepPlace.file, line: step.line, path: "steps[\(index)]",
                problem: "`\(unknown)` is not defined above")
        }
        for key in keys {
            if let directory = key.place?.directory, self.directory(directory) == nil {
                throw try top.required("keys").failure("key \(key.name): directory `\(directory)` is not defined")
            }
            for case .field(let name) in key.factors where field(name) == nil {
                throw try top.required("keys").failure("key \(key.name): data field `\(name)` is not defined")
            }
        }
        for file in files {
            guard directory(file.directory) != nil else {
                throw try top.required("files").failure(
                    "file \(file.name): directory `\(file.directory)` is not defined")
            }
            for case .field(let name) in file.contents where field(name).map(\.isSecret) ?? true {
                throw try top.required("files").failure(
                    "file \(file.name): data field `\(name)` is not defined, or is secret")
            }
        }
        for pin in pins where !(field(pin.field)?.isSecret ?? false) || directory(pin.place.directory) == nil {
            throw try top.required("keys").failure("PIN \(pin.name): needs a data field of form pin and a directory")
        }
        let names = files.map(\.name) + directories.map(\.name)
        guard Set(names).count == names.count else {
            throw try top.required("files").failure("a file and a directory have the same name")
        }
    }

    private func unknownName(_ action: PlannedStep.Action) -> String? {
        func key(_ name: String) -> String? { self.key(name) == nil ? name : nil }
        func file(_ name: String) -> String? { self.file(name) == nil ? name : nil }
        return switch action {
        case .select(let name): directory(name) == nil ? name : nil
        case .create(let name): self.file(name) == nil && directory(name) == nil ? name : nil
        case .authenticate(let name, let other): key(name) ?? other.flatMap(key)
        case .throwAway(let name, _), .tryLoad(let name, _), .tryPurchase(let name, _),
            .tryPurchaseSAM(let name):
            key(name)
        case .loadKey(let name, let under, _): key(name) ?? key(under)
        case .setPIN(let name), .verifyPIN(let name): pin(name) == nil ? name : nil
        case .write(let name, let under): file(name) ?? under.flatMap(key)
        case .readBack(let name): file(name)
        case .tryBalance: nil
        }
    }
}
