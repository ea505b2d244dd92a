/// How a MAC is calculated.
public enum MACAlgorithm: UInt8, Sendable, Hashable, CaseIterable {
    /// ISO 9797-1 algorithm 1: CBC-MAC (X9.9 with a DES key; every block triple with a TDES key; also AES and SM4).
    case algorithm1 = 1
    /// ISO 9797-1 algorithm 3: CBC-MAC with the left half, last block also with the right (X9.19, retail MAC).
    case algorithm3 = 3
    /// ISO 9797-1 algorithm 5: CMAC (SP 800-38B).
    case cmac = 5
    /// UnionPay POS "ECB" MAC of field 64 (facts 5.3).
    case unionPayECB = 16
}

/// How a message is filled up to whole blocks (ISO 9797-1 clause 6.3).
public enum MACPadding: UInt8, Sendable, Hashable, CaseIterable {
    /// The message is whole blocks already.
    case none = 0
    /// Zeros, none if aligned.
    case method1 = 1
    /// `80`, then zeros, always.
    case method2 = 2
    /// A block with the length in bits before, zeros after.
    case method3 = 3
}

/// Calculates a MAC over a message, or over a part of one with the chaining value of the part before.
public struct GenerateMAC: ModuleCommand {
    public typealias Reply = MACValue
    public static let code = CommandCode.generateMAC
    public var key: KeyReference
    public var algorithm: MACAlgorithm
    public var padding: MACPadding
    /// Empty for zeros, else one cipher block.
    public var initialVector: [UInt8]
    /// Bytes of the result, 4 to the block length.
    public var length: UInt8
    /// False for the first and middle parts of a message: the reply is then the chaining value.
    public var isLast: Bool
    public var data: [UInt8]

    public init(
        key: KeyReference, algorithm: MACAlgorithm, padding: MACPadding, initialVector: [UInt8] = [], length: UInt8,
        isLast: Bool = true, data: [UInt8]
    ) {
        self.key = key
        self.algorithm = algorithm
        self.padding = padding
        self.initialVector = initialVector
        self.length = length
        self.isLast = isLast
        self.data = data
    }

    public func write(to writer: inout WireWriter) {
        key.write(to: &writer)
        writer.u8(algorithm.rawValue)
        writer.u8(padding.rawValue)
        writer.bytes(initialVector)
        writer.u8(length)
        writer.bool(isLast)
        writer.bytes(data)
    }

    public init(from reader: inout WireReader) throws(WireError) {
        key = try KeyReference(from: &reader)
        guard let algorithm = MACAlgorithm(rawValue: try reader.u8()),
            let padding = MACPadding(rawValue: try reader.u8())
        else { throw .valueInvalid }
        self.algorithm = algorithm
        self.padding = padding
        initialVector = try reader.bytes()
        length = try reader.u8()
        isLast = try reader.bool()
        data = try reader.bytes()
    }
}

/// A MAC or a chaining value; deliberately not `Equatable`: MACs are compared in the module, in constant time.
public struct MACValue: WireValue {
    public var bytes: [UInt8]
    public init(bytes: [UInt8]) { self.bytes = bytes }
    public func write(to writer: inout WireWriter) { writer.bytes(bytes) }
    public init(from reader: inout WireReader) throws(WireError) { bytes = try reader.bytes() }
}

/// Checks a MAC in constant time.
public struct VerifyMAC: ModuleCommand {
    public typealias Reply = Verdict
    public static let code = CommandCode.verifyMAC
    public var key: KeyReference
    public var algorithm: MACAlgorithm
    public var padding: MACPadding
    public var initialVector: [UInt8]
    public var data: [UInt8]
    /// As many bytes as were sent, at least 4.
    public var mac: [UInt8]

    public init(
        key: KeyReference, algorithm: MACAlgorithm, padding: MACPadding, initialVector: [UInt8] = [], data: [UInt8],
        mac: [UInt8]
    ) {
        self.key = key
        self.algorithm = algorithm
        self.padding = padding
        self.initialVector = initialVector
        self.data = data
        self.mac = mac
    }

    public func write(to writer: inout WireWriter) {
        key.write(to: &writer)
        writer.u8(algorithm.rawValue)
        writer.u8(padding.rawValue)
        writer.bytes(initialVector)
        writer.bytes(data)
        writer.bytes(mac)
    }

    public init(from reader: inout WireReader) throws(WireError) {
        key = try KeyReference(from: &reader)
        guard let algorithm = MACAlgorithm(rawValue: try reader.u8()),
            let padding = MACPadding(rawValue: try reader.u8())
        else { throw .valueInvalid }
        self.algorithm = algorithm
        self.padding = padding
        initialVector = try reader.bytes()
        data = try reader.bytes()
        mac = try reader.bytes()
    }
}

/// The outcome of a check that ran. "No" is an answer, not an error.
public enum Verdict: UInt8, WireValue, Hashable {
    case mismatch = 0
    case match = 1

    public func write(to writer: inout WireWriter) { writer.u8(rawValue) }
    public init(from reader: inout WireReader) throws(WireError) {
        guard let value = Verdict(rawValue: try reader.u8()) else { throw .valueInvalid }
        self = value
    }
}

/// A key's check value.
public struct CheckValue: ModuleCommand {
    public typealias Reply = KeyCheckValue
    public static let code = CommandCode.checkValue
    public var key: KeyReference
    public init(key: KeyReference) { self.key = key }
    public func write(to writer: inout WireWriter) { key.write(to: &writer) }
    public init(from reader: inout WireReader) throws(WireError) { key = try KeyReference(from: &reader) }
}

/// Random bytes from the module's generator, at most 1,024.
public struct RandomBytes: ModuleCommand {
    public typealias Reply = MACValue
    public static let code = CommandCode.randomBytes
    public var count: UInt16
    public init(count: UInt16) { self.count = count }
    public func write(to writer: inout WireWriter) { writer.u16(count) }
    public init(from reader: inout WireReader) throws(WireError) { count = try reader.u16() }
}

/// RSASSA-PKCS1-v1_5 with SHA-256 (RFC 8017 8.2) over a message, for audit checkpoints.
public struct Sign: ModuleCommand {
    public typealias Reply = MACValue
    public static let code = CommandCode.sign
    public var key: KeyReference
    public var message: [UInt8]
    public init(key: KeyReference, message: [UInt8]) {
        self.key = key
        self.message = message
    }
    public func write(to writer: inout WireWriter) {
        key.write(to: &writer)
        writer.bytes(message)
    }
    public init(from reader: inout WireReader) throws(WireError) {
        key = try KeyReference(from: &reader)
        message = try reader.bytes()
    }
}
