/// What is wrong with the clear part of a key block.
public enum KeyBlockHeaderError: Error, Sendable, Hashable {
    case tooShort
    case notPrintable
    case versionUnknown
    /// The stated length is not a number or not the block's length.
    case lengthMismatch
    case fieldInvalid
    case optionalBlocksMalformed
}

extension KeyBlockHeader {
    /// Reads the header of a whole block (length checked) given as ASCII characters.
    public init(parsing block: [UInt8]) throws(KeyBlockHeaderError) {
        guard block.count >= Self.fixedLength else { throw .tooShort }
        guard block.count <= Self.maximumBlockLength else { throw .lengthMismatch }
        for byte in block where !(0x20...0x7E).contains(byte) { throw .notPrintable }
        func text(_ from: Int, _ count: Int) -> String { String(decoding: block[from..<from + count], as: UTF8.self) }
        func character(_ at: Int) -> Character { Character(UnicodeScalar(block[at])) }
        guard let version = Version(rawValue: character(0)) else { throw .versionUnknown }
        guard let length = Self.decimal(block[1..<5]), length == block.count else { throw .lengthMismatch }
        guard let count = Self.decimal(block[12..<14]), block[14] == 0x30, block[15] == 0x30 else {
            throw .fieldInvalid
        }
        self.version = version
        blockLength = length
        usageText = text(5, 2)
        algorithmCharacter = character(7)
        modeCharacter = character(8)
        keyVersionText = text(9, 2)
        exportabilityCharacter = character(11)
        var optional: [OptionalBlock] = []
        var offset = Self.fixedLength
        for _ in 0..<count {
            let (field, next) = try Self.optionalBlock(in: block, at: offset)
            optional.append(field)
            offset = next
        }
        optionalBlocks = optional
        headerLength = offset
        guard offset % cipherBlockLength == 0 || optional.isEmpty else { throw .optionalBlocksMalformed }
    }

    public init(parsing block: String) throws(KeyBlockHeaderError) { try self.init(parsing: Array(block.utf8)) }

    /// One optional block: id 2 | length 2 hex (of the whole field) | data; length `00` announces an extended length
    /// (length-of-length 2 hex, then that many hex digits).
    private static func optionalBlock(
        in block: [UInt8], at offset: Int
    ) throws(KeyBlockHeaderError) -> (OptionalBlock, Int) {
        guard offset + 4 <= block.count, let short = hexadecimal(block[offset + 2..<offset + 4]) else {
            throw .optionalBlocksMalformed
        }
        var dataStart = offset + 4
        var length = short
        if short == 0 {
            guard offset + 6 <= block.count, let digits = hexadecimal(block[offset + 4..<offset + 6]), digits == 4,
                offset + 10 <= block.count, let long = hexadecimal(block[offset + 6..<offset + 10])
            else { throw .optionalBlocksMalformed }
            dataStart = offset + 10
            length = long
        }
        guard length >= dataStart - offset, offset + length <= block.count else { throw .optionalBlocksMalformed }
        let id = String(decoding: block[offset..<offset + 2], as: UTF8.self)
        let data = String(decoding: block[dataStart..<offset + length], as: UTF8.self)
        return (OptionalBlock(id: id, data: data), offset + length)
    }

    /// The header's characters for a block whose cipher text and MAC take `bodyLength` characters; a `PB` field pads the
    /// optional blocks to whole cipher blocks. Nil where the block would not fit four digits or a field its length.
    public func serialised(bodyLength: Int) -> [UInt8]? {
        var fields: [UInt8] = []
        var count = 0
        for block in optionalBlocks where block.id != "PB" {
            guard let field = Self.serialise(block) else { return nil }
            fields += field
            count += 1
        }
        if count > 0, fields.count % cipherBlockLength != 0 {
            var padding = cipherBlockLength - fields.count % cipherBlockLength
            if padding < 4 { padding += cipherBlockLength }
            let filler = OptionalBlock(id: "PB", data: String(repeating: "0", count: padding - 4))
            guard let field = Self.serialise(filler) else { return nil }
            fields += field
            count += 1
        }
        let total = Self.fixedLength + fields.count + bodyLength
        guard total <= Self.maximumBlockLength, count <= 99, usageText.utf8.count == 2, keyVersionText.utf8.count == 2
        else { return nil }
        let head =
            "\(version.rawValue)\(Self.digits(total, 4))\(usageText)\(algorithmCharacter)\(modeCharacter)"
            + "\(keyVersionText)\(exportabilityCharacter)\(Self.digits(count, 2))00"
        return Array(head.utf8) + fields
    }

    private static func serialise(_ block: OptionalBlock) -> [UInt8]? {
        let data = Array(block.data.utf8)
        guard block.id.utf8.count == 2, data.count + 4 <= 255 else { return nil }
        let length = UInt8(data.count + 4)
        return Array(block.id.utf8) + [Hex.digit(length >> 4), Hex.digit(length & 15)] + data
    }

    private static func digits(_ value: Int, _ width: Int) -> String {
        let text = String(value)
        return String(repeating: "0", count: max(0, width - text.utf8.count)) + text
    }

    private static func decimal(_ digits: ArraySlice<UInt8>) -> Int? {
        var value = 0
        for digit in digits {
            guard (0x30...0x39).contains(digit) else { return nil }
            value = value * 10 + Int(digit - 0x30)
        }
        return value
    }

    private static func hexadecimal(_ digits: ArraySlice<UInt8>) -> Int? {
        var value = 0
        for digit in digits {
            guard let nibble = Hex.value(digit) else { return nil }
            value = value << 4 | Int(nibble)
        }
        return value
    }
}
