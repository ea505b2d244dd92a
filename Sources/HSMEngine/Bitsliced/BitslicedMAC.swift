import HSMBridge

/// MACs over lanes, each with a key and a message of its own.
struct BitslicedMAC {
    /// What is done under the lane's key.
    enum Scheme: Sendable, Hashable {
        /// ISO 9797-1 algorithm 1 with the first eight bytes of the key.
        case single
        /// The same with the whole TDES key for every block.
        case whole
        /// ISO 9797-1 algorithm 3; the last block's key is K3, which is K1 of a two-key key.
        case retail
        /// UnionPay's "ECB" MAC: the blocks xored, written in digits, whose halves go through the whole key. Padding method 1.
        case unionPay
        /// PBOC TAC: algorithm 1 under left xor right of the key that the lane's factors lead to.
        case tac(levels: Int)

        /// Runs over the message block by block, so that a longer one takes a pass longer.
        var isChain: Bool { self != .unionPay }
    }

    /// One lane: the key, the message, and for a TAC below a master the factors, eight bytes a level. Points to what its maker
    /// keeps alive.
    @safe struct Lane: BitwiseCopyable {
        let key: KeyWords
        let factors: UnsafeRawPointer
        let message: PaddedMessage

        @inline(__always)
        @unsafe init(_ schedule: DESSchedule, _ message: PaddedMessage, factors: UnsafeRawPointer? = nil) {
            key = KeyWords(schedule)
            unsafe self.factors = factors ?? UnsafeRawPointer(schedule.words)
            self.message = message
        }
    }

    let scheme: Scheme
    let kernel: DESKernel

    /// The last block of the chain of each lane (of UnionPay's its eight digits), which `body` gets with the lane's number. Lanes
    /// of a chain stand in the order of falling block counts, at most as many as the kernel has. False, and nothing is done,
    /// where the system gives no memory.
    @inline(__always)
    func calculate(_ lanes: UnsafeBufferPointer<Lane>, _ body: (Int, Block8) -> Void) -> Bool {
        guard let first = lanes.baseAddress else { return true }
        let done: Void? = LaneMemory.with(kernel, keys: LaneMemory.keys) { memory in
            let state = unsafe pass(memory, first, lanes.count)
            memory.store(state)
            let isText = scheme == .unionPay
            for index in 0..<lanes.count {
                let block = unsafe memory.blocks[kernel.slot(index)]
                body(index, isText ? block.hexDigits.left : block)
            }
        }
        return done != nil
    }

    @unsafe private func pass(_ memory: LaneMemory, _ lanes: UnsafePointer<Lane>, _ count: Int) -> LaneState {
        switch scheme {
        case .single:
            return unsafe memory.chain(lanes, count, keys(memory, lanes, count, isSingle: true))
        case .whole:
            return unsafe memory.chain(lanes, count, keys(memory, lanes, count, isSingle: false))
        case .retail:
            let keys = unsafe keys(memory, lanes, count, isSingle: false)
            var state = unsafe memory.chain(lanes, count, memory.single(0))
            memory.apply(keys.second, to: &state, deciphering: true)
            memory.apply(keys.third, to: &state)
            return state
        case .unionPay:
            let keys = unsafe keys(memory, lanes, count, isSingle: false)
            var state = memory.state(0)
            memory.fill(count) { unsafe lanes[$0].message.folded.hexDigits.left }
            memory.load(state)
            memory.encrypt(&state, keys)
            memory.fill(count) { unsafe lanes[$0].message.folded.hexDigits.right }
            memory.absorb(into: state)
            memory.encrypt(&state, keys)
            return state
        case .tac(let levels):
            if levels == 0 {
                memory.fill(count) { unsafe lanes[$0].key[3] }
                memory.loadKey(memory.key(2))
            } else {
                let master = unsafe keys(memory, lanes, count, isSingle: false)
                let (left, right) = memory.derive(count, levels: levels, master: master) { lane, level in
                    unsafe lanes[lane].factors.loadUnaligned(fromByteOffset: 8 * level, as: Block8.self)
                }
                memory.makeKey(memory.key(2), from: left, xor: right)
            }
            return unsafe memory.chain(lanes, count, memory.single(2))
        }
    }

    @unsafe @inline(__always)
    private func keys(
        _ memory: LaneMemory, _ lanes: UnsafePointer<Lane>, _ count: Int, isSingle: Bool
    ) -> LaneKeys {
        memory.load(count, isSingle: isSingle) { unsafe lanes[$0].key }
    }
}
