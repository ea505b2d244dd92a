import CMemcheck
import HSMBridge

@testable import HSMEngine

extension Check {
    /// The module's own passes over lanes, from the bytes of a key to the verdict: batches of TACs, and MACs whose keys differ from
    /// lane to lane. Each pass is made twice, with a key that is known to memcheck and with one that is not, and must come out alike.
    static let lanes = versions.flatMap { version in
        (0...2).map { levels in
            Check(name: "batch of TACs, \(levels) levels of diversification, \(version.rawValue)") {
                try TACPass(levels: levels, version: version).run()
            }
        }
            + [BitslicedMAC.Scheme.single, .whole, .retail, .unionPay].map { scheme in
                Check(name: "MACs over lanes, \(scheme), \(version.rawValue)") { try macPass(scheme, version) }
            }
            + [false, true].flatMap { isAuthorisation in
                (0...2).map { levels in
                    let name = isAuthorisation ? "loads" : "session MACs"
                    return Check(name: "e-purse \(name), \(levels) levels, \(version.rawValue)") {
                        try SessionPass(levels: levels, isAuthorisation: isAuthorisation, version: version).run()
                    }
                }
            }
    }

    private static let versions = [DESVersion.portable, .avx2].filter(\.isAvailable)

    /// Once more what must be caught: libcrypto's DES finds its S-boxes in tables. The module uses it below ten computations.
    static let tables = Check(name: "libcrypto's DES", mustBeCaught: true) {
        let schedule = try DESSchedule(try key(0), algorithm: .tripleDES2)
        var block: Block8 = 0
        let first = unsafe UnsafeRawPointer(schedule.keys.first)
        unsafe kmsd_mark_secret(first, DESKeys.scheduleSize)
        schedule.keys.encrypt(&block)
        unsafe kmsd_mark_public(first, DESKeys.scheduleSize)
        unsafe withUnsafeBytes(of: &block) { unsafe kmsd_mark_public($0.baseAddress, $0.count) }
    }

    /// A two-key TDES key of its own for each number.
    fileprivate static func key(_ number: Int) throws(PrimitiveError) -> SecretBytes {
        try SecretBytes(count: 16) { (bytes: inout MutableSpan<UInt8>) throws(PrimitiveError) in
            for index in 0..<16 { bytes[index] = UInt8(truncatingIfNeeded: 37 &* index &+ 101 &* number &+ 11) }
        }
    }

    /// The words of a key that every pass over lanes starts from.
    fileprivate static func mark(_ schedule: DESSchedule, secret: Bool) {
        if secret {
            unsafe kmsd_mark_secret(schedule.words, 4 * MemoryLayout<Block8>.size)
        } else {
            unsafe kmsd_mark_public(schedule.words, 4 * MemoryLayout<Block8>.size)
        }
    }

    private static func macPass(_ scheme: BitslicedMAC.Scheme, _ version: DESVersion) throws {
        let kernel = version.kernels[version.kernels.count - 1]
        let schedules = try (0..<kernel.lanes).map { try DESSchedule(try key($0), algorithm: .tripleDES2) }
        let message = (0..<40).map { UInt8(truncatingIfNeeded: 7 &* $0) }
        func macs() -> [UInt64] {
            var macs: [UInt64] = []
            unsafe message.withUnsafeBufferPointer { bytes in
                let padded = unsafe PaddedMessage(bytes, .method2)
                let lanes = schedules.map { unsafe BitslicedMAC.Lane($0, padded) }
                unsafe lanes.withUnsafeBufferPointer { lanes in
                    _ = unsafe BitslicedMAC(scheme: scheme, kernel: kernel).calculate(lanes) { macs.append($1) }
                }
            }
            return macs
        }
        let expected = macs()
        for schedule in schedules { mark(schedule, secret: true) }
        var secret = macs()
        for schedule in schedules { mark(schedule, secret: false) }
        // The claimed MACs of every other lane are right.
        for (index, mac) in secret.enumerated() {
            let claimed = MACValue(expected[index] ^ UInt64(index & 1), count: 8).bytes
            tell(MACValue(mac, count: 8).matches(claimed.span))
        }
        unsafe secret.withUnsafeMutableBytes { unsafe kmsd_mark_public($0.baseAddress, $0.count) }
        guard secret == expected, secret.count == kernel.lanes else { throw Check.DifferentResult() }
    }

    struct DifferentResult: Error {}
}

/// A batch of TACs of which every third is genuine: one whole pass and a part of another.
private struct TACPass {
    let levels: Int
    let version: DESVersion

    func run() throws {
        let schedule = try DESSchedule(try Check.key(1), algorithm: .tripleDES2)
        let layout = TACRecordLayout(levels: levels, dataLength: 20)
        let count = version.kernels[0].lanes + 30
        let records = try self.records(count, OpenKeySchedule.narrow(schedule), layout)
        let lanes = BitslicedTAC(schedule: schedule, layout: layout, version: version)
        func verdicts() -> (bitmap: [UInt8], done: Int) {
            var bitmap = [UInt8](repeating: 0, count: (count + 7) / 8)
            let done = unsafe records.withUnsafeBytes { unsafe lanes.verify($0, into: &bitmap) }
            return (bitmap, done)
        }
        let expected = verdicts()
        Check.mark(schedule, secret: true)
        let secret = verdicts()
        Check.mark(schedule, secret: false)
        // The verdicts are told to whoever asked.
        unsafe secret.bitmap.withUnsafeBytes { unsafe kmsd_mark_public($0.baseAddress, $0.count) }
        let genuine = secret.bitmap.reduce(0) { $0 + $1.nonzeroBitCount }
        guard secret == expected, secret.done == count, genuine == (count + 2) / 3 else {
            throw Check.DifferentResult()
        }
    }

    private func records(_ count: Int, _ schedule: OpenKeySchedule, _ layout: TACRecordLayout) throws -> [UInt8] {
        var records: [UInt8] = []
        for number in 0..<count {
            let factors = (0..<levels).map { UInt64(number) &* 0x1_0000_0001 &+ UInt64($0) }
            let data = (0..<layout.dataLength).map { UInt8(truncatingIfNeeded: number &* 3 &+ $0) }
            for factor in factors { records += BigEndian.bytes(factor) }
            let tac = try schedule.tac(factors: factors, data: data.span).bytes
            records += data + tac.map { number % 3 == 0 ? $0 : ~$0 }
        }
        return records
    }
}

/// E-purse exchanges over all lanes: session MACs that are made and checked by turns, or loads; half of the claimed MACs are wrong.
private struct SessionPass {
    let levels: Int
    let isAuthorisation: Bool
    let version: DESVersion

    func run() throws {
        let kernel = version.kernels[version.kernels.count - 1]
        let schedule = try DESSchedule(try Check.key(2), algorithm: .tripleDES2)
        let factors = (0..<levels * kernel.lanes).map { UInt64($0) &* 0x1_0000_0001 }
        let exchanges = try (0..<kernel.lanes).map { try exchange($0, schedule, factors) }
        func answers() -> [PurseAnswer] {
            var answers: [PurseAnswer] = []
            unsafe factors.withUnsafeBytes { memory in
                let lanes = exchanges.indices.map { lane in
                    let start = unsafe memory.baseAddress.map { unsafe $0 + 8 * levels * lane }
                    return unsafe BitslicedSession.Lane(schedule, factors: start, exchanges[lane])
                }
                let pass = BitslicedSession(levels: levels, isAuthorisation: isAuthorisation, kernel: kernel)
                unsafe lanes.withUnsafeBufferPointer { lanes in
                    _ = unsafe pass.calculate(lanes) { answers.append($1) }
                }
            }
            return answers
        }
        let expected = answers()
        Check.mark(schedule, secret: true)
        var secret = answers()
        Check.mark(schedule, secret: false)
        // Told to whoever asked.
        unsafe secret.withUnsafeMutableBytes { unsafe kmsd_mark_public($0.baseAddress, $0.count) }
        let isSame = zip(secret, expected).allSatisfy { $0.isRight == $1.isRight && $0.mac == $1.mac }
        let right = secret.filter(\.isRight).count
        guard isSame, secret.count == kernel.lanes, right == kernel.lanes * (isAuthorisation ? 2 : 3) / 4 else {
            throw Check.DifferentResult()
        }
    }

    /// Of every two checks the second has a wrong MAC.
    private func exchange(_ lane: Int, _ schedule: DESSchedule, _ factors: [UInt64]) throws -> PurseExchange {
        let number = UInt32(truncatingIfNeeded: lane)
        guard let terminal = TerminalNumber(UInt64(lane) &* 0x1234_5679) else { throw Check.DifferentResult() }
        let time = TransactionTime(date: 0x2026_1123, time: number)
        let purchase = PurchaseSession(random: number, offlineSequence: 1, terminalTransaction: number &* 3)
        func load(mac1: UInt32) -> PurseExchange {
            .authorisation(
                random: number, onlineSequence: 1, oldBalance: 5, amount: number, type: 2, terminal: terminal,
                mac1: mac1, time: time)
        }
        let asked = isAuthorisation ? load(mac1: 0) : .purchaseMAC2(purchase, amount: number, mac2: 0)
        // From the bytes, as libcrypto calculates it.
        let card = Array(factors[levels * lane..<levels * lane + levels].map(UInt64.init(bigEndian:)))
        let right = try OpenKeySchedule.narrow(schedule).sessionMAC(
            factors: card, session: asked.session, data: asked.message.bytes.span
        ).leadingWord
        if isAuthorisation { return load(mac1: lane % 2 == 0 ? right : ~right) }
        if lane % 2 == 0 {
            return .purchaseMAC1(purchase, amount: number, type: 6, terminal: terminal, time: time)
        }
        return .purchaseMAC2(purchase, amount: number, mac2: lane % 4 == 1 ? right : ~right)
    }
}
