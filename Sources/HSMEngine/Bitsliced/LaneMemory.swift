import CBitslicedDES
import CLinux
import Synchronization

/// Blocks of all lanes between IP and FP, as planes. The halves change places with each DES; nothing is moved.
@safe struct LaneState {
    fileprivate(set) var left: UnsafeMutableRawPointer
    fileprivate(set) var right: UnsafeMutableRawPointer
}

/// A DES key for each lane, as planes.
@safe struct LaneKey {
    fileprivate let planes: UnsafeMutableRawPointer
}

/// A DES or TDES key for each lane.
struct LaneKeys {
    let first: LaneKey
    let second: LaneKey
    let third: LaneKey
    /// TDES with it is DES: only `first` is used.
    let isSingle: Bool
}

/// Working memory of one pass of the bit-sliced DES: blocks on their way in or out, three states, four keys.
///
/// In locked memory of the module (`SecretArena`), because keys and chaining values of hundreds of cards lie here at once; lent
/// to one pass at a time, and wiped as far as it was used when the pass ends. Nothing of a pass stays.
@safe struct LaneMemory {
    static let states = 3
    static let keys = 4
    private static let mostLanes = 512
    /// 11 pages: 4 KiB of blocks, three states of 4 KiB, four keys of 7 KiB.
    private static let size = 8 * mostLanes * (1 + states) + keys * 14 * mostLanes

    let kernel: DESKernel
    private let base: UnsafeMutableRawPointer

    /// Arenas that no pass uses. There are never more than threads that calculate.
    private static let idle = Mutex<[SecretArena]>([])

    /// Lends working memory; nil, and `body` has not run, where the system gives no more locked memory.
    @inline(__always)
    static func with<R>(_ kernel: DESKernel, keys: Int, _ body: (LaneMemory) -> R) -> R? {
        guard let arena = idle.withLock({ $0.popLast() }) ?? SecretArena(length: size) else { return nil }
        let used = 8 * kernel.lanes * (1 + states) + keys * kernel.keySize
        defer {
            unsafe kernel.table.pointee.forget()
            unsafe kmsd_wipe(arena.base, used)
            idle.withLock { $0.append(arena) }
        }
        return body(unsafe LaneMemory(kernel: kernel, base: arena.base))
    }

    @unsafe private init(kernel: DESKernel, base: UnsafeMutableRawPointer) {
        self.kernel = kernel
        unsafe self.base = base
    }

    /// One word a lane, at `kernel.slot(lane)`.
    var blocks: UnsafeMutablePointer<UInt64> { unsafe base.assumingMemoryBound(to: UInt64.self) }

    func state(_ index: Int) -> LaneState {
        let left = unsafe base + 8 * kernel.lanes * (1 + index)
        return unsafe LaneState(left: left, right: left + kernel.halfSize)
    }

    func key(_ index: Int) -> LaneKey {
        unsafe LaneKey(planes: base + 8 * kernel.lanes * (1 + Self.states) + index * kernel.keySize)
    }

    /// Puts a block for each of `count` lanes in place; the other lanes hold anything.
    @inline(__always)
    func fill(_ count: Int, _ block: (Int) -> Block8) {
        let words = kernel.words
        let blocks = unsafe blocks
        var lane = 0
        while lane < count {
            // 64 lanes at a time, so that a slot is an addition.
            let last = min(lane + 64, count)
            let start = lane >> 6
            while lane < last {
                unsafe blocks[start + (lane & 63 ^ 7) * words] = block(lane)
                lane += 1
            }
        }
    }

    // MARK: Steps

    func load(_ state: LaneState) { unsafe kernel.table.pointee.load(state.left, state.right, blocks) }
    func absorb(into state: LaneState) { unsafe kernel.table.pointee.absorb(state.left, state.right, blocks) }
    /// A public block, the same in every lane.
    func absorb(_ word: Block8, into state: LaneState) {
        unsafe kernel.table.pointee.absorb_word(state.left, state.right, word)
    }
    func store(_ state: LaneState) { unsafe kernel.table.pointee.store(state.left, state.right, blocks) }

    func clear(_ state: LaneState) { unsafe memset(min(state.left, state.right), 0, 2 * kernel.halfSize) }

    func loadKey(_ key: LaneKey) { unsafe kernel.table.pointee.load_key(key.planes, blocks) }
    func spread(_ bytes: Block8, to key: LaneKey) { unsafe kernel.table.pointee.spread_key(key.planes, bytes) }
    /// The state's blocks as keys.
    func makeKey(_ key: LaneKey, from state: LaneState) {
        unsafe kernel.table.pointee.key_from(key.planes, state.left, state.right)
    }
    /// Two states' blocks, xored, as keys.
    func makeKey(_ key: LaneKey, from a: LaneState, xor b: LaneState) {
        unsafe kernel.table.pointee.key_from_two(key.planes, a.left, a.right, b.left, b.right)
    }

    func invert(_ source: LaneState, into state: LaneState) {
        unsafe kernel.table.pointee.invert(state.left, state.right, source.left, source.right)
    }

    @inline(__always)
    func apply(_ key: LaneKey, to state: inout LaneState, deciphering: Bool = false) {
        unsafe kernel.table.pointee.rounds(state.left, state.right, key.planes, deciphering ? 1 : 0)
        unsafe swap(&state.left, &state.right)
    }

    func encrypt(_ state: inout LaneState, _ keys: LaneKeys) {
        apply(keys.first, to: &state)
        if keys.isSingle { return }
        apply(keys.second, to: &state, deciphering: true)
        apply(keys.third, to: &state)
    }

    /// `state` takes `other` in the lanes of the range.
    func take(_ other: LaneState, into state: LaneState, lanes range: Range<Int>) {
        var mask = LaneMask()
        for lane in range { mask.insert(lane) }
        take(other, into: state, mask)
    }

    /// `state` takes `other` in the lanes of the mask.
    func take(_ other: LaneState, into state: LaneState, _ mask: LaneMask) {
        var words = mask.words
        unsafe withUnsafeBytes(of: &words) { bytes in
            unsafe kernel.table.pointee.take(state.left, state.right, other.left, other.right, bytes.baseAddress)
        }
    }

    /// The lanes whose block begins with this many zero bytes, in the order of lanes: lane 0 is the highest bit of the first
    /// byte. Lanes that were not filled say anything.
    func zeroLanes(_ state: LaneState, bytes: Int) -> LaneMask {
        var mask = LaneMask()
        unsafe withUnsafeMutableBytes(of: &mask.words) { memory in
            let words = unsafe memory.baseAddress?.assumingMemoryBound(to: UInt64.self)
            unsafe kernel.table.pointee.are_zero(state.left, state.right, Int32(bytes), words)
        }
        return mask
    }
}

/// One bit for each lane, laid out as a plane is: lane 0 is the highest bit of the first byte in memory.
struct LaneMask {
    /// Aligned for the widest vector by being copied to a register only.
    var words = InlineArray<8, UInt64>(repeating: 0)

    mutating func insert(_ lane: Int) { words[lane >> 6] |= 1 << UInt64(lane & 63 ^ 7) }
    func contains(_ lane: Int) -> Bool { words[lane >> 6] >> UInt64(lane & 63 ^ 7) & 1 == 1 }
}
