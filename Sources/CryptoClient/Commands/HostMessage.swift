public import NIOCore

/// How a message stands in a request or an answer.
public enum HostDataFormat: UInt8, Sendable, Hashable, CaseIterable {
    /// `0`: bytes.
    case binary = 0x30
    /// `1`: two hexadecimal digits a byte.
    case hexadecimal
    /// `2`: characters, taken as the bytes they are.
    case text
}

/// The message of a MAC or data command with its format: a slice of the request, turned into bytes only when asked.
public struct HostMessage: Sendable, Hashable {
    public let format: HostDataFormat
    /// The field as it stands in the request.
    public let field: ByteBuffer
    /// What the four digits of length count where the format is hexadecimal: clients differ (docs/protocol.md §6.8).
    public let lengthCountsBytes: Bool

    /// A binary message.
    public init(_ bytes: [UInt8]) {
        self.init(format: .binary, field: ByteBuffer(bytes: bytes))
    }

    /// Bytes to be sent in the given format; for text the bytes must be characters already.
    public init(_ bytes: [UInt8], format: HostDataFormat) {
        guard format == .hexadecimal else {
            self.init(format: format, field: ByteBuffer(bytes: bytes))
            return
        }
        var field = ByteBuffer()
        field.writeHexadecimal(of: bytes)
        self.init(format: format, field: field)
    }

    init(format: HostDataFormat, field: ByteBuffer, lengthCountsBytes: Bool = false) {
        self.format = format
        self.field = field
        self.lengthCountsBytes = lengthCountsBytes
    }

    /// How many bytes the message has.
    public var count: Int { format == .hexadecimal ? field.readableBytes / 2 : field.readableBytes }

    /// The bytes of the message: for binary and text the slice itself, without a copy.
    public var content: ByteBuffer {
        guard format == .hexadecimal else { return field }
        return ByteBuffer(bytes: Hexadecimal.decode(field) ?? [])
    }

    var lengthField: Int { lengthCountsBytes ? count : field.readableBytes }
}

/// The name from when only MAC commands had messages.
public typealias HostMACMessage = HostMessage

/// What decides how long a message may be: its format and how many digits of MAC follow it.
struct MessageForm {
    let format: HostDataFormat
    let macDigits: Int
    /// In parts that are not the last the MAC may be left out.
    let macMayBeMissing: Bool
}

extension FieldReader {
    /// Length and message. The length counts what is sent; for hexadecimal some clients count digits and some bytes
    /// (both are in the field's own samples), so the reading is taken that makes the frame end where it ends.
    mutating func message(_ form: MessageForm) throws(FieldError) -> HostMessage {
        let announced = Int(try hexadecimal(digits: 4, .length, .messageLength))
        if form.macMayBeMissing, let message = try message(form.format, announced, macDigits: 0) { return message }
        guard let message = try message(form.format, announced, macDigits: form.macDigits) else {
            throw FieldError(.dataLength, in: .data)
        }
        return message
    }

    private mutating func message(
        _ format: HostDataFormat, _ announced: Int, macDigits: Int
    ) throws(FieldError) -> HostMessage? {
        let isHexadecimal = format == .hexadecimal
        var length = announced
        var countsBytes = false
        if !isEnd(after: length + macDigits) {
            guard isHexadecimal, isEnd(after: 2 * announced + macDigits) else { return nil }
            length = 2 * announced
            countsBytes = true
        }
        let field = try slice(length, .data, .dataLength)
        guard !isHexadecimal || length.isMultiple(of: 2) && Hexadecimal.isAllDigits(field) else {
            throw FieldError(.inputData, in: .data)
        }
        return HostMessage(format: format, field: field, lengthCountsBytes: countsBytes)
    }

    /// A chaining value is one block of the key's cipher, which the reader cannot know from a label: the length is
    /// taken with which the rest fits, the algorithm's usual one first.
    mutating func chainedMessage(
        _ form: MessageForm, widest: Bool
    ) throws(FieldError) -> (chainingValue: [UInt8], message: HostMessage) {
        var refusal: FieldError?
        for digits in widest ? [32, 16] : [16, 32] {
            var attempt = self
            do throws(FieldError) {
                let value = try attempt.block(digits: digits)
                let message = try attempt.message(form)
                self = attempt
                return (value, message)
            } catch {
                refusal = refusal ?? error
            }
        }
        throw refusal ?? FieldError(.inputData, in: .chainingValue)
    }

    /// One cipher block in hexadecimal: a chaining value or initial vector.
    mutating func block(digits: Int) throws(FieldError) -> [UInt8] {
        let text = try slice(digits, .chainingValue)
        guard let value = Hexadecimal.decode(text) else { throw FieldError(.inputData, in: .chainingValue) }
        return value
    }
}

extension ByteBuffer {
    mutating func writeMessage(_ message: HostMessage) {
        writeHexadecimal(UInt64(message.lengthField), digits: 4)
        writeBytes(of: message.field)
    }
}
