public import NIOCore

/// NC: are you there, with which LMK and which software? No fields.
public struct DiagnosticsRequest: HostCommand {
    public typealias Reply = DiagnosticsReply
    public static let code = HostCommandCode.diagnostics

    public init() {}
    public init(from reader: inout FieldReader) throws(FieldError) {}
    public func write(into buffer: inout ByteBuffer) {}
}

/// ND: LMK check value, 16 hexadecimal digits, and firmware, 9 characters such as `0001-E000`.
///
/// This project's LMK check value has six digits; the other ten are zeros.
public struct DiagnosticsReply: HostReplyFields {
    public let lmkCheckValue: String
    public let firmware: String

    /// Pads the check value with zeros, the firmware with spaces, and cuts what is too long.
    public init(lmkCheckValue: String, firmware: String) {
        self.lmkCheckValue = String((lmkCheckValue.uppercased() + String(repeating: "0", count: 16)).prefix(16))
        self.firmware = String((firmware + String(repeating: " ", count: 9)).prefix(9))
    }

    public init(from reader: inout FieldReader) throws(FieldError) {
        lmkCheckValue = try reader.hexadecimalText(16, .checkValue)
        firmware = try reader.printable(9, .firmware)
    }

    public func write(into buffer: inout ByteBuffer) {
        buffer.writeString(lmkCheckValue)
        buffer.writeString(firmware)
    }
}

/// B2: length, 4 hexadecimal digits, and that many bytes, which come back.
public struct EchoRequest: HostCommand {
    public typealias Reply = BytesReply
    public static let code = HostCommandCode.echo

    public let data: ByteBuffer

    public init(_ data: [UInt8]) {
        self.data = ByteBuffer(bytes: data)
    }

    public init(from reader: inout FieldReader) throws(FieldError) {
        let count = try reader.hexadecimal(digits: 4, .length)
        data = try reader.slice(Int(count), .data, .dataLength)
    }

    public func write(into buffer: inout ByteBuffer) {
        buffer.writeHexadecimal(UInt64(data.readableBytes), digits: 4)
        buffer.writeBytes(of: data)
    }
}

/// N0: how many random bytes, 3 decimal digits, 001 to 256; outside them error 01.
///
/// Layout taken from the open monitoring client payshield-pressure-test (`N0008`).
public struct RandomValueRequest: HostCommand {
    public typealias Reply = BytesReply
    public static let code = HostCommandCode.randomValue
    public static let counts = 1...256

    public let count: Int

    public init(count: Int) throws(FieldError) {
        guard Self.counts.contains(count) else { throw FieldError(.randomValueLength, in: .count) }
        self.count = count
    }

    public init(from reader: inout FieldReader) throws(FieldError) {
        try self.init(count: try reader.decimal(digits: 3, .count))
    }

    public func write(into buffer: inout ByteBuffer) {
        buffer.writeDecimal(count, digits: 3)
    }
}

/// An answer that is nothing but bytes: those echoed by B3, the random ones of N1.
public struct BytesReply: HostReplyFields {
    public let data: ByteBuffer

    public init(_ data: ByteBuffer) {
        self.data = data
    }

    public init(_ bytes: [UInt8]) {
        data = ByteBuffer(bytes: bytes)
    }

    public init(from reader: inout FieldReader) throws(FieldError) {
        data = reader.all()
    }

    public func write(into buffer: inout ByteBuffer) {
        buffer.writeBytes(of: data)
    }

    public var bytes: [UInt8] { Array(data.readableBytesView) }
}
