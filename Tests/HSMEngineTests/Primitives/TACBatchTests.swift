import HSMBridge
import Testing

@testable import HSMEngine

@Suite struct TACBatchTests {
    private static func records(
        _ key: OpenKeySchedule, _ layout: TACRecordLayout, _ count: Int, genuine: (Int) -> Bool
    ) throws -> [UInt8] {
        var all: [UInt8] = []
        for index in 0..<count {
            let head = try SecureRandom.bytes(count: 8 * layout.levels)
            let factors = stride(from: 0, to: head.count, by: 8).map { start in
                head[start..<start + 8].reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
            }
            let data = try SecureRandom.bytes(count: layout.dataLength)
            var tac = try key.tac(factors: factors, data: data.span).bytes
            if !genuine(index) { tac[index % 4] ^= 1 << UInt8(index % 8) }
            all += head + data + tac
        }
        return all
    }

    static let shapes: [(KeyAlgorithm, Int, Int, Int)] = [
        (.tripleDES2, 0, 22, 5), (.tripleDES2, 1, 22, 77), (.tripleDES2, 2, 24, 33), (.tripleDES2, 4, 255, 9),
        (.sm4, 1, 22, 20), (.sm4, 2, 16, 20), (.sm4, 0, 1, 8), (.des, 0, 22, 16),
    ]

    @Test(arguments: shapes) func `the bitmap shows exactly the genuine records`(
        algorithm: KeyAlgorithm, levels: Int, dataLength: Int, count: Int
    ) throws {
        let key = try OpenKeySchedule(try KeyMaterial.generate(algorithm), algorithm: algorithm)
        let layout = TACRecordLayout(levels: levels, dataLength: dataLength)
        let records = try Self.records(key, layout, count) { $0 % 3 != 1 }
        let bitmap = try key.verifyTACs(records.span, layout: layout)
        #expect(bitmap.count == (count + 7) / 8)
        for index in 0..<8 * bitmap.count {
            let bit = bitmap[index / 8] >> UInt8(7 - index % 8) & 1
            #expect(bit == (index < count && index % 3 != 1 ? 1 : 0), "record \(index)")
        }
    }

    @Test func `shapes that do not fit are refused`() throws {
        let key = try OpenKeySchedule(try KeyMaterial.generate(.tripleDES2), algorithm: .tripleDES2)
        let bytes = [UInt8](repeating: 0, count: 68)
        #expect(try key.verifyTACs([UInt8]().span, layout: TACRecordLayout(levels: 1, dataLength: 22)) == [])
        #expect(throws: PrimitiveError.dataLengthInvalid) {
            try key.verifyTACs(bytes.span, layout: TACRecordLayout(levels: 1, dataLength: 23))
        }
        #expect(throws: PrimitiveError.parameterInvalid) {
            try key.verifyTACs(bytes.span, layout: TACRecordLayout(levels: 5, dataLength: 22))
        }
        #expect(throws: PrimitiveError.parameterInvalid) {
            try key.verifyTACs(bytes.span, layout: TACRecordLayout(levels: 1, dataLength: 0))
        }
        let aes = try OpenKeySchedule(try KeyMaterial.generate(.aes128), algorithm: .aes128)
        #expect(throws: PrimitiveError.algorithmNotPermitted) {
            try aes.verifyTACs(bytes.span, layout: TACRecordLayout(levels: 1, dataLength: 22))
        }
    }

    @Test func `one step of diversification and TAC equals the steps by hand`() throws {
        let master = try KeyMaterial.generate(.tripleDES2)
        let key = try OpenKeySchedule(master, algorithm: .tripleDES2)
        for length in 0..<60 {
            let data = try SecureRandom.bytes(count: length)
            let factors = (0..<(1 + length % 4)).map { _ in UInt64.random(in: .min ... .max) }
            let card = try key.diversified(by: factors)
            let left = try card.extracting(0..<8)
            let folded = try SecretBytes(xor: left, try card.extracting(8..<16))
            let byHand = try OpenKeySchedule(folded, algorithm: .des).mac(
                .iso1, padding: .method2, over: data, length: 4)
            #expect(try key.tac(factors: factors, data: data.span).matches(byHand.bytes))
            #expect(try key.opened(by: factors).tac(factors: [], data: data.span).matches(byHand.bytes))
            let line = try key.lineMAC(factors: factors, challenge: [1, 2, 3, 4], data: data.span)
            let retail = try key.opened(by: factors).mac(
                .iso3, padding: .method2, iv: [1, 2, 3, 4, 0, 0, 0, 0], over: data, length: 4)
            #expect(line.matches(retail.bytes))
            let session = UInt64.random(in: .min ... .max)
            let block = (0..<8).map { UInt8(truncatingIfNeeded: session >> UInt64(56 - 8 * $0)) }
            let sessionKey = try key.authenticate(factors: factors, challenge: block)
            let slow = try openKey(sessionKey).mac(.iso1, padding: .method2, over: data, length: 4)
            #expect(try key.sessionMAC(factors: factors, session: session, data: data.span).matches(slow.bytes))
        }
    }

    @Test func `only two-key TDES and SM4 diversify, and four levels at most`() throws {
        for algorithm in [KeyAlgorithm.des, .tripleDES3, .aes128, .aes192, .aes256] {
            let key = try OpenKeySchedule(try KeyMaterial.generate(algorithm), algorithm: algorithm)
            #expect(throws: PrimitiveError.algorithmNotPermitted) { _ = try key.diversified(by: [1]) }
        }
        let key = try OpenKeySchedule(try KeyMaterial.generate(.sm4), algorithm: .sm4)
        #expect(throws: PrimitiveError.parameterInvalid) { _ = try key.diversified(by: [1, 2, 3, 4, 5]) }
        #expect(throws: PrimitiveError.parameterInvalid) { _ = try key.diversified(by: []) }
    }
}
