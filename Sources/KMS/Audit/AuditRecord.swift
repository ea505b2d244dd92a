internal import HSMBridge

/// One record of the trail: the same canonical bytes in the file and in the table.
public struct AuditRecord: Sendable, Hashable {
    /// The node whose chain it stands in.
    public let node: String
    /// From 1, without gaps.
    public let sequence: UInt64
    public let time: Timestamp
    /// Nanoseconds of the monotonic clock of `boot`: shows a wall clock that was set.
    public let monotonic: UInt64
    public let boot: String
    public let actors: [String]
    public let origin: String
    public let operation: String
    public let object: String
    /// Six hexadecimal digits, or empty.
    public let checkValue: String
    public let outcome: String
    public let code: String
    public let reference: UInt64?
    /// In the order of their names.
    public let fields: [Field]
    /// One JSON object without blanks and line breaks, its members in fixed order.
    public let canonical: String
    /// SHA-256(00 | previous hash | canonical).
    public let hash: [UInt8]

    public struct Field: Sendable, Hashable {
        public let name: String
        public let value: String
    }

    static let firstPrevious = [UInt8](repeating: 0, count: 32)
    /// Bytes of a canonical record; far above what the limits of the parts allow.
    static let maximumLength = 16_000

    static func link(_ previous: [UInt8], _ canonical: [UInt8]) -> [UInt8] { SHA256.hash([0], previous, canonical) }
}

/// What the trail knows of itself when it writes a record.
struct AuditPosition {
    let node: String
    let sequence: UInt64
    let time: Timestamp
    let monotonic: UInt64
    let boot: String
    let previous: [UInt8]
}

extension AuditRecord {
    /// Puts an event into its place in the chain.
    init(_ event: AuditEvent, at position: AuditPosition) {
        node = position.node
        sequence = position.sequence
        time = position.time
        monotonic = position.monotonic
        boot = position.boot
        actors = event.actors.prefix(4).map { Self.fitted($0, 64) }
        origin = Self.fitted(event.origin, 128)
        operation = event.operation.rawValue
        object = Self.fitted(event.object, 200)
        checkValue = event.checkValue?.description ?? ""
        outcome = event.outcome.name
        code = event.outcome.code
        reference = event.reference
        fields = event.fields.sorted { $0.key.rawValue < $1.key.rawValue }
            .map { Field(name: $0.key.rawValue, value: Self.fitted($0.value, 200)) }
        var json = CanonicalJSON()
        json.number("v", 1)
        json.text("node", node)
        json.number("seq", sequence)
        json.text("time", time.text)
        json.number("mono", monotonic)
        json.text("boot", boot)
        json.list("actors", actors)
        json.text("origin", origin)
        json.text("op", operation)
        json.text("object", object)
        json.text("kcv", checkValue)
        json.text("outcome", outcome)
        json.text("code", code)
        json.number("ref", reference ?? 0)
        json.object("fields", fields.map { ($0.name, $0.value) })
        canonical = json.finished
        hash = Self.link(position.previous, [UInt8](canonical.utf8))
    }

    /// Reads a canonical record; nil for anything that is not exactly what we write.
    init?(canonical: String, hash: [UInt8]) {
        guard hash.count == 32, canonical.utf8.count <= Self.maximumLength else { return nil }
        var reader = CanonicalJSONReader(canonical)
        guard reader.number("v") == 1, let node = reader.text("node"), let sequence = reader.number("seq"),
            let timeText = reader.text("time"), let time = Timestamp(timeText), let monotonic = reader.number("mono"),
            let boot = reader.text("boot"), let actors = reader.list("actors"), let origin = reader.text("origin"),
            let operation = reader.text("op"), let object = reader.text("object"), let checkValue = reader.text("kcv"),
            let outcome = reader.text("outcome"), let code = reader.text("code"), let reference = reader.number("ref"),
            let fields = reader.object("fields"), reader.atEnd
        else { return nil }
        self.node = node
        self.sequence = sequence
        self.time = time
        self.monotonic = monotonic
        self.boot = boot
        self.actors = actors
        self.origin = origin
        self.operation = operation
        self.object = object
        self.checkValue = checkValue
        self.outcome = outcome
        self.code = code
        self.reference = reference == 0 ? nil : reference
        self.fields = fields.map { Field(name: $0.0, value: $0.1) }
        self.canonical = canonical
        self.hash = hash
    }

    /// The line of the file, with its end.
    var line: [UInt8] { [UInt8]("\(Hex.encode(hash)) \(canonical)\n".utf8) }

    /// From a line without its end; nil if it is not one.
    init?(line: [UInt8]) {
        guard line.count > 65, line[64] == 0x20 else { return nil }
        guard let hash = Hex.decode(String(decoding: line[0..<64], as: UTF8.self)) else { return nil }
        let canonical = String(decoding: line[65...], as: UTF8.self)
        guard canonical.utf8.elementsEqual(line[65...]) else { return nil }
        self.init(canonical: canonical, hash: hash)
    }

    /// At most so many bytes, cut between characters.
    private static func fitted(_ text: String, _ limit: Int) -> String {
        guard text.utf8.count > limit else { return text }
        var kept = ""
        var length = 0
        for character in text {
            length += character.utf8.count
            if length > limit { break }
            kept.append(character)
        }
        return kept
    }
}
