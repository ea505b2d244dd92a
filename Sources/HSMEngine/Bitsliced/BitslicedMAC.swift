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
        /// PBOC TAC: algorithm 1 under left xor right of the key that the lane's factors lead to.
        case tac(levels: Int)
    }

    /// One lane: the key's words (`DESSchedule.words`), the message, and for a TAC below a master the factors, eight bytes a
    /// level. Points to what its maker keeps alive.
    @safe struct Lane: BitwiseCopyable {
        let words: UnsafePointer<Block8>
        let factors: UnsafeRawPointer
        let message: PaddedMessage
        let isThreeKey: Bool

        @inline(__always)
        @unsafe init(_ schedule: DESSchedule, _ message: PaddedMessage, factors: UnsafeRawPointer? = nil) {
            unsafe words = schedule.words
            unsafe self.factors = factors ?? UnsafeRawPointer(schedule.words)
            self.message = message
            isThreeKey = schedule.isThreeKey
        }
    }

    let scheme: Scheme
    let kernel: DESKernel

    /// The last block of the chain of each lane, which `body` gets with the lane's number. Lanes stand in the order of falling
    /// block counts, at most as many as the kernel has. False, and nothing is done, where the system gives no memory.
    @inline(__always)
    func calculate(_ lanes: UnsafeBufferPointer<Lane>, _ body: (Int, Block8) -> Void) -> Bool {
        guard let first = lanes.baseAddress else { return true }
        let done: Void? = LaneMemory.with(kernel, keys: LaneMemory.keys) { memory in
            let state = unsafe pass(memory, first, lanes.count)
            memory.store(state)
            for index in 0..<lanes.count { body(index, unsafe memory.blocks[kernel.slot(index)]) }
        }
        return done != nil
    }

    @unsafe private func pass(_ memory: LaneMemory, _ lanes: UnsafePointer<Lane>, _ count: Int) -> LaneState {
        switch scheme {
        case .single:
            return unsafe memory.chain(lanes, count, memory.load(lanes, count, isSingle: true))
        case .whole:
            return unsafe memory.chain(lanes, count, memory.load(lanes, count, isSingle: false))
        case .retail:
            let keys = unsafe memory.load(lanes, count, isSingle: false)
            var state = unsafe memory.chain(lanes, count, memory.single(0))
            memory.apply(keys.second, to: &state, deciphering: true)
            memory.apply(keys.third, to: &state)
            return state
        case .tac(let levels):
            if levels == 0 {
                memory.fill(count) { unsafe lanes[$0].words[3] }
                memory.loadKey(memory.key(2))
            } else {
                let master = unsafe memory.load(lanes, count, isSingle: false)
                let (left, right) = memory.derive(count, levels: levels, master: master) { lane, level in
                    unsafe lanes[lane].factors.loadUnaligned(fromByteOffset: 8 * level, as: Block8.self)
                }
                memory.makeKey(memory.key(2), from: left, xor: right)
            }
            return unsafe memory.chain(lanes, count, memory.single(2))
        }
    }
}
