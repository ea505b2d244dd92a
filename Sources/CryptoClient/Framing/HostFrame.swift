public import NIOCore

/// One message on the wire without its length: client header, command, and the fields as they came.
///
/// Frame on the wire: length 2 (big-endian, of what follows) | header n | command 2 | body. All three parts are slices of
/// the read they came from.
public struct HostFrame: Sendable, Hashable {
    /// Chosen by the client, echoed by the server; its length is agreed beforehand.
    public var header: ByteBuffer
    public var command: HostCommandCode
    public var body: ByteBuffer

    public init(header: ByteBuffer, command: HostCommandCode, body: ByteBuffer) {
        self.header = header
        self.command = command
        self.body = body
    }

    /// The value of the two length bytes.
    public var length: Int { header.readableBytes + 2 + body.readableBytes }

    /// Appends the frame with its length; throws `oversized` when it does not fit in two bytes of length.
    public func write(into buffer: inout ByteBuffer) throws(FrameError) {
        guard length <= HostFrameFormat.largestLength else {
            throw .oversized(length: length, limit: HostFrameFormat.largestLength)
        }
        buffer.writeInteger(UInt16(length))
        buffer.writeBytes(of: header)
        buffer.writeInteger(command.rawValue)
        buffer.writeBytes(of: body)
    }
}

/// What both ends must agree on before the first byte, with the limit of the reader.
public struct HostFrameFormat: Sendable, Hashable {
    /// The most that two bytes of length can say.
    public static let largestLength = 65_535

    /// Bytes of client header, 0 to 255; 4 unless agreed otherwise.
    public let headerLength: Int
    /// The longest frame taken, at most 65,535; a longer one ends the connection.
    public let maximumLength: Int

    /// Values outside the ranges above are moved to the nearest one inside.
    public init(headerLength: Int = 4, maximumLength: Int = HostFrameFormat.largestLength) {
        self.headerLength = min(max(headerLength, 0), 255)
        self.maximumLength = min(max(maximumLength, self.headerLength + 2), Self.largestLength)
    }
}

/// Why bytes are not a frame.
public enum FrameError: Error, Sendable, Hashable {
    /// Length zero: no header, no command. The two bytes have been taken and reading may go on.
    case empty
    /// Shorter than header and command; the frame has been taken and reading may go on.
    case shorterThanHeader(length: Int)
    /// Longer than the limit: the stream cannot be followed any more.
    case oversized(length: Int, limit: Int)
    /// The stream ended inside a frame.
    case truncated(missing: Int)

    /// True when the connection has to be closed, false when only this frame is lost.
    public var endsConnection: Bool {
        switch self {
        case .empty, .shorterThanHeader: false
        case .oversized, .truncated: true
        }
    }
    /// The code to answer with: 51 where there is no header to speak of, 80 where the length is wrong.
    public var code: HostErrorCode {
        switch self {
        case .empty, .shorterThanHeader: .messageHeader
        case .oversized, .truncated: .dataLength
        }
    }
}
