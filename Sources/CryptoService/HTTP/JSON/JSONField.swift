/// One field of a JSON request or answer: the same table says how it is read, refused and documented.
struct JSONField: Sendable {
    indirect enum Kind: Sendable {
        /// Printable ASCII characters, X'20' to X'7E'; how many.
        case text(ClosedRange<Int>)
        /// The label of a stored key, or a key block under the LMK.
        case key
        /// Decimal digits, which are a name and no number: `0004` is not `4`; how many.
        case digits(ClosedRange<Int>)
        /// Bytes in hexadecimal digits of either case; how many bytes.
        case hexadecimal(ByteCount)
        case integer(ClosedRange<Int>)
        /// One of these numbers.
        case number([Int])
        case choice([String])
        case flag
        /// How many elements, and what each is.
        case list(ClosedRange<Int>, Kind)
        case object([JSONField])
    }

    /// How many bytes a hexadecimal field may stand for.
    struct ByteCount: Sendable {
        /// In rising order.
        let ranges: [ClosedRange<Int>]

        init(_ ranges: ClosedRange<Int>...) { self.ranges = ranges }

        var lowest: Int { ranges.first?.lowerBound ?? 0 }
        var highest: Int { ranges.last?.upperBound ?? 0 }

        func contains(_ count: Int) -> Bool { ranges.contains { $0.contains(count) } }
    }

    let name: String
    let kind: Kind
    let isRequired: Bool
    let about: String
    /// The name as it stands in a request.
    let bytes: [UInt8]

    init(_ name: String, _ kind: Kind, _ about: String, isRequired: Bool = true) {
        self.name = name
        self.kind = kind
        self.about = about
        self.isRequired = isRequired
        bytes = Array(name.utf8)
    }

    var optional: JSONField { JSONField(name, kind, about, isRequired: false) }

    /// The same field with other words.
    func about(_ text: String) -> JSONField { JSONField(name, kind, text, isRequired: isRequired) }
}
