public import NIOCore

// Values of requests that came by another way than a host command: made from buffers, without a copy.

extension HostKeyReference {
    /// The label of a stored key; nil where it is none or longer than a host command could carry.
    public init?(label text: ByteBuffer) {
        guard text.readableBytes <= Self.maximumLabelLength, HostKeyLabel.isLabel(text) else { return nil }
        self.init(form: .label, text: text)
    }
}

extension HostMACMessage {
    /// A binary message.
    public init(content: ByteBuffer) {
        self.init(format: .binary, field: content)
    }
}

extension HostMAC {
    /// A MAC as the low bytes of a big-endian number; nil unless there are four or eight.
    public init?(number: UInt64, bytes: Int) {
        switch bytes {
        case 4: self.init(value: number & 0xFFFF_FFFF, size: .fourBytes)
        case 8: self.init(value: number, size: .eightBytes)
        default: return nil
        }
    }
}

extension EchoRequest {
    public init(data: ByteBuffer) {
        self.data = data
    }
}

extension TACRecord {
    /// What a TAC was made over: 22 bytes are a purchase, 24 a load. Nil for other lengths.
    public init?(data: ByteBuffer) {
        guard let kind = Kind.allCases.first(where: { $0.dataLength == data.readableBytes }) else { return nil }
        var reader = FieldReader(data)
        do throws(FieldError) { self = try TACRecord(&reader, kind: kind) } catch { return nil }
    }
}
