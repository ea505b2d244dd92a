import COpenSSL
import HSMBridge

/// The expanded schedules of a DES or TDES key by pointer; valid while their memory is.
@safe struct DESKeys {
    static let scheduleSize = MemoryLayout<DES_key_schedule>.size

    let first: UnsafeMutablePointer<DES_key_schedule>
    let second: UnsafeMutablePointer<DES_key_schedule>
    let third: UnsafeMutablePointer<DES_key_schedule>
    /// One 8-byte key only: TDES with it is DES.
    let isSingle: Bool

    init(
        _ first: UnsafeMutablePointer<DES_key_schedule>, _ second: UnsafeMutablePointer<DES_key_schedule>,
        _ third: UnsafeMutablePointer<DES_key_schedule>, isSingle: Bool
    ) {
        unsafe self.first = first
        unsafe self.second = second
        unsafe self.third = third
        self.isSingle = isSingle
    }

    /// Expands a key of 8, 16 or 24 bytes into schedules that lie one after another at `memory`.
    init(expanding key: UnsafeRawPointer, count: Int, at memory: UnsafeMutableRawPointer) {
        let schedules = unsafe memory.assumingMemoryBound(to: DES_key_schedule.self)
        for index in 0..<count / 8 { unsafe Self.expand(key + 8 * index, to: schedules + index) }
        switch count {
        case 8: unsafe self.init(schedules, schedules, schedules, isSingle: true)
        case 16: unsafe self.init(schedules, schedules + 1, schedules, isSingle: false)
        default: unsafe self.init(schedules, schedules + 1, schedules + 2, isSingle: false)
        }
    }

    /// Parity bits are ignored, as cards ignore them: PBOC diversification does not set them.
    @inline(__always)
    static func expand(_ key: UnsafeRawPointer, to schedule: UnsafeMutablePointer<DES_key_schedule>) {
        let bytes = unsafe UnsafeMutableRawPointer(mutating: key).assumingMemoryBound(to: const_DES_cblock.self)
        unsafe DES_set_key_unchecked(bytes, schedule)
    }

    @inline(__always)
    static func single(
        _ block: inout Block8, _ schedule: UnsafeMutablePointer<DES_key_schedule>, decrypting: Bool = false
    ) {
        let direction = decrypting ? DES_DECRYPT : DES_ENCRYPT
        unsafe withUnsafeMutableBytes(of: &block) { bytes in
            unsafe DES_encrypt1(bytes.baseAddress?.assumingMemoryBound(to: DES_LONG.self), schedule, direction)
        }
    }

    /// Enciphers with the whole key.
    @inline(__always)
    func encrypt(_ block: inout Block8) {
        if isSingle { return unsafe Self.single(&block, first) }
        unsafe withUnsafeMutableBytes(of: &block) { bytes in
            unsafe DES_encrypt3(bytes.baseAddress?.assumingMemoryBound(to: DES_LONG.self), first, second, third)
        }
    }

    /// The rounds of one schedule, between `DESPermutation.initial` and `final`.
    @inline(__always)
    static func rounds(
        _ block: inout Block8, _ schedule: UnsafeMutablePointer<DES_key_schedule>, decrypting: Bool = false
    ) {
        let direction = decrypting ? DES_DECRYPT : DES_ENCRYPT
        unsafe withUnsafeMutableBytes(of: &block) { bytes in
            unsafe DES_encrypt2(bytes.baseAddress?.assumingMemoryBound(to: DES_LONG.self), schedule, direction)
        }
    }

    /// The rounds of the whole key.
    @inline(__always)
    func rounds(_ block: inout Block8) {
        unsafe Self.rounds(&block, first)
        if isSingle { return }
        unsafe Self.rounds(&block, second, decrypting: true)
        unsafe Self.rounds(&block, third)
    }

    /// Deciphers with the whole key.
    @inline(__always)
    func decrypt(_ block: inout Block8) {
        if isSingle { return unsafe Self.single(&block, first, decrypting: true) }
        unsafe withUnsafeMutableBytes(of: &block) { bytes in
            unsafe DES_decrypt3(bytes.baseAddress?.assumingMemoryBound(to: DES_LONG.self), first, second, third)
        }
    }
}

/// A DES or TDES key ready for use: schedules, the TAC key's schedule and the CMAC subkeys, all in secret memory.
///
/// Low-level DES because EVP cannot keep a schedule without a context of its own, and has no single DES without the legacy
/// provider (OpenSSL 3.0).
@safe final class DESSchedule: @unchecked Sendable {
    let algorithm: KeyAlgorithm
    private let memory: SecretBytes
    let keys: DESKeys
    /// Left half xor right half of a two-key TDES key: the key of TACs and of PIN reload (PBOC).
    private let folded: UnsafeMutablePointer<DES_key_schedule>
    private let subkeys: UnsafeMutablePointer<Block8>
    /// The key's bytes as K1, K2, K3 (K3 = K1 of a two-key key, all three one of a single) and the key of its TACs (K1 xor K2; a
    /// single key itself), as the lanes of a bit-sliced pass take them.
    let words: UnsafePointer<Block8>
    /// Three parts that differ.
    let isThreeKey: Bool

    init(_ key: borrowing SecretBytes, algorithm: KeyAlgorithm) throws(PrimitiveError) {
        guard [.des, .tripleDES2, .tripleDES3].contains(algorithm) else { throw .algorithmNotPermitted }
        guard key.count * 8 == algorithm.bits else { throw .keyLengthInvalid }
        let size = DESKeys.scheduleSize
        let memory = try SecretBytes(count: 4 * size + 48)
        let base = unsafe memory.withUnsafePointer { pointer in unsafe pointer }
        let count = key.count
        let keys = unsafe key.withUnsafePointer { bytes in unsafe DESKeys(expanding: bytes, count: count, at: base) }
        let folded = unsafe (base + 3 * size).assumingMemoryBound(to: DES_key_schedule.self)
        let subkeys = unsafe (base + 4 * size).assumingMemoryBound(to: Block8.self)
        let words = unsafe subkeys + 2
        unsafe key.withUnsafePointer { bytes in
            let parts = unsafe bytes.assumingMemoryBound(to: Block8.self)
            unsafe words[0] = parts[0]
            unsafe words[1] = parts[count > 8 ? 1 : 0]
            unsafe words[2] = parts[count > 16 ? 2 : 0]
            unsafe words[3] = count == 8 ? parts[0] : parts[0] ^ parts[1]
        }
        if count == 16 { unsafe Self.fold(key, to: folded) }
        var zero: Block8 = 0
        keys.encrypt(&zero)
        unsafe subkeys[0] = zero.doubled
        unsafe subkeys[1] = zero.doubled.doubled
        self.algorithm = algorithm
        self.memory = memory
        self.keys = keys
        unsafe self.folded = folded
        unsafe self.subkeys = subkeys
        unsafe self.words = UnsafePointer(words)
        isThreeKey = algorithm == .tripleDES3
    }

    @unsafe private static func fold(
        _ key: borrowing SecretBytes, to schedule: UnsafeMutablePointer<DES_key_schedule>
    ) {
        unsafe key.withUnsafePointer { bytes in
            let halves = unsafe bytes.assumingMemoryBound(to: Block8.self)
            var left = unsafe halves[0] ^ halves[1]
            unsafe DESKeys.expand(&left, to: schedule)
            unsafe OPENSSL_cleanse(&left, 8)
        }
    }

    /// The folded key; a single DES key serves as itself. Not for three-key TDES.
    var foldedKeys: DESKeys {
        if keys.isSingle { return keys }
        return unsafe DESKeys(folded, folded, folded, isSingle: true)
    }

    /// The CMAC subkey for a whole (K1) or a padded (K2) last block.
    func subkey(whole: Bool) -> Block8 { unsafe whole ? subkeys[0] : subkeys[1] }
}
