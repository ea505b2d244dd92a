import HSMBridge

/// The frame of a message, checked as a whole before anything of it is carried out: half a batch is worse than none.
///
/// length 4 | count 4 | (code 2 | length 4 | body)…, big-endian.
@safe struct MessageFrame {
    let count: Int

    /// A card, an RSA key or the journal may make a whole message, with its length field, wait.
    static func mayBlock(_ message: UnsafeRawBufferPointer) -> Bool {
        guard message.count >= 4 else { return false }
        let body = unsafe UnsafeRawBufferPointer(rebasing: message.dropFirst(4))
        guard let frame = unsafe MessageFrame(body: body) else { return false }
        var offset = 4
        for _ in 0..<frame.count {
            let rule = unsafe CommandCode(rawValue: UInt16(integer(body, at: offset, bytes: 2)))?.rule
            if let rule, rule.isSlow || rule.journalling != .no { return true }
            offset += 6 + (unsafe integer(body, at: offset + 2, bytes: 4))
        }
        return false
    }

    /// From the part after the length field.
    init?(body message: UnsafeRawBufferPointer) {
        guard message.count >= 4, message.count <= ModuleMessageLimits.maximumLength else { return nil }
        let announced = unsafe Self.integer(message, at: 0, bytes: 4)
        guard announced <= ModuleMessageLimits.maximumItems else { return nil }
        var offset = 4
        for _ in 0..<announced {
            guard offset + 6 <= message.count else { return nil }
            let length = unsafe Self.integer(message, at: offset + 2, bytes: 4)
            guard length <= message.count - offset - 6 else { return nil }
            offset += 6 + length
        }
        guard offset == message.count else { return nil }
        count = announced
    }

    private static func integer(_ message: UnsafeRawBufferPointer, at offset: Int, bytes: Int) -> Int {
        var value = 0
        for index in offset..<offset + bytes { value = value << 8 | Int(unsafe message[index]) }
        return value
    }
}
