import HSMBridge

/// MACs over lanes, each with a key and a message of its own.
@safe struct BitslicedMAC {
    /// What is done under the lane's key.
    enum Scheme: Sendable {
        /// ISO 9797-1 algorithm 1 with the first eight bytes of the key.
        case single
        /// The same with the whole TDES key for every block.
        case whole
        /// ISO 9797-1 algorithm 3; the last block's key is K3, which is K1 of a two-key key.
        case retail
    }

    /// One lane: the key, and the message.
    @safe struct Lane {
        let schedule: DESSchedule
        let message: PaddedMessage
        /// Zero, or the chaining value of the part before.
        let initial: Block8
    }

    let scheme: Scheme
    let kernel: DESKernel

    /// The last block of the chain of each lane, which `body` gets with the lane's number. Lanes stand in the order of falling
    /// block counts, at most as many as the kernel has. False, and nothing is done, where the system gives no memory.
    @inline(__always)
    func calculate(_ count: Int, lane: (Int) -> Lane, _ body: (Int, Block8) -> Void) -> Bool {
        let done: Void? = LaneMemory.with(kernel, keys: 3) { memory in
            let keys = keys(memory, count, lane)
            let start = memory.state(0)
            memory.fill(count) { lane($0).initial }
            memory.load(start)
            let chaining = LaneKeys(
                first: keys.first, second: keys.second, third: keys.third, isSingle: keys.isSingle || scheme != .whole)
            var state = memory.chain(count, chaining, from: start, length: { lane($0).message.blocks }) {
                lane($0).message.block($1)
            }
            if scheme == .retail {
                memory.apply(keys.second, to: &state, deciphering: true)
                memory.apply(keys.third, to: &state)
            }
            memory.store(state)
            for index in 0..<count { body(index, unsafe memory.blocks[kernel.slot(index)]) }
        }
        return done != nil
    }

    /// One key for all lanes costs nothing to spread; keys of their own are turned into planes.
    @inline(__always)
    private func keys(_ memory: LaneMemory, _ count: Int, _ lane: (Int) -> Lane) -> LaneKeys {
        let first = lane(0).schedule
        var isShared = true
        var isThird = false
        for index in 0..<count {
            let schedule = lane(index).schedule
            isShared = isShared && schedule === first
            isThird = isThird || schedule.algorithm == .tripleDES3
        }
        if isShared { return memory.spread(first, to: 0) }
        return unsafe memory.load(count, to: 0, isSingle: scheme == .single, third: isThird) { index in
            unsafe lane(index).schedule.words
        }
    }
}
