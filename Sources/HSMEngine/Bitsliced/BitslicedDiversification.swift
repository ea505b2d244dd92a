import HSMBridge

extension OpenKeySchedule {
    /// Cards whose keys fit one piece of secret memory.
    static let cardsPerPiece = SecretMemory.maximumSize / 16

    /// Card keys for many cards at once. `factors`: `levels` for each card, one after another, big-endian numbers. `body` gets
    /// the keys piece by piece: the range of cards, and 16 bytes for each of them.
    func diversify(
        _ factors: Span<UInt64>, levels: Int, version: DESVersion = .best,
        _ body: (Range<Int>, borrowing SecretBytes) throws(PrimitiveError) -> Void
    ) throws(PrimitiveError) {
        guard levels > 0 else { throw .parameterInvalid }
        try checkLevels(levels)
        guard factors.count % levels == 0 else { throw .dataLengthInvalid }
        let count = factors.count / levels
        for start in stride(from: 0, to: count, by: Self.cardsPerPiece) {
            let cards = start..<min(count, start + Self.cardsPerPiece)
            let part = factors.extracting(cards.lowerBound * levels..<cards.upperBound * levels)
            var keys = try SecretBytes(count: 16 * cards.count)
            if case .narrow(let schedule) = self, cards.count >= BreakEven.calculations(version),
                Self.diversifyLanes(schedule, part, levels, version, &keys)
            {
                try body(cards, keys)
                continue
            }
            for card in 0..<cards.count {
                let one = (0..<levels).map { part[levels * card + $0] }
                let key = try diversified(by: one)
                key.withBytes { bytes in
                    keys.withMutableBytes { output in
                        for index in 0..<16 { output[16 * card + index] = bytes[index] }
                    }
                }
            }
            try body(cards, keys)
        }
    }

    /// False, and nothing is done, where the system gives no memory for a pass.
    private static func diversifyLanes(
        _ schedule: DESSchedule, _ factors: Span<UInt64>, _ levels: Int, _ version: DESVersion,
        _ keys: inout SecretBytes
    ) -> Bool {
        let count = factors.count / levels
        let kernel = version.kernel(for: count)
        return keys.withMutableBytes { output in
            unsafe output.withUnsafeMutableBytes { output in
                unsafe factors.withUnsafeBufferPointer { factors in
                    let done: Void? = LaneMemory.with(kernel, keys: LaneMemory.keys) { memory in
                        let master = memory.spread(schedule, to: 0)
                        for start in stride(from: 0, to: count, by: kernel.lanes) {
                            let lanes = min(kernel.lanes, count - start)
                            let (left, right) = memory.derive(lanes, levels: levels, master: master) { lane, level in
                                unsafe Block8(number: factors[levels * (start + lane) + level])
                            }
                            for (half, state) in [left, right].enumerated() {
                                memory.store(state)
                                for lane in 0..<lanes {
                                    unsafe output.storeBytes(
                                        of: memory.blocks[kernel.slot(lane)],
                                        toByteOffset: 16 * (start + lane) + 8 * half, as: Block8.self)
                                }
                            }
                        }
                    }
                    return done != nil
                }
            }
        }
    }
}
