public import NIOCore

/// What may stand after the last field of any request: `%` and the number of an LMK, and X'19' with a trailer.
///
/// The trailer, at most 32 bytes, comes back unchanged at the end of the answer, behind X'19' again; the LMK
/// identifier does not. Binary fields may hold the bytes X'25' and X'19' themselves, so the end is never searched for:
/// it is what is left when the command's own fields have been taken.
public struct MessageEnd: Hashable, Sendable {
    /// The LMK the request is for, 0 to 99; nil for the only or default one.
    public var lmkIdentifier: UInt8?
    /// The trailer without its X'19'; nil when the request had none. Empty is allowed.
    public var trailer: ByteBuffer?

    public static let trailerMark: UInt8 = 0x19
    public static let lmkMark = UInt8(ascii: "%")
    public static let maximumTrailerLength = 32

    public init(lmkIdentifier: UInt8? = nil, trailer: ByteBuffer? = nil) {
        self.lmkIdentifier = lmkIdentifier
        self.trailer = trailer
    }

    /// No LMK identifier and no trailer.
    public static let none = MessageEnd()
}

extension FieldReader {
    mutating func lmkIdentifier() throws(FieldError) -> UInt8? {
        guard skip(MessageEnd.lmkMark) else { return nil }
        return UInt8(try decimal(digits: 2, .lmkIdentifier, .lmkIdentifier))
    }

    mutating func trailer() throws(FieldError) -> ByteBuffer? {
        guard skip(MessageEnd.trailerMark) else { return nil }
        guard remaining <= MessageEnd.maximumTrailerLength else { throw FieldError(.dataLength, in: .trailer) }
        return all()
    }

    mutating func messageEnd() throws(FieldError) -> MessageEnd {
        let end = MessageEnd(lmkIdentifier: try lmkIdentifier(), trailer: try trailer())
        try self.end()
        return end
    }
}

extension ByteBuffer {
    mutating func writeLMKIdentifier(_ identifier: UInt8?) {
        guard let identifier else { return }
        writeInteger(MessageEnd.lmkMark)
        writeDecimal(Int(identifier), digits: 2)
    }

    mutating func writeTrailer(_ trailer: ByteBuffer?) {
        guard let trailer else { return }
        writeInteger(MessageEnd.trailerMark)
        writeBytes(of: trailer)
    }
}
