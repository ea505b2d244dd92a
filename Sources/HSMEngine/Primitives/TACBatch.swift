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
    func verifyTACs(
        _ records: Span<UInt8>, layout: TACRecordLayout, version: DESVersion = .best
    ) throws(PrimitiveError) -> [UInt8] {
        try checkLevels(layout.levels)
        guard (1...255).contains(layout.dataLength) else { throw .parameterInvalid }
        guard records.count % layout.stride == 0 else { throw .dataLengthInvalid }
        let count = records.count / layout.stride
        var bitmap = [UInt8](repeating: 0, count: (count + 7) / 8)
        var done = 0
        if case .narrow(let schedule) = self, schedule.algorithm != .tripleDES3 {
            let lanes = BitslicedTAC(schedule: schedule, layout: layout, version: version)
            done = unsafe records.withUnsafeBytes { bytes in unsafe lanes.verify(bytes, into: &bitmap) }
        }
        try verifyEach(records, layout, done..<count, &bitmap)
        return bitmap
    }

    /// One record after another: under an SM4 master, and where too few are left for a pass.
    private func verifyEach(
        _ records: Span<UInt8>, _ layout: TACRecordLayout, _ range: Range<Int>, _ bitmap: inout [UInt8]
    ) throws(PrimitiveError) {
        var factors = [UInt64](repeating: 0, count: layout.levels)
        for index in range {
            let start = index * layout.stride
            for level in 0..<layout.levels { factors[level] = Block8(leading: records, from: start + 8 * level).number }
            let dataStart = start + 8 * layout.levels
            let dataEnd = dataStart + layout.dataLength
            let tac = try tac(factors: factors, data: records.extracting(dataStart..<dataEnd))
            if tac.matches(records.extracting(dataEnd..<dataEnd + 4)) { bitmap[index >> 3] |= 0x80 >> (index & 7) }
        }
    }
}
