import HSMBridge
import Testing

@testable import HSMEngine

/// The schemes over lanes against the published vectors and against the same schemes one after another.
@Suite struct LaneSchemeTests {
    typealias Algorithm = HSMEngine.MACAlgorithm

    // MARK: MACs

    private struct Message {
        let key: DESSchedule
        let data: [UInt8]
        let padding: HSMEngine.MACPadding
    }

    private static func narrow(_ key: OpenKeySchedule) throws -> DESSchedule {
        guard case .narrow(let schedule) = key else { throw PrimitiveError.algorithmNotPermitted }
        return schedule
    }

    /// The MACs of messages that stand in the order of falling block counts.
    private static func macs(_ messages: [Message], _ scheme: BitslicedMAC.Scheme, _ kernel: DESKernel) -> [Block8] {
        // All messages in one place that does not move.
        let all = messages.flatMap(\.data) + [0]
        var offsets = [0]
        for message in messages { offsets.append(offsets[offsets.count - 1] + message.data.count) }
        var results = [Block8](repeating: 0, count: messages.count)
        unsafe all.withUnsafeBufferPointer { memory in
            let lanes = messages.indices.map { index in
                let data = unsafe UnsafeBufferPointer(rebasing: memory[offsets[index]..<offsets[index + 1]])
                return unsafe BitslicedMAC.Lane(messages[index].key, PaddedMessage(data, messages[index].padding))
            }
            let done = unsafe lanes.withUnsafeBufferPointer { lanes in
                unsafe BitslicedMAC(scheme: scheme, kernel: kernel).calculate(lanes) { results[$0] = $1 }
            }
            #expect(done)
        }
        return results
    }

    private static func blocks(_ message: Message) -> Int {
        unsafe message.data.withUnsafeBufferPointer { unsafe PaddedMessage($0, message.padding).blocks }
    }

    static let vectors = MACVectorTests.iso + MACVectorTests.zeroPadded

    @Test(arguments: DESVersion.allCases) func `the published MACs come out of every lane`(version: DESVersion) throws {
        for kernel in try LaneTests.kernels(version) {
            for vector in Self.vectors {
                let parts = vector.id.split(separator: ".").map(String.init)
                let key = try Self.narrow(try vector.key("key"))
                let isRetail = parts.contains("alg3")
                let padding: HSMEngine.MACPadding =
                    parts.contains("pad2") ? .method2 : parts.contains("pad3") ? .method3 : .method1
                let data = try vector.message()
                let messages = [Message](
                    repeating: Message(key: key, data: data, padding: padding), count: kernel.lanes)
                let expected = try #require(Hex.decode(vector.expect))
                for mac in Self.macs(messages, isRetail ? .retail : .single, kernel) {
                    #expect(MACValue(mac, count: expected.count).matches(expected), "\(vector.id)")
                }
            }
        }
    }

    @Test(arguments: DESVersion.allCases)
    func `MACs with keys, lengths and paddings of their own equal those made one by one`(
        version: DESVersion
    ) throws {
        for kernel in try LaneTests.kernels(version) {
            for scheme in [BitslicedMAC.Scheme.single, .whole, .retail] {
                for count in [1, 9, 63, 64, 65, kernel.lanes] where count <= kernel.lanes {
                    try Self.check(scheme, kernel, count)
                }
            }
        }
    }

    private static func check(_ scheme: BitslicedMAC.Scheme, _ kernel: DESKernel, _ count: Int) throws {
        let kinds: [KeyAlgorithm] = scheme == .single ? [.des, .tripleDES2] : [.tripleDES2, .tripleDES3]
        let keys = try (0..<7).map { index -> (OpenKeySchedule, DESSchedule) in
            let kind = kinds[index % kinds.count]
            let key = try OpenKeySchedule(try KeyMaterial.generate(kind), algorithm: kind)
            return (key, try narrow(key))
        }
        let paddings: [HSMEngine.MACPadding] = [.method1, .method2, .method3, .none]
        var all = try (0..<count).map { index -> (open: OpenKeySchedule, message: Message) in
            let padding = paddings[index % 4]
            var length = (index * 5) % 41
            if padding == .none { length = max(8, length / 8 * 8) }
            let key = keys[(index * 3) % keys.count]
            return (
                key.0,
                Message(
                    key: key.1, data: try SecureRandom.bytes(count: length), padding: padding)
            )
        }
        all.sort { blocks($0.message) > blocks($1.message) }
        let results = macs(all.map(\.message), scheme, kernel)
        let algorithm: Algorithm = scheme == .single ? .iso1 : scheme == .whole ? .iso1TripleDES : .iso3
        for (index, item) in all.enumerated() {
            let expected = try item.open.mac(
                algorithm, padding: item.message.padding, over: item.message.data, length: 8)
            #expect(MACValue(results[index], count: 8).matches(expected.bytes), "lane \(index) of \(count)")
        }
    }

    // MARK: TACs

    static let tacs = CardVectorTests.purse.filter { $0.id.hasSuffix(".tac") }

    @Test(arguments: DESVersion.allCases)
    func `the TACs of real cards are genuine in every lane, and with a flipped bit in none`(
        version: DESVersion
    ) throws {
        let lanes = try LaneTests.kernels(version).map(\.lanes).max() ?? 64
        #expect(!Self.tacs.isEmpty)
        for vector in Self.tacs {
            let key = try vector.key("dtk")
            let data = try vector.message()
            let tac = try #require(Hex.decode(vector.expect))
            var records: [UInt8] = []
            for lane in 0..<lanes {
                var record = data + tac
                // Every second record has one wrong bit somewhere.
                let bit = lane % (8 * record.count)
                if lane % 2 == 1 { record[bit / 8] ^= 0x80 >> UInt8(bit % 8) }
                records += record
            }
            let layout = TACRecordLayout(levels: 0, dataLength: data.count)
            let bitmap = try key.verifyTACs(records.span, layout: layout, version: version)
            #expect(bitmap == [UInt8](repeating: 0b1010_1010, count: lanes / 8))
        }
    }

    /// Counts around the widths of the kernels, with levels and lengths that differ.
    static let shapes: [(levels: Int, length: Int, count: Int)] = [
        (1, 22, 9), (1, 22, 10), (1, 24, 63), (2, 22, 64), (0, 22, 65), (3, 1, 255), (1, 7, 256), (4, 8, 257),
        (1, 24, 511), (2, 23, 512), (1, 24, 513), (1, 64, 1_100),
    ]

    @Test(arguments: DESVersion.allCases, Self.shapes) func `the bitmap of a batch is that of its records one by one`(
        version: DESVersion, shape: (levels: Int, length: Int, count: Int)
    ) throws {
        _ = try LaneTests.kernels(version)
        let key = try OpenKeySchedule(try KeyMaterial.generate(.tripleDES2), algorithm: .tripleDES2)
        let layout = TACRecordLayout(levels: shape.levels, dataLength: shape.length)
        var records: [UInt8] = []
        for index in 0..<shape.count {
            let head = try SecureRandom.bytes(count: 8 * shape.levels)
            let factors = stride(from: 0, to: head.count, by: 8).map { Block8(leading: head.span, from: $0).number }
            let data = try SecureRandom.bytes(count: shape.length)
            var tac = try key.tac(factors: factors, data: data.span).bytes
            if index % 3 == 1 { tac[index % 4] ^= 1 << UInt8(index % 8) }
            records += head + data + tac
        }
        let bitmap = try key.verifyTACs(records.span, layout: layout, version: version)
        #expect(bitmap.count == (shape.count + 7) / 8)
        for index in 0..<8 * bitmap.count {
            let bit = bitmap[index / 8] >> UInt8(7 - index % 8) & 1
            #expect(bit == (index < shape.count && index % 3 != 1 ? 1 : 0), "record \(index)")
        }
    }

    // MARK: Diversification

    static let diversification = CardVectorTests.diversification.filter { !$0.id.contains("sm4") }

    @Test(arguments: DESVersion.allCases) func `the published card keys come out of every lane`(version: DESVersion)
        throws
    {
        let lanes = try LaneTests.kernels(version).map(\.lanes).max() ?? 64
        for vector in Self.diversification {
            let factors = try (vector.lists["factors"] ?? [try #require(vector.fields["x"])]).map { text in
                try #require(UInt64(text, radix: 16))
            }
            let key = try vector.key("mk", .tripleDES2)
            let all = (0..<lanes).flatMap { _ in factors }
            var seen = 0
            try key.diversify(all.span, levels: factors.count, version: version) { cards, keys in
                let bytes = keys.revealed()
                for card in 0..<cards.count {
                    #expect(Hex.encode(Array(bytes[16 * card..<16 * card + 16])) == vector.expect)
                    seen += 1
                }
            }
            #expect(seen == lanes)
        }
    }

    @Test(arguments: DESVersion.allCases) func `the keys of a card batch are those of its cards one by one`(
        version: DESVersion
    ) throws {
        _ = try LaneTests.kernels(version)
        for algorithm in [KeyAlgorithm.tripleDES2, .sm4] {
            let key = try OpenKeySchedule(try KeyMaterial.generate(algorithm), algorithm: algorithm)
            for (levels, count) in [(1, 3), (1, 100), (2, 64), (3, 300), (4, 513), (1, 1_030)] {
                let factors = (0..<levels * count).map { _ in UInt64.random(in: 0 ... .max) }
                var next = 0
                try key.diversify(factors.span, levels: levels, version: version) {
                    cards, keys throws(PrimitiveError) in
                    #expect(cards.lowerBound == next)
                    let bytes = keys.revealed()
                    for card in cards {
                        let one = try key.diversified(by: Array(factors[levels * card..<levels * card + levels]))
                        let start = 16 * (card - cards.lowerBound)
                        #expect(Array(bytes[start..<start + 16]) == one.revealed(), "card \(card)")
                    }
                    next = cards.upperBound
                }
                #expect(next == count)
            }
        }
    }

    @Test func `factors that are no whole cards are refused`() throws {
        let key = try OpenKeySchedule(try KeyMaterial.generate(.tripleDES2), algorithm: .tripleDES2)
        let factors: [UInt64] = [1, 2, 3]
        #expect(throws: PrimitiveError.dataLengthInvalid) { try key.diversify(factors.span, levels: 2) { _, _ in } }
        #expect(throws: PrimitiveError.parameterInvalid) { try key.diversify(factors.span, levels: 0) { _, _ in } }
        let aes = try OpenKeySchedule(try KeyMaterial.generate(.aes128), algorithm: .aes128)
        #expect(throws: PrimitiveError.algorithmNotPermitted) {
            try aes.diversify(factors.span, levels: 1) { _, _ in }
        }
    }
}
