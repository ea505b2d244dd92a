/// How the blocks of an enciphered message hang together.
public enum DataCipherMode: UInt8, Sendable, Hashable {
    case ecb = 0
    /// With an initial vector of one block of the key's cipher.
    case cbc = 1
}

/// Mode and initial vector of one side of a data command.
public struct DataCipher: WireValue, Hashable {
    public var mode: DataCipherMode
    /// One cipher block in CBC, empty in ECB.
    public var initialVector: [UInt8]

    public init(mode: DataCipherMode, initialVector: [UInt8] = []) {
        self.mode = mode
        self.initialVector = initialVector
    }

    public func write(to writer: inout WireWriter) {
        writer.u8(mode.rawValue)
        writer.bytes(initialVector)
    }

    public init(from reader: inout WireReader) throws(WireError) {
        guard let mode = DataCipherMode(rawValue: try reader.u8()) else { throw .valueInvalid }
        self.mode = mode
        initialVector = try reader.bytes()
    }
}

/// Data that went through a cipher.
public struct CipheredData: WireValue, Hashable {
    /// What continues the message as the next part's initial vector: the last block of cipher text. Empty in ECB.
    public var nextVector: [UInt8]
    public var data: [UInt8]

    public init(nextVector: [UInt8], data: [UInt8]) {
        self.nextVector = nextVector
        self.data = data
    }

    public func write(to writer: inout WireWriter) {
        writer.bytes(nextVector)
        writer.bytes(data)
    }

    public init(from reader: inout WireReader) throws(WireError) {
        nextVector = try reader.bytes()
        data = try reader.bytes()
    }
}

/// Enciphers whole blocks under a data key (usage D0); padding is the caller's.
public struct EncipherData: ModuleCommand {
    public typealias Reply = CipheredData
    public static let code = CommandCode.encipherData
    public var key: KeyReference
    public var cipher: DataCipher
    public var data: [UInt8]

    public init(key: KeyReference, cipher: DataCipher, data: [UInt8]) {
        self.key = key
        self.cipher = cipher
        self.data = data
    }

    public func write(to writer: inout WireWriter) {
        key.write(to: &writer)
        cipher.write(to: &writer)
        writer.bytes(data)
    }

    public init(from reader: inout WireReader) throws(WireError) {
        key = try KeyReference(from: &reader)
        cipher = try DataCipher(from: &reader)
        data = try reader.bytes()
    }
}

/// The way back.
public struct DecipherData: ModuleCommand {
    public typealias Reply = CipheredData
    public static let code = CommandCode.decipherData
    public var key: KeyReference
    public var cipher: DataCipher
    public var data: [UInt8]

    public init(key: KeyReference, cipher: DataCipher, data: [UInt8]) {
        self.key = key
        self.cipher = cipher
        self.data = data
    }

    public func write(to writer: inout WireWriter) {
        key.write(to: &writer)
        cipher.write(to: &writer)
        writer.bytes(data)
    }

    public init(from reader: inout WireReader) throws(WireError) {
        key = try KeyReference(from: &reader)
        cipher = try DataCipher(from: &reader)
        data = try reader.bytes()
    }
}

/// Deciphers under one data key and enciphers under another: the plain data does not leave the module.
///
/// The data must be whole blocks of both ciphers. `nextVector` of the reply is the destination's; the source's is the last
/// block of the data sent.
public struct TranslateData: ModuleCommand {
    public typealias Reply = CipheredData
    public static let code = CommandCode.translateData
    public var source: KeyReference
    public var sourceCipher: DataCipher
    public var destination: KeyReference
    public var destinationCipher: DataCipher
    public var data: [UInt8]

    public init(
        source: KeyReference, sourceCipher: DataCipher, destination: KeyReference, destinationCipher: DataCipher,
        data: [UInt8]
    ) {
        self.source = source
        self.sourceCipher = sourceCipher
        self.destination = destination
        self.destinationCipher = destinationCipher
        self.data = data
    }

    public func write(to writer: inout WireWriter) {
        source.write(to: &writer)
        sourceCipher.write(to: &writer)
        destination.write(to: &writer)
        destinationCipher.write(to: &writer)
        writer.bytes(data)
    }

    public init(from reader: inout WireReader) throws(WireError) {
        source = try KeyReference(from: &reader)
        sourceCipher = try DataCipher(from: &reader)
        destination = try KeyReference(from: &reader)
        destinationCipher = try DataCipher(from: &reader)
        data = try reader.bytes()
    }
}
