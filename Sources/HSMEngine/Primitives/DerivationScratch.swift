import COpenSSL

/// Working memory of one DES diversification on the stack: the two halves of the derived key, their schedules, and one more
/// schedule for the session or TAC key. Wiped when the closure ends, whichever way.
///
/// On the stack and not in the arena because it lives for a microsecond and a lock would cost as much as the MAC.
@safe struct DerivationScratch {
    private static let scheduleSize = MemoryLayout<DES_key_schedule>.size
    private static let size = 24 + 3 * scheduleSize

    private let base: UnsafeMutableRawPointer

    @inline(__always)
    static func with<R>(_ body: (DerivationScratch) throws(PrimitiveError) -> R) throws(PrimitiveError) -> R {
        let result: Result<R, PrimitiveError> = unsafe withUnsafeTemporaryAllocation(byteCount: size, alignment: 16) {
            memory in
            guard let base = memory.baseAddress else { return .failure(.secretMemoryExhausted) }
            defer { unsafe OPENSSL_cleanse(base, size) }
            do throws(PrimitiveError) {
                return .success(try body(unsafe DerivationScratch(base: base)))
            } catch {
                return .failure(error)
            }
        }
        return try result.get()
    }

    private init(base: UnsafeMutableRawPointer) { unsafe self.base = base }

    private var halves: UnsafeMutablePointer<Block8> { unsafe base.assumingMemoryBound(to: Block8.self) }
    private func schedule(_ index: Int) -> UnsafeMutablePointer<DES_key_schedule> {
        unsafe (base + 24 + index * Self.scheduleSize).assumingMemoryBound(to: DES_key_schedule.self)
    }

    /// The halves 3DES(K, X) and 3DES(K, ~X) for each factor in turn, starting from `master`.
    /// At least one factor.
    @inline(__always)
    func derive(_ master: DESKeys, _ factors: Span<UInt64>) {
        var keys = master
        for index in 0..<factors.count {
            if index > 0 { keys = expandDerived() }
            let factor = Block8(number: factors[index])
            unsafe halves[0] = factor
            unsafe halves[1] = ~factor
            unsafe keys.encrypt(&halves[0])
            unsafe keys.encrypt(&halves[1])
        }
    }

    /// The derived key as a two-key TDES key.
    @inline(__always)
    func expandDerived() -> DESKeys {
        unsafe DESKeys.expand(halves, to: schedule(0))
        unsafe DESKeys.expand(halves + 1, to: schedule(1))
        return unsafe DESKeys(schedule(0), schedule(1), schedule(0), isSingle: false)
    }

    /// Left half xor right half of the key that the factors lead to, as a DES key; the halves themselves are never whole: they
    /// are xored before their final permutation. At least one factor.
    @inline(__always)
    func expandFolded(_ master: DESKeys, _ factors: Span<UInt64>) -> DESKeys {
        var keys = master
        if factors.count > 1 {
            derive(master, factors.extracting(0..<factors.count - 1))
            keys = expandDerived()
        }
        let factor = DESPermutation.initial(Block8(number: factors[factors.count - 1]))
        unsafe halves[0] = factor
        unsafe halves[1] = ~factor
        unsafe keys.rounds(&halves[0])
        unsafe keys.rounds(&halves[1])
        unsafe halves[2] = DESPermutation.final(halves[0] ^ halves[1])
        return unsafe expandExtra()
    }

    /// The session key: a block enciphered under `keys`, as a DES key.
    @inline(__always)
    func expandSession(_ session: UInt64, under keys: DESKeys) -> DESKeys {
        unsafe halves[2] = Block8(number: session)
        unsafe keys.encrypt(&halves[2])
        return unsafe expandExtra()
    }

    @unsafe private func expandExtra() -> DESKeys {
        unsafe DESKeys.expand(halves + 2, to: schedule(2))
        return unsafe DESKeys(schedule(2), schedule(2), schedule(2), isSingle: true)
    }

    /// The halves 3DES(K, left) and 3DES(K, right): EMV and PBOC session keys.
    func deriveHalves(_ keys: DESKeys, _ left: Block8, _ right: Block8) {
        unsafe halves[0] = left
        unsafe halves[1] = right
        unsafe keys.encrypt(&halves[0])
        unsafe keys.encrypt(&halves[1])
    }

    /// The halves of the derived key, xored.
    func maskHalves(_ left: Block8, _ right: Block8) {
        unsafe halves[0] ^= left
        unsafe halves[1] ^= right
    }

    /// The derived key's bytes.
    func copyDerived(to secret: inout SecretBytes) {
        let halves = unsafe UnsafeRawBufferPointer(start: base, count: 16)
        secret.withMutableBytes { span in
            unsafe span.withUnsafeMutableBytes { unsafe $0.copyMemory(from: halves) }
        }
    }
}
