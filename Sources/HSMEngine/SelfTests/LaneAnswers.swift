import HSMBridge

// Known answers of the bit-sliced DES: the same published values in every lane, by every kernel that this processor can run, and
// by the schemes on top of the fastest. Sources as in KnownAnswers.swift and CardAnswers.swift.
extension SelfTests {
    private static let key: Block8 = Block8(number: 0x0123_4567_89AB_CDEF)
    private static let plain: Block8 = Block8(number: 0x4E6F_7720_6973_2074)
    /// Enough for a pass of any version.
    private static let cards = 64

    static let laneAnswers: [SelfTest] =
        DESVersion.allCases.flatMap(\.kernels).map { kernel in
            answer("DES in lanes, \(kernel.name)", "3FA40E8A984D48154E6F772069732074") { try bothWays(kernel) }
        } + [
            answer("PBOC diversification in lanes", "496BD7A3513644533100B54E71196528") {
                let master = try open("00112233445566778899AABBCCDDEEFF", .tripleDES2)
                let factors = [UInt64](repeating: 0x1122_3344_5566_7788, count: cards)
                var found: [UInt8] = []
                try master.diversify(factors.span, levels: 1) { range, keys throws(PrimitiveError) in
                    // Published test values: they may lie in an array.
                    let bytes = keys.withBytes { span in (0..<span.count).map { span[$0] } }
                    found = Array(bytes.prefix(16))
                    for index in bytes.indices where bytes[index] != found[index % 16] { throw .resultInconsistent }
                }
                return found
            },
            // B3.purchase.tac, right and wrong by turns.
            answer("e-purse TAC in lanes", String(repeating: "AA", count: cards / 8)) {
                let key = try open("00112233445566778899AABBCCDDEEFF", .tripleDES2)
                let genuine = Hex.decode("00000001060011223344550000000020161216134600" + "8AF270DC") ?? []
                let forged = Hex.decode("00000001060011223344550000000020161216134600" + "8AF270DD") ?? []
                let records = (0..<cards / 2).flatMap { _ in genuine + forged }
                return try key.verifyTACs(records.span, layout: TACRecordLayout(levels: 0, dataLength: 22))
            },
            answer("MAC algorithm 3 in lanes", "5A692CE64F404145") {
                let key = try open("0123456789ABCDEFFEDCBA9876543210", .tripleDES2)
                return try retail(key, Array("Now is the time for it".utf8))
            },
        ]

    /// Enciphered and deciphered again, with the key loaded lane by lane.
    private static func bothWays(_ kernel: DESKernel) throws -> [UInt8] {
        let found: (Block8?, Block8?)? = LaneMemory.with(kernel, keys: 1) { memory in
            memory.fill(kernel.lanes) { _ in key }
            memory.loadKey(memory.key(0))
            memory.fill(kernel.lanes) { _ in plain }
            var state = memory.state(0)
            memory.load(state)
            memory.apply(memory.key(0), to: &state)
            memory.store(state)
            let enciphered = common(memory)
            memory.load(state)
            memory.apply(memory.key(0), to: &state, deciphering: true)
            memory.store(state)
            return (enciphered, common(memory))
        }
        guard let found, let enciphered = found.0, let deciphered = found.1 else {
            throw PrimitiveError.resultInconsistent
        }
        return MACValue(enciphered, count: 8).bytes + MACValue(deciphered, count: 8).bytes
    }

    /// The block that stands in every lane; nil where they differ.
    private static func common(_ memory: LaneMemory) -> Block8? {
        let first = unsafe memory.blocks[0]
        for lane in 0..<memory.kernel.lanes where unsafe memory.blocks[lane] != first { return nil }
        return first
    }

    private static func retail(_ key: OpenKeySchedule, _ message: [UInt8]) throws -> [UInt8] {
        guard case .narrow(let schedule) = key, let kernel = DESVersion.best.kernels.first else {
            throw PrimitiveError.algorithmNotPermitted
        }
        var found: [Block8] = []
        let isDone = unsafe message.withUnsafeBufferPointer { bytes in
            let lane = unsafe BitslicedMAC.Lane(schedule, PaddedMessage(bytes, .method2))
            let lanes = [BitslicedMAC.Lane](repeating: lane, count: kernel.lanes)
            return unsafe lanes.withUnsafeBufferPointer { lanes in
                unsafe BitslicedMAC(scheme: .retail, kernel: kernel).calculate(lanes) { found.append($1) }
            }
        }
        guard isDone, let first = found.first, found.allSatisfy({ $0 == first }) else {
            throw PrimitiveError.resultInconsistent
        }
        return MACValue(first, count: 8).bytes
    }
}
