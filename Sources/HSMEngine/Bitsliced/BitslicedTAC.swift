import HSMBridge

/// TAC batches over lanes: diversify, xor the halves, CBC-MAC, compare; between the card number and the verdict nothing of a
/// card's key leaves the planes.
@safe struct BitslicedTAC {
    let schedule: DESSchedule
    let layout: TACRecordLayout
    let version: DESVersion

    /// Sets the bits of the genuine records from `first` on, and answers how many records it has done: all, or fewer where
    /// too few are left for a pass or the system gives no memory. `bitmap` is zero.
    func verify(_ records: UnsafeRawBufferPointer, into bitmap: inout [UInt8]) -> Int {
        let count = records.count / layout.stride
        guard count >= BreakEven.calculations(version), let base = records.baseAddress else { return 0 }
        var done = 0
        while count - done >= BreakEven.calculations(version) {
            let kernel = version.kernel(for: count - done)
            // Whole passes under one spreading of the master's key.
            let passes = max(1, (count - done) / kernel.lanes)
            let end = min(count, done + passes * kernel.lanes)
            let finished = LaneMemory.with(kernel, keys: LaneMemory.keys) { memory in
                let keys = prepare(memory)
                for start in stride(from: done, to: end, by: kernel.lanes) {
                    let lanes = min(kernel.lanes, end - start)
                    let verdicts = unsafe pass(memory, keys, base + start * layout.stride, lanes)
                    Self.copy(verdicts, lanes, to: &bitmap, at: start / 8)
                }
                return end
            }
            guard let finished else { return done }
            done = finished
        }
        return done
    }

    /// The master's key; without levels the TAC key itself.
    private func prepare(_ memory: LaneMemory) -> LaneKeys {
        if layout.levels > 0 { return memory.spread(schedule, to: 0) }
        unsafe memory.spread(schedule.words[3], to: memory.key(2))
        return memory.single(2)
    }

    @unsafe private func pass(
        _ memory: LaneMemory, _ keys: LaneKeys, _ base: UnsafeRawPointer, _ count: Int
    ) -> LaneMask {
        let stride = layout.stride
        if layout.levels > 0 {
            let (left, right) = memory.derive(count, levels: layout.levels, master: keys) { lane, level in
                unsafe base.loadUnaligned(fromByteOffset: lane * stride + 8 * level, as: Block8.self)
            }
            memory.makeKey(memory.key(2), from: left, xor: right)
        }
        let card = memory.key(2)
        let start = 8 * layout.levels
        let length = layout.dataLength
        var state = memory.state(0)
        memory.clear(state)
        for index in 0...length / 8 {
            if index == length / 8, length % 8 == 0 {
                memory.absorb(0x80, into: state)
            } else {
                memory.fill(count) { lane in
                    let data = unsafe (base + lane * stride + start).assumingMemoryBound(to: UInt8.self)
                    return unsafe PaddedMessage(UnsafeBufferPointer(start: data, count: length), .method2).block(index)
                }
                memory.absorb(into: state)
            }
            memory.apply(card, to: &state)
        }
        // What should have come out xored in, so that a genuine TAC leaves zeros: a comparison of all lanes at once.
        memory.fill(count) { lane in
            Block8(unsafe base.loadUnaligned(fromByteOffset: lane * stride + start + length, as: UInt32.self))
        }
        memory.absorb(into: state)
        return memory.zeroLanes(state, bytes: 4)
    }

    /// Lanes that hold no record stay zero.
    private static func copy(_ verdicts: LaneMask, _ count: Int, to bitmap: inout [UInt8], at start: Int) {
        for byte in 0..<(count + 7) / 8 {
            let bits = UInt8(truncatingIfNeeded: verdicts.words[byte >> 3] >> UInt64(8 * (byte & 7)))
            let filled = min(8, count - 8 * byte)
            bitmap[start + byte] = bits & ~(filled == 8 ? 0 : 0xFF >> UInt8(filled))
        }
    }
}
