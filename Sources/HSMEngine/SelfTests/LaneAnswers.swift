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
                return try macs(key, .retail, Array("Now is the time for it".utf8), .method2, count: 8)
            },
            // cup.field64
            answer("UnionPay MAC in lanes", Hex.encode(Array("8A9E91B8".utf8))) {
                let key = try open("C24A8FB57AA20123", .des)
                return try macs(key, .unionPay, Hex.decode("4D08F434464FE7BF") ?? [], .method1, count: 8)
            },
            // B3.purchase.mac1 and mac2, made and checked by turns; then the verdict.
            answer("e-purse MACs in lanes", "D45737C501") {
                let key = try open("00112233445566778899AABBCCDDEEFF", .tripleDES2)
                let session = PurchaseSession(random: 0x5846_33C9, offlineSequence: 0, terminalTransaction: 0)
                let time = TransactionTime(date: 0x2016_1216, time: 0x13_4600)
                let (mac1, mac2) = try exchanges(
                    key, false,
                    .purchaseMAC1(session, amount: 1, type: 6, terminal: try terminal(), time: time),
                    .purchaseMAC2(session, amount: 1, mac2: 0x66B5_4A6B))
                return BigEndian.bytes(mac1.mac) + [mac2.verdict.rawValue]
            },
            // A.load.mac1 and mac2; what a wrong MAC1 gets stands behind.
            answer("e-purse load in lanes", "3A845BF00000000000") {
                let key = try open("11223344556677888877665544332211", .tripleDES2)
                let (right, wrong) = try exchanges(
                    key, true, try load(mac1: 0x2988_AE5A), try load(mac1: 0x2988_AE5B))
                guard right.isRight else { throw PrimitiveError.resultInconsistent }
                return BigEndian.bytes(right.mac) + [wrong.verdict.rawValue] + BigEndian.bytes(wrong.mac)
            },
        ]

    private static func terminal() throws -> TerminalNumber {
        guard let number = TerminalNumber(0x0011_2233_4455) else { throw PrimitiveError.parameterInvalid }
        return number
    }

    private static func load(mac1: UInt32) throws -> PurseExchange {
        .authorisation(
            random: 0x1122_3344, onlineSequence: 0, oldBalance: 0, amount: 0x1000, type: 1, terminal: try terminal(),
            mac1: mac1, time: TransactionTime(date: 0x2011_1221, time: 0x21_4822))
    }

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

    /// The MAC that comes out of every lane.
    private static func macs(
        _ key: OpenKeySchedule, _ scheme: BitslicedMAC.Scheme, _ message: [UInt8], _ padding: MACPadding, count: Int
    ) throws -> [UInt8] {
        guard case .narrow(let schedule) = key, let kernel = DESVersion.best.kernels.first else {
            throw PrimitiveError.algorithmNotPermitted
        }
        var found: [Block8] = []
        let isDone = unsafe message.withUnsafeBufferPointer { bytes in
            let lane = unsafe BitslicedMAC.Lane(schedule, PaddedMessage(bytes, padding))
            let lanes = [BitslicedMAC.Lane](repeating: lane, count: kernel.lanes)
            return unsafe lanes.withUnsafeBufferPointer { lanes in
                unsafe BitslicedMAC(scheme: scheme, kernel: kernel).calculate(lanes) { found.append($1) }
            }
        }
        guard isDone, let first = found.first, found.allSatisfy({ $0 == first }) else {
            throw PrimitiveError.resultInconsistent
        }
        return MACValue(first, count: count).bytes
    }

    /// What two exchanges give that stand in the lanes by turns, under a card's key.
    private static func exchanges(
        _ key: OpenKeySchedule, _ isAuthorisation: Bool, _ even: PurseExchange, _ odd: PurseExchange
    ) throws -> (PurseAnswer, PurseAnswer) {
        guard case .narrow(let schedule) = key, let kernel = DESVersion.best.kernels.first else {
            throw PrimitiveError.algorithmNotPermitted
        }
        var found: [PurseAnswer] = []
        let lanes = (0..<kernel.lanes).map { lane in
            unsafe BitslicedSession.Lane(schedule, factors: nil, lane % 2 == 0 ? even : odd)
        }
        let isDone = unsafe lanes.withUnsafeBufferPointer { lanes in
            let pass = BitslicedSession(levels: 0, isAuthorisation: isAuthorisation, kernel: kernel)
            return unsafe pass.calculate(lanes) { found.append($1) }
        }
        guard isDone, found.count == kernel.lanes else { throw PrimitiveError.resultInconsistent }
        for lane in found.indices {
            let first = found[lane % 2]
            guard found[lane].isRight == first.isRight, found[lane].mac == first.mac else {
                throw PrimitiveError.resultInconsistent
            }
        }
        return (found[0], found[1])
    }
}
