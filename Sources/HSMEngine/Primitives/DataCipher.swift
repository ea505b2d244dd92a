import HSMBridge

/// How blocks hang together; padding is the caller's.
enum CipherMode: Sendable {
    case ecb
    /// One block of initialisation vector.
    case cbc(iv: [UInt8])
}

// Encipherment of whole blocks under an opened key.
extension OpenKeySchedule {
    func encipher(_ mode: CipherMode, _ data: Span<UInt8>) throws(PrimitiveError) -> [UInt8] {
        guard !data.isEmpty, data.count % blockLength == 0 else { throw .dataLengthInvalid }
        switch self {
        case .narrow(let schedule):
            let keys = schedule.keys
            var feedback = try mode.narrowStart()
            return [UInt8](capacity: data.count) { output in
                for offset in stride(from: 0, to: data.count, by: 8) {
                    var block = Block8(leading: data, from: offset) ^ (feedback ?? 0)
                    keys.encrypt(&block)
                    if feedback != nil { feedback = block }
                    Self.append(block, to: &output)
                }
            }
        case .wide(let schedule):
            var feedback = try mode.wideStart()
            return try schedule.withEncryptor { cipher throws(PrimitiveError) in
                try [UInt8](capacity: data.count) { output throws(PrimitiveError) in
                    for offset in stride(from: 0, to: data.count, by: 16) {
                        var block = Block16(leading: data, from: offset) ^ (feedback ?? .zero)
                        try cipher.encrypt(&block)
                        if feedback != nil { feedback = block }
                        Self.append(block.left, to: &output)
                        Self.append(block.right, to: &output)
                    }
                }
            }
        }
    }

    func decipher(_ mode: CipherMode, _ data: Span<UInt8>) throws(PrimitiveError) -> [UInt8] {
        var result = [UInt8](repeating: 0, count: data.count)
        var span = result.mutableSpan
        try decipher(mode, data, into: &span)
        return result
    }

    /// A key or another secret under this (transport) key.
    func encipher(_ mode: CipherMode, secret: borrowing SecretBytes) throws(PrimitiveError) -> [UInt8] {
        try secret.withBytes { bytes throws(PrimitiveError) in try encipher(mode, bytes) }
    }

    /// The way back: what comes out never leaves secret memory.
    func decipherSecret(_ mode: CipherMode, _ data: Span<UInt8>) throws(PrimitiveError) -> SecretBytes {
        var result = try SecretBytes(count: data.count)
        try result.withMutableBytes { span throws(PrimitiveError) in try decipher(mode, data, into: &span) }
        return result
    }

    private func decipher(
        _ mode: CipherMode, _ data: Span<UInt8>, into output: inout MutableSpan<UInt8>
    ) throws(PrimitiveError) {
        guard !data.isEmpty, data.count % blockLength == 0 else { throw .dataLengthInvalid }
        switch self {
        case .narrow(let schedule):
            var feedback = try mode.narrowStart()
            for offset in stride(from: 0, to: data.count, by: 8) {
                let cipherText = Block8(leading: data, from: offset)
                var block = cipherText
                schedule.keys.decrypt(&block)
                if let previous = feedback {
                    block ^= previous
                    feedback = cipherText
                }
                Self.store(block, in: &output, at: offset)
            }
        case .wide(let schedule):
            var feedback = try mode.wideStart()
            try schedule.withDecryptor { cipher throws(PrimitiveError) in
                for offset in stride(from: 0, to: data.count, by: 16) {
                    let cipherText = Block16(leading: data, from: offset)
                    var block = cipherText
                    try cipher.decrypt(&block)
                    if let previous = feedback {
                        block ^= previous
                        feedback = cipherText
                    }
                    Self.store(block.left, in: &output, at: offset)
                    Self.store(block.right, in: &output, at: offset + 8)
                }
            }
        }
    }

    private static func append(_ block: Block8, to output: inout OutputSpan<UInt8>) {
        for shift in stride(from: UInt64(0), to: 64, by: 8) { output.append(UInt8(truncatingIfNeeded: block >> shift)) }
    }

    private static func store(_ block: Block8, in output: inout MutableSpan<UInt8>, at offset: Int) {
        for index in 0..<8 { output[offset + index] = UInt8(truncatingIfNeeded: block >> UInt64(8 * index)) }
    }
}

extension CipherMode {
    fileprivate func narrowStart() throws(PrimitiveError) -> Block8? {
        switch self {
        case .ecb: nil
        case .cbc(let iv): try OpenKeySchedule.narrow(iv)
        }
    }

    fileprivate func wideStart() throws(PrimitiveError) -> Block16? {
        switch self {
        case .ecb: nil
        case .cbc(let iv): try OpenKeySchedule.wide(iv)
        }
    }
}
