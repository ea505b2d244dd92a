import HSMBridge
import Testing

@testable import HSMEngine

@Suite struct WeakKeyTests {
    private static func weakness(_ bytes: [UInt8], _ algorithm: KeyAlgorithm) throws -> KeyWeakness? {
        try WeakKeys.weakness(of: try SecretBytes(copying: bytes.span), algorithm: algorithm)
    }

    private static func bytes(_ number: UInt64) -> [UInt8] {
        (0..<8).map { UInt8(truncatingIfNeeded: number >> UInt64(56 - 8 * $0)) }
    }

    static let strong: UInt64 = 0x1337_C0DE_7654_98BA

    @Test(arguments: WeakKeys.desWeak) func `a weak key undoes itself and is refused anywhere in a key`(
        number: UInt64
    ) throws {
        let key = try openKey(Self.bytes(number))
        let block = Self.bytes(Self.strong)
        let once = try key.encipher(.ecb, block.span)
        #expect(try key.encipher(.ecb, once.span) == block)
        #expect(try Self.weakness(Self.bytes(Self.strong) + Self.bytes(number), .tripleDES2) == .desWeak)
        #expect(
            try Self.weakness(Self.bytes(number ^ 0x0101_0001_0001_0001) + Self.bytes(Self.strong), .tripleDES2)
                == .desWeak, "parity does not matter")
    }

    @Test func `each semi-weak key undoes its partner and is refused`() throws {
        let block = Self.bytes(Self.strong)
        let pairs = WeakKeys.desSemiWeak
        #expect(pairs.count == 12 && Set(pairs).count == 12)
        for index in stride(from: 0, to: pairs.count, by: 2) {
            let once = try openKey(Self.bytes(pairs[index])).encipher(.ecb, block.span)
            #expect(try openKey(Self.bytes(pairs[index + 1])).encipher(.ecb, once.span) == block)
            for number in pairs[index...index + 1] {
                #expect(try Self.weakness(Self.bytes(number), .des) == .desSemiWeak)
            }
        }
    }

    @Test func `equal parts make TDES single DES`() throws {
        let a = Self.bytes(Self.strong)
        let b = Self.bytes(0x2468_ACE0_1357_9BDF)
        let c = Self.bytes(0x5A3C_9681_F00D_77E2)
        #expect(try Self.weakness(a + a, .tripleDES2) == .halvesEqual)
        #expect(try Self.weakness(a + a.map { $0 ^ 1 }, .tripleDES2) == .halvesEqual)
        #expect(try Self.weakness(a + b, .tripleDES2) == nil)
        for key in [a + a + b, a + b + b, a + b + a] { #expect(try Self.weakness(key, .tripleDES3) == .halvesEqual) }
        #expect(try Self.weakness(a + b + c, .tripleDES3) == nil)
        #expect(try Self.weakness(a + a, .aes128) == nil, "no rule for AES")
    }

    @Test(arguments: KnownVendorKeys.all.map(\.value)) func `known keys are refused, parity apart`(
        value: [UInt8]
    ) throws {
        let algorithms: [KeyAlgorithm] =
            switch value.count {
            case 8: [.des]
            case 16: [.tripleDES2, .sm4, .aes128]
            case 24: [.tripleDES3, .aes192]
            default: [.aes256]
            }
        for algorithm in algorithms {
            let found = try Self.weakness(value, algorithm)
            guard case .vendorDefault = found else {
                Issue.record("\(algorithm): \(String(describing: found))")
                continue
            }
            #expect(found?.moduleError == .knownVendorKey)
            if OpenKeySchedule.isDES(algorithm) {
                guard case .vendorDefault = try Self.weakness(value.map { $0 ^ 1 }, algorithm) else {
                    Issue.record("found with other parity")
                    continue
                }
            }
        }
    }

    @Test func `the table has the keys that the facts name`() {
        let texts = Set(KnownVendorKeys.all.map { Hex.encode($0.value) })
        for text in [
            "57415443484441544154696D65434F53", "01020304050607081112131415161718", "0123456789ABCDEFFEDCBA9876543210",
            "00112233445566778899AABBCCDDEEFF", "404142434445464748494A4B4C4D4E4F", "3E013E013E013E013E013E013E013E01",
            "FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF", "34343434343434343434343434343434",
        ] { #expect(texts.contains(text)) }
        #expect(KnownVendorKeys.all.contains { $0.value == Array("ABCSXSQTTYCOS1.0".utf8) })
    }

    @Test func `constant bytes are refused for every algorithm`() throws {
        for byte in [UInt8(0x77), 0x80, 0x01] {
            for algorithm in [KeyAlgorithm.aes256, .sm4, .aes192] {
                let value = [UInt8](repeating: byte, count: algorithm.bits / 8)
                #expect(try Self.weakness(value, algorithm) == .constantBytes)
            }
        }
    }

    @Test func `generated keys are strong and have odd parity`() throws {
        for algorithm in KeyBlockTests.symmetric {
            for _ in 0..<50 {
                let key = try KeyMaterial.generate(algorithm)
                #expect(key.count * 8 == algorithm.bits)
                #expect(try WeakKeys.weakness(of: key, algorithm: algorithm) == nil)
                let hasOddParity = DESParity.isOdd(key)
                if OpenKeySchedule.isDES(algorithm) { #expect(hasOddParity) }
            }
        }
        #expect(throws: PrimitiveError.algorithmNotPermitted) { _ = try KeyMaterial.generate(.rsa(bits: 2_048)) }
    }

    @Test func `parity is the lowest bit of each byte`() {
        for byte in UInt8.min...UInt8.max {
            #expect(DESParity.odd(byte).nonzeroBitCount % 2 == 1)
            #expect(DESParity.odd(byte) & 0xFE == byte & 0xFE)
        }
    }
}
