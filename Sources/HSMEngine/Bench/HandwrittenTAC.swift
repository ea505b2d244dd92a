import COpenSSL

/// TAC checking as a careful program without a security module would write it over libcrypto's low-level DES: the master's two
/// schedules kept ready, one schedule built for each card, nothing allocated, nothing wiped, no checks of arguments.
///
/// The yardstick of `TACBenchmark`, and deliberately not built from the module's own primitives. Holds schedules of a key made
/// for the measurement only.
@safe struct HandwrittenTAC: ~Copyable {
    /// Bytes under the TAC of a load record.
    static let dataLength = 24

    /// Left half, right half, and the card's.
    private let schedules: UnsafeMutablePointer<DES_key_schedule>

    private let dataLength: Int

    /// `dataLength`: bytes under each TAC, those of a load record unless told otherwise.
    init(master: borrowing SecretBytes, dataLength: Int = HandwrittenTAC.dataLength) {
        self.dataLength = dataLength
        let schedules = UnsafeMutablePointer<DES_key_schedule>.allocate(capacity: 3)
        master.withBytes { key in
            for half in 0..<2 {
                var bytes = Block8(leading: key, from: 8 * half)
                unsafe Self.expand(&bytes, schedules + half)
                unsafe OPENSSL_cleanse(&bytes, 8)
            }
        }
        unsafe self.schedules = schedules
    }

    deinit {
        unsafe OPENSSL_cleanse(schedules, 3 * MemoryLayout<DES_key_schedule>.stride)
        unsafe schedules.deallocate()
    }

    /// The TAC of the record at `start`: factor 8 | data. Its four bytes from the lowest up.
    func tac(_ records: Span<UInt8>, at start: Int) -> UInt32 {
        unsafe records.withUnsafeBytes { bytes in unsafe tac(bytes.baseAddress.unsafelyUnwrapped + start) }
    }

    /// Checks records of factor 8 | data | TAC 4. Bitmap as `OpenKeySchedule.verifyTACs` gives it.
    func verify(_ records: Span<UInt8>, stride: Int, into verdicts: inout [UInt8]) {
        for index in verdicts.indices { verdicts[index] = 0 }
        unsafe records.withUnsafeBytes { bytes in
            let base = unsafe bytes.baseAddress.unsafelyUnwrapped
            for index in 0..<bytes.count / stride {
                let record = unsafe base + index * stride
                let claimed = unsafe (record + 8 + dataLength).loadUnaligned(as: UInt32.self)
                if unsafe tac(record) == claimed { verdicts[index >> 3] |= 0x80 >> (index & 7) }
            }
        }
    }

    @inline(__always)
    @unsafe private func tac(_ record: UnsafeRawPointer) -> UInt32 {
        var left = unsafe record.loadUnaligned(as: Block8.self)
        var right = ~left
        unsafe Self.encrypt3(&left, schedules)
        unsafe Self.encrypt3(&right, schedules)
        left ^= right
        let card = unsafe schedules + 2
        unsafe Self.expand(&left, card)
        var state: Block8 = 0
        let whole = dataLength / 8 * 8
        for offset in Swift.stride(from: 8, to: 8 + whole, by: 8) {
            state ^= unsafe record.loadUnaligned(fromByteOffset: offset, as: Block8.self)
            unsafe Self.encrypt1(&state, card)
        }
        // What is left over, and the padding: 80 00 … 00.
        let rest = dataLength - whole
        for index in 0..<rest {
            let byte = unsafe record.load(fromByteOffset: 8 + whole + index, as: UInt8.self)
            state ^= Block8(byte) << Block8(8 * index)
        }
        state ^= 0x80 << Block8(8 * rest)
        unsafe Self.encrypt1(&state, card)
        return UInt32(truncatingIfNeeded: state)
    }

    @inline(__always)
    @unsafe private static func expand(
        _ key: UnsafeMutablePointer<Block8>, _ to: UnsafeMutablePointer<DES_key_schedule>
    ) {
        unsafe DES_set_key_unchecked(UnsafeMutableRawPointer(key).assumingMemoryBound(to: const_DES_cblock.self), to)
    }

    @inline(__always)
    @unsafe private static func encrypt1(
        _ block: UnsafeMutablePointer<Block8>, _ key: UnsafeMutablePointer<DES_key_schedule>
    ) {
        unsafe DES_encrypt1(UnsafeMutableRawPointer(block).assumingMemoryBound(to: DES_LONG.self), key, DES_ENCRYPT)
    }

    @inline(__always)
    @unsafe private static func encrypt3(
        _ block: UnsafeMutablePointer<Block8>, _ keys: UnsafeMutablePointer<DES_key_schedule>
    ) {
        let words = unsafe UnsafeMutableRawPointer(block).assumingMemoryBound(to: DES_LONG.self)
        unsafe DES_encrypt3(words, keys, keys + 1, keys)
    }
}
