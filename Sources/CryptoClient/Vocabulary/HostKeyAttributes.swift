import NIOCore

/// What a new key shall be, as `#` and the attributes of a key block header.
///
/// `#` | usage 2 | algorithm 2 | mode of use 1 | key version number 2 | exportability 1 | number of optional blocks 2 | blocks,
/// each id 2 | length 2 hexadecimal digits (of the whole block) | data. Source: wire.A0.req.2 `#K0T2B00E00`.
/// Algorithm is the header's letter and the length: `T2`, `T3`, `A1` (128), `A2` (192), `A3` (256), `D1`, and `41` for SM4 (ours).
public struct HostKeyAttributes: Sendable, Hashable {
    public var usage: String
    public var algorithm: String
    public var modeOfUse: String
    public var version: String
    public var exportability: String
    public var optionalBlocks: [OptionalBlock]

    /// One optional block: two characters of name and printable data.
    public struct OptionalBlock: Sendable, Hashable {
        public var id: String
        public var data: String

        public init(id: String, data: String) {
            self.id = id
            self.data = data
        }
    }

    /// Throws A6 to AC for an attribute that cannot stand in a header.
    public init(
        usage: String, algorithm: String, modeOfUse: String, version: String = "00", exportability: String = "N",
        optionalBlocks: [OptionalBlock] = []
    ) throws(FieldError) {
        self.usage = usage
        self.algorithm = algorithm
        self.modeOfUse = modeOfUse
        self.version = version
        self.exportability = exportability
        self.optionalBlocks = optionalBlocks
        var buffer = ByteBuffer()
        buffer.writeKeyAttributes(self)
        var reader = FieldReader(buffer)
        guard try reader.keyAttributes() == self else { throw FieldError(.optionalBlock, in: .keyAttributes) }
    }

    fileprivate init(_ reader: inout FieldReader) throws(FieldError) {
        usage = try reader.alphanumeric(2, .keyAttributes, .keyUsage)
        algorithm = try reader.alphanumeric(2, .keyAttributes, .algorithm)
        modeOfUse = try reader.alphanumeric(1, .keyAttributes, .modeOfUse)
        version = try reader.alphanumeric(2, .keyAttributes, .keyVersion)
        exportability = try reader.exportability(.keyAttributes)
        optionalBlocks = try reader.optionalBlocks()
    }
}

extension FieldReader {
    static let attributesMark = UInt8(ascii: "#")
    static let exportabilityMark = UInt8(ascii: "&")

    /// `#` and attributes, if they stand here.
    mutating func keyAttributes() throws(FieldError) -> HostKeyAttributes? {
        guard skip(Self.attributesMark) else { return nil }
        return try HostKeyAttributes(&self)
    }

    /// Their number in two decimal digits, then the blocks.
    mutating func optionalBlocks() throws(FieldError) -> [HostKeyAttributes.OptionalBlock] {
        let count = try decimal(digits: 2, .keyAttributes, .optionalBlockCount)
        var blocks: [HostKeyAttributes.OptionalBlock] = []
        for _ in 0..<count {
            let id = try alphanumeric(2, .keyAttributes, .optionalBlock)
            let length = Int(try hexadecimal(digits: 2, .keyAttributes, .optionalBlock))
            guard length >= 4 else { throw FieldError(.optionalBlock, in: .keyAttributes) }
            let data = try printable(length - 4, .keyAttributes, .optionalBlock)
            blocks.append(HostKeyAttributes.OptionalBlock(id: id, data: data))
        }
        return blocks
    }

    /// E, N or S.
    mutating func exportability(_ field: FieldError.Field) throws(FieldError) -> String {
        let letter = try byte(field, .exportability)
        guard [UInt8(ascii: "E"), UInt8(ascii: "N"), UInt8(ascii: "S")].contains(letter) else {
            throw FieldError(.exportability, in: field)
        }
        return String(UnicodeScalar(letter))
    }
}

extension ByteBuffer {
    mutating func writeKeyAttributes(_ attributes: HostKeyAttributes?) {
        guard let attributes else { return }
        writeInteger(FieldReader.attributesMark)
        writeString(attributes.usage + attributes.algorithm + attributes.modeOfUse)
        writeString(attributes.version + attributes.exportability)
        writeOptionalBlocks(attributes.optionalBlocks)
    }

    mutating func writeOptionalBlocks(_ blocks: [HostKeyAttributes.OptionalBlock]) {
        writeDecimal(blocks.count, digits: 2)
        for block in blocks {
            writeString(block.id)
            writeHexadecimal(UInt64(block.data.utf8.count + 4), digits: 2)
            writeString(block.data)
        }
    }
}
