import HSMBridge

/// Session MACs of the e-purse over lanes, each with a key, factors and an exchange of its own: diversify, encipher the session
/// block, chain the messages under what comes out. Neither card keys nor session keys leave the planes.
struct BitslicedSession {
    /// One lane. Points to what its maker keeps alive.
    @safe struct Lane: BitwiseCopyable {
        let key: KeyWords
        /// Eight bytes a level; not looked at without levels.
        let factors: UnsafeRawPointer
        let exchange: PurseExchange

        @inline(__always)
        @unsafe init(_ schedule: DESSchedule, factors: UnsafeRawPointer?, _ exchange: PurseExchange) {
            key = KeyWords(schedule)
            unsafe self.factors = factors ?? UnsafeRawPointer(schedule.words)
            self.exchange = exchange
        }
    }

    /// From the lanes' keys to the cards'.
    let levels: Int
    /// All lanes check a MAC and make another; else none does.
    let isAuthorisation: Bool
    let kernel: DESKernel

    /// The answer of each lane, which `body` gets with the lane's number; at most as many as the kernel has. False, and nothing
    /// is done, where the system gives no memory.
    @inline(__always)
    func calculate(_ lanes: UnsafeBufferPointer<Lane>, _ body: (Int, PurseAnswer) -> Void) -> Bool {
        guard let first = lanes.baseAddress else { return true }
        let count = lanes.count
        let done: Void? = LaneMemory.with(kernel, keys: LaneMemory.keys) { memory in
            let session = unsafe sessionKeys(memory, first, count)
            let mac = chain(memory, count, session) { unsafe first[$0].exchange.message }
            guard isAuthorisation else {
                memory.store(mac)
                for lane in 0..<count {
                    let found = Self.word(unsafe memory.blocks[kernel.slot(lane)])
                    body(lane, unsafe first[lane].exchange.answer { _ in found })
                }
                return
            }
            // What the card claims xored in, so that a right MAC1 leaves zeros: a comparison of all lanes at once.
            memory.fill(count) { Block8(number: UInt64(unsafe first[$0].exchange.claimed) << 32) }
            memory.absorb(into: mac)
            let isRight = memory.zeroLanes(mac, bytes: 4)
            let answer = chain(memory, count, session) { unsafe first[$0].exchange.answer }
            // MAC2 leaves the planes in the lanes whose MAC1 was right; the others stay zero.
            let allowed = memory.state(1)
            memory.clear(allowed)
            memory.take(answer, into: allowed, isRight)
            memory.store(allowed)
            for lane in 0..<count {
                let mac2 = Self.word(unsafe memory.blocks[kernel.slot(lane)])
                body(lane, PurseAnswer(isRight: isRight.contains(lane), mac: mac2))
            }
        }
        return done != nil
    }

    /// The first four bytes of a block as a number.
    private static func word(_ block: Block8) -> UInt32 { UInt32(truncatingIfNeeded: block.number >> 32) }

    /// 3DES(DK, session block) of each lane, as a DES key in key 0.
    @unsafe private func sessionKeys(_ memory: LaneMemory, _ lanes: UnsafePointer<Lane>, _ count: Int) -> LaneKey {
        var keys = memory.load(count, isSingle: false) { unsafe lanes[$0].key }
        if levels > 0 {
            let (left, right) = memory.derive(count, levels: levels, master: keys) { lane, level in
                unsafe lanes[lane].factors.loadUnaligned(fromByteOffset: 8 * level, as: Block8.self)
            }
            keys = memory.makeKeys(from: left, right)
        }
        var state = memory.state(0)
        memory.fill(count) { Block8(number: unsafe lanes[$0].exchange.session) }
        memory.load(state)
        memory.encrypt(&state, keys)
        let session = memory.key(0)
        memory.makeKey(session, from: state)
        return session
    }

    /// CBC from zero over each lane's message. Uses state 0, and state 2 where messages are not of one length.
    @inline(__always)
    private func chain(
        _ memory: LaneMemory, _ count: Int, _ key: LaneKey, _ message: (_ lane: Int) -> PurseMessage
    ) -> LaneState {
        var state = memory.state(0)
        memory.clear(state)
        var shortest = message(0).blocks
        var longest = shortest
        for lane in 1..<max(1, count) {
            let blocks = message(lane).blocks
            shortest = min(shortest, blocks)
            longest = max(longest, blocks)
        }
        let result = memory.state(2)
        for index in 0..<longest {
            memory.fill(count) { message($0).block(index) }
            memory.absorb(into: state)
            memory.apply(key, to: &state)
            guard shortest < longest, index + 1 >= shortest else { continue }
            // Lanes that end here keep their value while the longer ones go on.
            var ended = LaneMask()
            for lane in 0..<count where message(lane).blocks == index + 1 { ended.insert(lane) }
            memory.take(state, into: result, ended)
        }
        return shortest < longest ? result : state
    }
}
