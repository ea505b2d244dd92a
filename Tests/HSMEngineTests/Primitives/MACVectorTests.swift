import HSMBridge
import Testing

@testable import HSMEngine

@Suite struct MACVectorTests {
    /// From the vector's name: `iso9797.alg1.pad2.24`, `gbt15852.1.sm4.alg1.pad3.len25`.
    private static func rule(_ vector: Vector) throws -> (HSMEngine.MACAlgorithm, HSMEngine.MACPadding) {
        let parts = vector.id.split(separator: ".").map(String.init)
        let algorithm: HSMEngine.MACAlgorithm = parts.contains("alg1") ? .iso1 : .iso3
        let padding: HSMEngine.MACPadding =
            parts.contains("pad1") ? .method1 : parts.contains("pad2") ? .method2 : .method3
        return (algorithm, padding)
    }

    private static func check(
        _ vector: Vector, _ key: OpenKeySchedule, _ algorithm: HSMEngine.MACAlgorithm, _ padding: HSMEngine.MACPadding
    ) throws {
        let expected = try #require(Hex.decode(vector.expect))
        let message = try vector.message()
        let mac = try key.mac(algorithm, padding: padding, over: message, length: expected.count)
        #expect(Hex.encode(mac.bytes) == vector.expect)
        #expect(mac.matches(expected))
        for bit in 0..<8 * message.count {
            var changed = message
            changed[bit / 8] ^= 0x80 >> (bit % 8)
            let other = try key.mac(algorithm, padding: padding, over: changed, length: expected.count)
            #expect(!other.matches(expected), "bit \(bit) is not covered")
        }
        for bit in 0..<8 * expected.count {
            var changed = expected
            changed[bit / 8] ^= 0x80 >> (bit % 8)
            #expect(!mac.matches(changed))
        }
    }

    static let iso = Vector.all("mac.json", "iso9797.").filter { !$0.id.contains(".alg2.") }

    @Test(arguments: iso) func `ISO 9797-1 with DES gives the published value and covers every bit`(
        vector: Vector
    ) throws {
        let (algorithm, padding) = try Self.rule(vector)
        try Self.check(vector, try vector.key("key"), algorithm, padding)
    }

    static let zeroPadded = Vector.all("mac.json", "x99.") + Vector.all("mac.json", "fips113")

    @Test(arguments: zeroPadded) func `X9.9 and FIPS 113 are algorithm 1 with zeros`(vector: Vector) throws {
        try Self.check(vector, try vector.key("key"), .iso1, .method1)
    }

    static let sm4 = Vector.all("mac.json", "gbt15852.1.sm4.alg1")

    @Test(arguments: sm4) func `GB/T 15852.1 algorithm 1 with SM4 gives the published value`(vector: Vector) throws {
        let (algorithm, padding) = try Self.rule(vector)
        try Self.check(vector, try vector.key("key1", .sm4), algorithm, padding)
    }

    static let cmac =
        Vector.all("mac.json", "gbt15852.1.sm4.cmac") + Vector.all("mac.json", "aes128.cmac")

    @Test(arguments: cmac) func `CMAC gives the published value`(vector: Vector) throws {
        let algorithm: KeyAlgorithm = vector.id.hasPrefix("aes") ? .aes128 : .sm4
        try Self.check(vector, try vector.key("key", algorithm), .cmac, .none)
    }

    @Test func `every vector of the file is used, or is of an algorithm that we do not offer`() {
        let used = Self.iso.count + Self.zeroPadded.count + Self.sm4.count + Self.cmac.count
        let all = Vector.all("mac.json")
        let others = all.filter { vector in
            [".alg2.", ".sm4.alg3.", ".sm4.alg4."].contains { vector.id.contains($0) }
        }
        #expect(all.count == 38)
        #expect(used + others.count == all.count)
    }

    static let refused: [(HSMEngine.MACAlgorithm, HSMEngine.MACPadding, Int, Int)] = [
        (.iso1, .none, 7, 8), (.iso1, .none, 0, 8), (.iso1, .method1, 8, 3), (.iso1, .method1, 8, 16),
        (.cmac, .method2, 8, 8),
    ]

    @Test(arguments: refused) func `lengths and paddings that fit nothing are refused`(
        algorithm: HSMEngine.MACAlgorithm, padding: HSMEngine.MACPadding, dataLength: Int, macLength: Int
    ) throws {
        let key = try openKey(Array(0..<16))
        #expect(throws: PrimitiveError.self) {
            try key.mac(
                algorithm, padding: padding, over: [UInt8](repeating: 1, count: dataLength), length: macLength)
        }
    }

    @Test func `a message cut anywhere at a block chains to the same MAC`() throws {
        let message = (0..<96).map { UInt8($0) }
        for (algorithm, kind) in [
            (HSMEngine.MACAlgorithm.iso1, KeyAlgorithm.tripleDES2), (.iso3, .tripleDES2), (.iso1TripleDES, .tripleDES3),
            (.cmac, .tripleDES2), (.cmac, .aes256), (.iso1, .sm4),
        ] {
            let key = try OpenKeySchedule(try KeyMaterial.generate(kind), algorithm: kind)
            let padding: HSMEngine.MACPadding = algorithm == .cmac ? .none : .method2
            let whole = try key.mac(algorithm, padding: padding, over: message, length: 8)
            for cut in stride(from: key.blockLength, to: message.count, by: key.blockLength) {
                let state = try key.macChaining(algorithm, over: Array(message[..<cut]).span)
                let rest = try key.mac(algorithm, padding: padding, iv: state, over: Array(message[cut...]), length: 8)
                #expect(rest.matches(whole.bytes))
            }
        }
    }
}
