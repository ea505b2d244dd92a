import CBitslicedDES
import CMemcheck

extension Check {
    /// The bit-sliced DES with secret keys and blocks in every lane, through every step that the module uses. valgrind's
    /// processor has no AVX-512: those kernels are the same source in wider vectors, and are not shown here.
    static let kernels = [Kernel.portable, .avx2].filter(\.isThere).map { kernel in
        Check(name: "bit-sliced DES, \(kernel)") { kernel.work() }
    }
}

private enum Kernel: Sendable {
    case portable, avx2

    private var table: UnsafePointer<kmsd_des_kernel>? {
        switch self {
        case .portable: unsafe kmsd_des_portable()
        case .avx2: unsafe kmsd_des_avx2()
        }
    }

    var isThere: Bool { unsafe table != nil }

    func work() {
        guard let kernel = unsafe table?.pointee else { return }
        let lanes = unsafe Int(kernel.lanes)
        let plane = lanes / 8
        let (keys, blocks) = unsafe (Marked(8 * lanes, secret: true), Marked(8 * lanes, secret: true))
        let (key, second) = unsafe (Marked(112 * plane, secret: false), Marked(112 * plane, secret: false))
        let halves = unsafe (0..<4).map { _ in unsafe Marked(32 * plane, secret: false) }
        let verdicts = unsafe Marked(8 * lanes, secret: false)
        let (left, right) = unsafe (halves[0].base, halves[1].base)
        let words = unsafe blocks.base.assumingMemoryBound(to: UInt64.self)
        unsafe kernel.load_key(key.base, keys.base.assumingMemoryBound(to: UInt64.self))
        unsafe kernel.load(left, right, words)
        unsafe kernel.rounds(left, right, key.base, 0)
        unsafe kernel.invert(halves[2].base, halves[3].base, left, right)
        unsafe kernel.rounds(halves[2].base, halves[3].base, key.base, 1)
        unsafe kernel.key_from_two(second.base, left, right, halves[2].base, halves[3].base)
        unsafe kernel.absorb(left, right, words)
        unsafe kernel.absorb_word(left, right, 0x80)
        unsafe kernel.rounds(left, right, second.base, 0)
        unsafe kernel.are_zero(left, right, 4, verdicts.base.assumingMemoryBound(to: UInt64.self))
        unsafe kernel.store(left, right, words)
        unsafe kernel.forget()
        let all = unsafe [keys, blocks, key, second, verdicts] + halves
        for index in unsafe all.indices { unsafe all[index].free() }
    }
}
