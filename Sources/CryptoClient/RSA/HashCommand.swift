public import NIOCore

/// GM: the digest of a block of data.
///
/// hash identifier 2 | length 5 decimal digits | data. Source: wire.GM.req.0, wire.GM.req.1. Codes: 05 identifier, 80 length.
public struct HashRequest: HostCommand {
    /// GN: the digest, 16 to 64 bytes.
    public typealias Reply = BytesReply
    public static let code = HostCommandCode.hash

    public var hash: HostHash
    public var data: ByteBuffer

    /// Throws 80 for more data than a frame holds.
    public init(_ hash: HostHash, data: [UInt8]) throws(FieldError) {
        guard data.count < HostFrameFormat.largestLength else { throw FieldError(.dataLength, in: .data) }
        self.hash = hash
        self.data = ByteBuffer(bytes: data)
    }

    public init(from reader: inout FieldReader) throws(FieldError) {
        hash = try reader.pair(.hash, .hashIdentifier)
        let count = try reader.decimal(digits: 5, .length)
        data = try reader.slice(count, .data, .dataLength)
    }

    public func write(into buffer: inout ByteBuffer) {
        buffer.writeString(hash.rawValue)
        buffer.writeDecimal(data.readableBytes, digits: 5)
        buffer.writeBytes(of: data)
    }
}
