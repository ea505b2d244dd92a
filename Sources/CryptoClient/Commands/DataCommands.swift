public import NIOCore

/// The two digits of mode of M0, M2 and M4.
public enum HostCipherMode: UInt8, Sendable, Hashable, CaseIterable {
    /// `00`: every block by itself.
    case ecb = 0
    /// `01`: chained, with an initial vector.
    case cbc = 1
}

/// What M0 and M2 have in common.
///
/// mode 2 (`00` ECB, `01` CBC) | format of the message 1 | format of the answer 1 | key type 3 | key | [IV 16 or 32 hexadecimal digits,
/// only in CBC] | length 4 hexadecimal digits | message. Codes: 02 mode, 03 and 04 formats, 05 key type, 06 length not hexadecimal, 80
/// length and message disagree.
public struct HostCipherFields: Sendable {
    public var mode: HostCipherMode
    public var outputFormat: HostDataFormat
    public var keyType: KeyTypeCode
    public var key: HostKeyReference
    /// One cipher block, 8 bytes (DES) or 16 (AES, SM4), in CBC; else empty.
    public var initialVector: [UInt8]
    /// Whole cipher blocks.
    public var message: HostMessage

    public init(
        mode: HostCipherMode = .ecb, outputFormat: HostDataFormat = .binary, keyType: KeyTypeCode = .keyBlock,
        key: HostKeyReference, initialVector: [UInt8] = [], message: HostMessage
    ) {
        self.mode = mode
        self.outputFormat = outputFormat
        self.keyType = keyType
        self.key = key
        self.initialVector = initialVector
        self.message = message
    }

    init(_ reader: inout FieldReader) throws(FieldError) {
        mode = try reader.cipherMode(.keyLengthForAlgorithm)
        let format = try reader.choice(.inputFormat, .inputFormat, as: HostDataFormat.self)
        outputFormat = try reader.choice(.outputFormat, .outputFormat)
        keyType = try reader.keyTypeCode(.macKeyType)
        key = try reader.key(.key)
        let form = MessageForm(format: format, macDigits: 0, macMayBeMissing: false)
        switch mode {
        case .ecb:
            initialVector = []
            message = try reader.message(form)
        case .cbc: (initialVector, message) = try reader.chainedMessage(form, widest: false)
        }
    }

    func write(into buffer: inout ByteBuffer) {
        buffer.writeDecimal(Int(mode.rawValue), digits: 2)
        buffer.writeInteger(message.format.rawValue)
        buffer.writeInteger(outputFormat.rawValue)
        buffer.writeHexadecimal(UInt64(keyType.rawValue), digits: 3)
        buffer.writeKey(key)
        if mode == .cbc { buffer.writeHexadecimal(of: initialVector) }
        buffer.writeMessage(message)
    }
}

/// M0: encipher data. Answer M1.
public struct EncryptDataRequest: HostCommand {
    public typealias Reply = CipheredDataReply
    public static let code = HostCommandCode.encryptData

    public var fields: HostCipherFields

    public init(_ fields: HostCipherFields) {
        self.fields = fields
    }

    public init(from reader: inout FieldReader) throws(FieldError) {
        fields = try HostCipherFields(&reader)
    }

    public func write(into buffer: inout ByteBuffer) {
        fields.write(into: &buffer)
    }
}

/// M2: decipher data. Answer M3.
public struct DecryptDataRequest: HostCommand {
    public typealias Reply = CipheredDataReply
    public static let code = HostCommandCode.decryptData

    public var fields: HostCipherFields

    public init(_ fields: HostCipherFields) {
        self.fields = fields
    }

    public init(from reader: inout FieldReader) throws(FieldError) {
        fields = try HostCipherFields(&reader)
    }

    public func write(into buffer: inout ByteBuffer) {
        fields.write(into: &buffer)
    }
}

/// M4: decipher data under one key and encipher it under another. Answer M5.
///
/// source mode 2 | destination mode 2 | format of the message 1 | format of the answer 1 | source key type 3 | source key | destination
/// key type 3 | destination key | [source IV] | [destination IV] | length 4 | message. Codes as in M0, and 07 destination mode, 08
/// destination key type.
public struct TranslateDataRequest: HostCommand {
    public typealias Reply = CipheredDataReply
    public static let code = HostCommandCode.translateData

    public var source: Side
    public var destination: Side
    public var outputFormat: HostDataFormat
    public var message: HostMessage

    /// One of the two keys and how it is used.
    public struct Side: Sendable, Hashable {
        public var mode: HostCipherMode
        public var keyType: KeyTypeCode
        public var key: HostKeyReference
        /// One cipher block in CBC; else empty.
        public var initialVector: [UInt8]

        public init(
            mode: HostCipherMode = .ecb, keyType: KeyTypeCode = .keyBlock, key: HostKeyReference,
            initialVector: [UInt8] = []
        ) {
            self.mode = mode
            self.keyType = keyType
            self.key = key
            self.initialVector = initialVector
        }

        /// How many digits its vector may have.
        fileprivate var vectorDigits: [Int] { mode == .cbc ? [16, 32] : [0] }
    }

    public init(source: Side, destination: Side, outputFormat: HostDataFormat = .binary, message: HostMessage) {
        self.source = source
        self.destination = destination
        self.outputFormat = outputFormat
        self.message = message
    }

    public init(from reader: inout FieldReader) throws(FieldError) {
        let sourceMode = try reader.cipherMode(.keyLengthForAlgorithm)
        let destinationMode = try reader.cipherMode(.destinationMode)
        let format = try reader.choice(.inputFormat, .inputFormat, as: HostDataFormat.self)
        outputFormat = try reader.choice(.outputFormat, .outputFormat)
        let sourceType = try reader.keyTypeCode(.macKeyType)
        source = Side(mode: sourceMode, keyType: sourceType, key: try reader.key(.key))
        let destinationType = try reader.keyTypeCode(.destinationKeyType)
        destination = Side(mode: destinationMode, keyType: destinationType, key: try reader.key(.destinationKey))
        let form = MessageForm(format: format, macDigits: 0, macMayBeMissing: false)
        (source.initialVector, destination.initialVector, message) = try reader.vectorsAndMessage(
            form, source.vectorDigits, destination.vectorDigits)
    }

    public func write(into buffer: inout ByteBuffer) {
        buffer.writeDecimal(Int(source.mode.rawValue), digits: 2)
        buffer.writeDecimal(Int(destination.mode.rawValue), digits: 2)
        buffer.writeInteger(message.format.rawValue)
        buffer.writeInteger(outputFormat.rawValue)
        for side in [source, destination] {
            buffer.writeHexadecimal(UInt64(side.keyType.rawValue), digits: 3)
            buffer.writeKey(side.key)
        }
        for side in [source, destination] where side.mode == .cbc { buffer.writeHexadecimal(of: side.initialVector) }
        buffer.writeMessage(message)
    }
}

/// M1, M3, M5: [IV that continues the message, 16 or 32 hexadecimal digits, only in CBC] | length 4 hexadecimal digits | data.
///
/// The length counts what stands there: bytes of binary and text, digits of hexadecimal. Whether a vector stands before it
/// follows from the request, so the fields are taken apart when the request is known.
public struct CipheredDataReply: HostReplyFields {
    /// The answer's fields as they stand.
    public let field: ByteBuffer

    public init(nextVector: [UInt8] = [], data: [UInt8], format: HostDataFormat = .binary) {
        var field = ByteBuffer()
        field.writeHexadecimal(of: nextVector)
        field.writeMessage(HostMessage(data, format: format))
        self.field = field
    }

    public init(from reader: inout FieldReader) throws(FieldError) {
        field = reader.all()
    }

    public func write(into buffer: inout ByteBuffer) {
        buffer.writeBytes(of: field)
    }

    /// The data, and in CBC the vector for the next part; `vectorLength` is the length of the vector that the request had
    /// (M4: the destination's), zero for ECB. Throws 15 or 80 when they are not there.
    public func content(
        vectorLength: Int, format: HostDataFormat
    ) throws(FieldError) -> (nextVector: [UInt8], data: [UInt8]) {
        var reader = FieldReader(field)
        let vector = try reader.block(digits: 2 * vectorLength)
        let announced = Int(try reader.hexadecimal(digits: 4, .length, .messageLength))
        guard announced == reader.remaining else { throw FieldError(.dataLength, in: .data) }
        let message = HostMessage(format: format, field: reader.all())
        guard format != .hexadecimal || Hexadecimal.decode(message.field) != nil else {
            throw FieldError(.inputData, in: .data)
        }
        return (vector, Array(message.content.readableBytesView))
    }
}

extension FieldReader {
    fileprivate mutating func cipherMode(_ code: HostErrorCode) throws(FieldError) -> HostCipherMode {
        let number = try decimal(digits: 2, .mode, code)
        guard let mode = HostCipherMode(rawValue: UInt8(number)) else { throw FieldError(code, in: .mode) }
        return mode
    }

    /// Vectors of both sides and the message, with the lengths of vectors with which the frame ends where it ends.
    fileprivate mutating func vectorsAndMessage(
        _ form: MessageForm, _ first: [Int], _ second: [Int]
    ) throws(FieldError) -> (first: [UInt8], second: [UInt8], message: HostMessage) {
        var refusal: FieldError?
        for one in first {
            for other in second {
                var attempt = self
                do throws(FieldError) {
                    let vectors = (try attempt.block(digits: one), try attempt.block(digits: other))
                    let message = try attempt.message(form)
                    self = attempt
                    return (vectors.0, vectors.1, message)
                } catch {
                    refusal = refusal ?? error
                }
            }
        }
        throw refusal ?? FieldError(.inputData, in: .chainingValue)
    }
}
