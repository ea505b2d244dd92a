import Personalization

/// A card profile, as a form needs it.
public struct CardProfileMessage: Codable, Sendable, Hashable {
    public var name: String
    public var title: String
    /// Kind of blank that it needs.
    public var kind: String
    public var fields: [Field]

    public struct Field: Codable, Sendable, Hashable {
        public var name: String
        public var title: String
        /// What the value must look like, in words.
        public var expected: String
        public var isSecret: Bool
        /// Absent = the job must say it.
        public var defaultText: String?
    }

    init(_ profile: CardProfile) {
        name = profile.name
        title = profile.title
        kind = profile.stockKind
        fields = profile.fields.map {
            Field(
                name: $0.name, title: $0.title, expected: $0.expected, isSecret: $0.isSecret,
                defaultText: $0.defaultText)
        }
    }
}

/// One card to be made.
public struct NewCardJobMessage: Codable, Sendable {
    public var profile: String
    public var issuer: String
    public var reader: String
    public var batch: String?
    public var data: [String: String]

    public init(profile: String, issuer: String, reader: String, batch: String?, data: [String: String]) {
        self.profile = profile
        self.issuer = issuer
        self.reader = reader
        self.batch = batch
        self.data = data
    }
}

/// The number of a job that has begun.
public struct CardJobNumberMessage: Codable, Sendable {
    public var id: Int64
}

/// Where the card of an interrupted job is now; `data` repeats secret fields after a restart of the server.
public struct ContinueMessage: Codable, Sendable {
    public var reader: String
    public var data: [String: String]?

    public init(reader: String, data: [String: String]?) {
        self.reader = reader
        self.data = data
    }
}

/// Why a card is thrown away.
public struct ScrapMessage: Codable, Sendable {
    public var reason: String

    public init(reason: String) { self.reason = reason }
}

/// A delivery of blanks.
public struct DeliveryMessage: Codable, Sendable {
    public var kind: String
    public var batch: String?
    public var count: Int

    public init(kind: String, batch: String?, count: Int) {
        self.kind = kind
        self.batch = batch
        self.count = count
    }
}
