internal import COpenSSL

/// One DES key, ready for use. Blocks and keys are 8 bytes as a big-endian `UInt64`; parity bits are ignored.
struct DESKey {
    private var schedule = DES_key_schedule()

    init(_ key: UInt64) {
        var bytes = key.bigEndian
        unsafe withUnsafeMutableBytes(of: &bytes) { raw in
            guard let base = raw.baseAddress else { return }
            unsafe DES_set_key_unchecked(base.assumingMemoryBound(to: DES_cblock.self), &schedule)
        }
    }

    func encrypt(_ block: UInt64) -> UInt64 { run(block, direction: DES_ENCRYPT) }

    func decrypt(_ block: UInt64) -> UInt64 { run(block, direction: DES_DECRYPT) }

    private func run(_ block: UInt64, direction: Int32) -> UInt64 {
        var bytes = block.bigEndian
        var schedule = schedule
        unsafe withUnsafeMutableBytes(of: &bytes) { raw in
            guard let base = raw.baseAddress else { return }
            let pointer = unsafe base.assumingMemoryBound(to: DES_cblock.self)
            unsafe DES_ecb_encrypt(pointer, pointer, &schedule, direction)
        }
        return UInt64(bigEndian: bytes)
    }
}

/// A card key of 8 bytes (DES) or 16 bytes (two-key triple DES, EDE), big-endian halves.
struct CardCipher {
    private let left: DESKey
    private let right: DESKey?

    /// - Parameter key: 8 or 16 bytes; `nil` for any other length.
    init?(_ key: [UInt8]) {
        guard key.count == 8 || key.count == 16 else { return nil }
        left = DESKey(key.block(at: 0))
        right = key.count == 16 ? DESKey(key.block(at: 8)) : nil
    }

    func encrypt(_ block: UInt64) -> UInt64 {
        guard let right else { return left.encrypt(block) }
        return left.encrypt(right.decrypt(left.encrypt(block)))
    }

    func decrypt(_ block: UInt64) -> UInt64 {
        guard let right else { return left.decrypt(block) }
        return left.decrypt(right.encrypt(left.decrypt(block)))
    }

    /// ECB over whole blocks; `data` has a multiple of 8 bytes.
    func encrypt(_ data: [UInt8]) -> [UInt8] { blocks(of: data, encrypt) }

    /// ECB over whole blocks; `data` has a multiple of 8 bytes.
    func decrypt(_ data: [UInt8]) -> [UInt8] { blocks(of: data, decrypt) }

    /// One step of a CBC chain with the single-length part of the key (the left half of a double key).
    func chain(_ value: UInt64, _ block: UInt64) -> UInt64 { left.encrypt(value ^ block) }

    /// Turns the last chaining value into the MAC: nothing to do for a DES key, decrypt right and encrypt left for a
    /// double one (ISO 9797-1 MAC algorithm 3, "retail", X9.19).
    func finish(_ value: UInt64) -> UInt64 {
        guard let right else { return value }
        return left.encrypt(right.decrypt(value))
    }

    /// The 4-byte MAC of all cards here: padding 80 00… always added, leftmost four bytes of the result.
    /// - Parameter iv: 8 bytes; zero in transactions, the challenge in line protection (FM-UM; domain.md §1.2, §2.5).
    func mac(_ data: [UInt8], iv: [UInt8] = []) -> [UInt8] {
        let padded = data + [0x80] + [UInt8](repeating: 0, count: (15 - data.count % 8) % 8)
        return Array(paddedMAC(padded, start: iv.isEmpty ? 0 : iv.block(at: 0)).bytes.prefix(4))
    }

    /// The whole 8-byte MAC value of data the caller has padded.
    func paddedMAC(_ padded: [UInt8], start: UInt64) -> UInt64 {
        var value = start
        for offset in stride(from: 0, to: padded.count, by: 8) { value = chain(value, padded.block(at: offset)) }
        return finish(value)
    }

    private func blocks(of data: [UInt8], _ transform: (UInt64) -> UInt64) -> [UInt8] {
        precondition(data.count.isMultiple(of: 8), "ECB works on whole blocks")
        var result: [UInt8] = []
        result.reserveCapacity(data.count)
        for offset in stride(from: 0, to: data.count, by: 8) {
            result += transform(data.block(at: offset)).bytes
        }
        return result
    }
}
