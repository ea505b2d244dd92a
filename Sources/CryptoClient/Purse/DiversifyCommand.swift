public import NIOCore

/// YD: diversify a master key and give the card's key wrapped, never clear.
///
/// card key | scheme 1: `S` under the LMK, `R` and then a transport key || `%nn` | [`#` attributes of the result]. Answer YE: the
/// key as `S…` or `R…` | check value 6. Without attributes the server gives the result the attributes it keeps for such
/// keys.
public struct DiversifyKeyRequest: HostCommand {
    public typealias Reply = KeyReply
    public static let code = HostCommandCode.diversifyKey

    public var key: CardKey
    /// Nil: under the LMK.
    public var transportKey: HostKeyReference?
    public var attributes: HostKeyAttributes?

    public init(key: CardKey, transportKey: HostKeyReference? = nil, attributes: HostKeyAttributes? = nil) {
        self.key = key
        self.transportKey = transportKey
        self.attributes = attributes
    }

    public init(from reader: inout FieldReader) throws(FieldError) {
        key = try reader.cardKey()
        switch try reader.choice(.keyScheme, .keyScheme, as: KeyScheme.self) {
        case .keyBlock: transportKey = nil
        case .transportBlock: transportKey = try reader.key(.transportKey)
        default: throw FieldError(.keyScheme, in: .keyScheme)
        }
    }

    public func write(into buffer: inout ByteBuffer) {
        buffer.writeCardKey(key)
        buffer.writeInteger((transportKey == nil ? KeyScheme.keyBlock : .transportBlock).rawValue)
        if let transportKey { buffer.writeKey(transportKey) }
    }

    public mutating func readOptions(from reader: inout FieldReader) throws(FieldError) {
        attributes = try reader.keyAttributes()
    }

    public func writeOptions(into buffer: inout ByteBuffer) {
        buffer.writeKeyAttributes(attributes)
    }
}
