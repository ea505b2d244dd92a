public import NIOCore

/// How a message names a key: a key block, the label of a stored key, or a cryptogram of the old variant schemes.
///
/// On the wire (docs/protocol.md §4):
/// `S` + X9.143 key block under the LMK, `R` + X9.143 key block under a transport key, `L` + two decimal digits + label,
/// `U`/`X` + 32 hexadecimal digits, `T`/`Y` + 48, `Z` + 16, or 16 digits with no letter. The variant forms are read so that
/// a server can refuse them with a proper code; this project stores none.
///
/// `text` is a slice of the message it came from: a cache that outlives the message keeps `detached`.
public struct HostKeyReference: Sendable, Hashable {
    public let form: Form
    /// What follows the letter (and, for a label, its length): block text, label or hexadecimal digits.
    public let text: ByteBuffer

    /// The leading letter, or `single` for none.
    public enum Form: UInt8, Sendable, Hashable, CaseIterable {
        case lmkBlock = 0x53  // S
        case transportBlock = 0x52  // R
        case label = 0x4C  // L
        case doubleVariant = 0x55  // U
        case tripleVariant = 0x54  // T
        case doubleX917 = 0x58  // X
        case tripleX917 = 0x59  // Y
        case singleVariant = 0x5A  // Z
        case single = 0x00

        /// True for the schemes of the past: bare cryptograms without a header.
        public var isVariant: Bool {
            switch self {
            case .lmkBlock, .transportBlock, .label: false
            default: true
            }
        }

        var variantDigits: Int {
            switch self {
            case .doubleVariant, .doubleX917: 32
            case .tripleVariant, .tripleX917: 48
            default: 16
            }
        }
    }

    /// The longest block read: four decimal digits of length.
    public static let maximumBlockLength = 9999
    public static let maximumLabelLength = 99

    init(form: Form, text: ByteBuffer) {
        self.form = form
        self.text = text
    }

    /// An X9.143 key block under the LMK, without its `S`. Throws `keyBlockFormat` when it is not one.
    public static func lmkBlock(_ block: String) throws(FieldError) -> HostKeyReference {
        try HostKeyReference(parsing: "S" + block)
    }

    /// An X9.143 key block under a transport key, without its `R`.
    public static func transportBlock(_ block: String) throws(FieldError) -> HostKeyReference {
        try HostKeyReference(parsing: "R" + block)
    }

    /// A stored key by `issuer/product/label`, its version in force, or `issuer/product/label/NN`, that version.
    public static func label(_ label: String) throws(FieldError) -> HostKeyReference {
        let count = label.utf8.count
        guard (1...maximumLabelLength).contains(count) else { throw FieldError(.inputData, in: .key) }
        return try HostKeyReference(parsing: "L\(count < 10 ? "0" : "")\(count)\(label)")
    }

    /// A key reference exactly as it stands in a message, for example `L15acme/purse/load` or `U…`.
    public init(parsing wire: String) throws(FieldError) {
        var reader = FieldReader(ByteBuffer(string: wire))
        self = try reader.key(.key)
        try reader.end()
    }

    /// The same key with bytes of its own, so that keeping it does not keep the whole read it came from.
    public var detached: HostKeyReference {
        HostKeyReference(form: form, text: ByteBuffer(bytes: text.readableBytesView))
    }

    /// The block text; nil for other forms.
    public var block: [UInt8]? {
        switch form {
        case .lmkBlock, .transportBlock: Array(text.readableBytesView)
        default: nil
        }
    }

    /// The label's parts; nil for other forms.
    public var label: HostKeyLabel? {
        form == .label ? HostKeyLabel(text) : nil
    }

    /// The key as it stands in a message.
    public var wireText: String {
        var buffer = ByteBuffer()
        buffer.writeKey(self)
        return String(buffer: buffer)
    }
}

/// The name of a stored key: issuer, key product, label, and a version when it is not the one in force.
public struct HostKeyLabel: Sendable, Hashable {
    public let issuer: String
    public let product: String
    public let label: String
    /// 0 to 99; nil for the version in force.
    public let version: Int?

    /// Reads `issuer/product/label` or `issuer/product/label/NN`; nil when a part is empty or has a character outside
    /// X'21' to X'7E', or when NN is not two digits.
    public init?(_ text: String) {
        self.init(ByteBuffer(string: text))
    }

    init?(_ text: ByteBuffer) {
        guard Self.isLabel(text) else { return nil }
        let parts = String(buffer: text).split(separator: "/")
        issuer = String(parts[0])
        product = String(parts[1])
        label = String(parts[2])
        version = parts.count == 4 ? Int(parts[3]) : nil
    }

    /// The rule above without making a string: it is checked for every request that names a label.
    static func isLabel(_ text: ByteBuffer) -> Bool {
        let span = text.readableBytesUInt8Span
        var parts = 1
        var start = 0
        for index in span.indices {
            guard (0x21...0x7E).contains(span[index]) else { return false }
            guard span[index] == UInt8(ascii: "/") else { continue }
            guard index > start else { return false }
            parts += 1
            start = index + 1
        }
        let last = span.count - start
        guard last > 0, parts == 4 else { return last > 0 && parts == 3 }
        return last == 2 && (start..<span.count).allSatisfy { (0x30...0x39).contains(span[$0]) }
    }
}

extension FieldReader {
    /// Takes one key in any of its forms; codes: 26 unknown letter, 83 not a key block, 15 the rest.
    mutating func key(_ field: FieldError.Field) throws(FieldError) -> HostKeyReference {
        guard let first = peek() else { throw FieldError(.inputData, in: field) }
        if Hexadecimal.value(of: first) != nil {
            return HostKeyReference(form: .single, text: try hexadecimalSlice(16, field))
        }
        guard let form = HostKeyReference.Form(rawValue: first), form != .single else {
            throw FieldError(.keyScheme, in: field)
        }
        _ = skip(first)
        switch form {
        case .lmkBlock, .transportBlock:
            return HostKeyReference(form: form, text: try keyBlock(field))
        case .label:
            let count = try decimal(digits: 2, field)
            let text = try slice(count, field)
            guard HostKeyLabel.isLabel(text) else { throw FieldError(.inputData, in: field) }
            return HostKeyReference(form: form, text: text)
        default:
            return HostKeyReference(form: form, text: try hexadecimalSlice(form.variantDigits, field))
        }
    }

    /// A key of EI, EW or EY: as any other, but a block of the older versions 0 and 1 holds the bytes of an RSA key as they are
    /// (wire.EW.req.1). It is read so that a server can refuse it by its own code.
    mutating func rsaKey(_ field: FieldError.Field) throws(FieldError) -> HostKeyReference {
        var ahead = self
        guard ahead.skip(HostKeyReference.Form.lmkBlock.rawValue), ahead.skip(0x30) || ahead.skip(0x31) else {
            return try key(field)
        }
        let length = try ahead.decimal(digits: 4, field, .keyBlockFormat)
        guard length >= 16 else { throw FieldError(.keyBlockFormat, in: field) }
        _ = skip(HostKeyReference.Form.lmkBlock.rawValue)
        return HostKeyReference(form: .lmkBlock, text: try slice(length, field, .keyBlockFormat))
    }

    /// A key block ends where its own header says: version 1, then its whole length in four decimal digits.
    private mutating func keyBlock(_ field: FieldError.Field) throws(FieldError) -> ByteBuffer {
        var ahead = self
        let version = try ahead.byte(field, .keyBlockFormat)
        let length = try ahead.decimal(digits: 4, field, .keyBlockFormat)
        guard Self.isKeyBlockVersion(version), length >= 16 else { throw FieldError(.keyBlockFormat, in: field) }
        let block = try slice(length, field, .keyBlockFormat)
        let span = block.readableBytesUInt8Span
        for index in span.indices where span[index] < 0x20 || span[index] > 0x7E {
            throw FieldError(.keyBlockFormat, in: field)
        }
        return block
    }

    private mutating func hexadecimalSlice(
        _ count: Int, _ field: FieldError.Field
    ) throws(FieldError) -> ByteBuffer {
        let text = try slice(count, field)
        guard Hexadecimal.isAllDigits(text) else { throw FieldError(.inputData, in: field) }
        return text
    }

    /// A to D are X9.143's; 0 and 1 are those of older security modules, which a server refuses by its own code.
    private static func isKeyBlockVersion(_ version: UInt8) -> Bool {
        switch version {
        case 0x41...0x44, 0x30, 0x31: true
        default: false
        }
    }
}

extension ByteBuffer {
    mutating func writeKey(_ key: HostKeyReference) {
        if key.form != .single { writeInteger(key.form.rawValue) }
        if key.form == .label { writeDecimal(key.text.readableBytes, digits: 2) }
        writeBytes(of: key.text)
    }
}
