import HSMBridge

/// The fixed shape of the records of a TAC batch: factors of 8 bytes for each level | data | TAC of 4 bytes, one after another.
struct TACRecordLayout: Sendable {
    /// Levels of diversification from the given key to the card's DTK, 0 to `DerivedKey.maximumLevels`.
    let levels: Int
    /// Bytes that the TAC covers, 1 to 255.
    let dataLength: Int

    var stride: Int { 8 * levels + dataLength + 4 }
}

extension OpenKeySchedule {
    /// Checks the TACs of many records. Bitmap: record i is bit 7 - i % 8 of byte i / 8, 1 = genuine.
    func verifyTACs(_ records: Span<UInt8>, layout: TACRecordLayout) throws(PrimitiveError) -> [UInt8] {
        try checkLevels(layout.levels)
        guard (1...255).contains(layout.dataLength) else { throw .parameterInvalid }
        guard records.count % layout.stride == 0 else { throw .dataLengthInvalid }
        let count = records.count / layout.stride
        if case .narrow(let schedule) = self, layout.levels > 0 {
            return try Self.narrowBitmap(schedule, records, layout)
        }
        var bitmap = [UInt8](repeating: 0, count: (count + 7) / 8)
        var factors = [UInt64](repeating: 0, count: layout.levels)
        for index in 0..<count {
            let start = index * layout.stride
            for level in 0..<layout.levels { factors[level] = Block8(leading: records, from: start + 8 * level).number }
            let dataStart = start + 8 * layout.levels
            let dataEnd = dataStart + layout.dataLength
            let tac = try tac(factors: factors, data: records.extracting(dataStart..<dataEnd))
            if tac.matches(records.extracting(dataEnd..<dataEnd + 4)) { bitmap[index >> 3] |= 0x80 >> (index & 7) }
        }
        return bitmap
    }

    /// Under a DES master all records share one working memory, which is wiped when the batch ends. `layout` is checked.
    private static func narrowBitmap(
        _ schedule: DESSchedule, _ records: Span<UInt8>, _ layout: TACRecordLayout
    ) throws(PrimitiveError) -> [UInt8] {
        let count = records.count / layout.stride
        var bitmap = [UInt8](repeating: 0, count: (count + 7) / 8)
        let master = schedule.keys
        try DerivationScratch.with { scratch in
            var factors = InlineArray<4, UInt64>(repeating: 0)
            unsafe records.withUnsafeBytes { bytes in
                for index in 0..<count {
                    let start = index * layout.stride
                    for level in 0..<layout.levels {
                        let word = unsafe bytes.loadUnaligned(fromByteOffset: start + 8 * level, as: UInt64.self)
                        factors[level] = UInt64(bigEndian: word)
                    }
                    let card = scratch.expandFolded(master, factors.span.extracting(0..<layout.levels))
                    let data = start + 8 * layout.levels
                    let end = data + layout.dataLength
                    let mac = NarrowMAC.chain(
                        card, .single, iv: 0, padding: .method2, records.extracting(data..<end))
                    let claimed = unsafe bytes.loadUnaligned(fromByteOffset: end, as: UInt32.self)
                    // One comparison of one word: its time does not depend on where they differ.
                    if UInt32(truncatingIfNeeded: mac) == claimed { bitmap[index >> 3] |= 0x80 >> (index & 7) }
                }
            }
        }
        return bitmap
    }
}
