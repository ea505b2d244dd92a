import Foundation
import HSMBridge
import Testing

@testable import HSMEngine

/// Random keys, data and lengths: ours against libcrypto's EVP modes and CMAC, through the openssl command line.
@Suite struct DifferentialTests {
    private static func names(_ algorithm: KeyAlgorithm) -> (ecb: String, cbc: String) {
        switch algorithm {
        case .des, .tripleDES2: ("des-ede", "des-ede-cbc")
        case .tripleDES3: ("des-ede3", "des-ede3-cbc")
        case .aes128: ("aes-128-ecb", "aes-128-cbc")
        case .aes192: ("aes-192-ecb", "aes-192-cbc")
        case .aes256: ("aes-256-ecb", "aes-256-cbc")
        case .sm4: ("sm4-ecb", "sm4-cbc")
        case .rsa: ("", "")
        }
    }

    @Test(arguments: KeyBlockTests.symmetric) func `ECB and CBC agree with EVP, there and back`(
        algorithm: KeyAlgorithm
    ) throws {
        for blocks in [1, 2, 3, 8, 33] {
            let secret = try KeyMaterial.generate(algorithm)
            let key = try OpenKeySchedule(secret, algorithm: algorithm)
            let data = try SecureRandom.bytes(count: blocks * key.blockLength)
            let iv = try SecureRandom.bytes(count: key.blockLength)
            // Single DES as EDE with K | K: the default provider has no DES.
            let digits = Hex.encode(algorithm == .des ? secret.revealed() + secret.revealed() : secret.revealed())
            let (ecb, cbc) = Self.names(algorithm)
            let ecbOut = try OpenSSLCommand.run(["enc", "-\(ecb)", "-K", digits, "-nopad"], data)
            #expect(try key.encipher(.ecb, data.span) == ecbOut)
            #expect(try key.decipher(.ecb, ecbOut.span) == data)
            let cbcOut = try OpenSSLCommand.run(
                ["enc", "-\(cbc)", "-K", digits, "-iv", Hex.encode(iv), "-nopad"], data)
            #expect(try key.encipher(.cbc(iv: iv), data.span) == cbcOut)
            #expect(try key.decipher(.cbc(iv: iv), cbcOut.span) == data)
            // CBC-MAC with the whole key is the last CBC block.
            let rule: HSMEngine.MACAlgorithm = key.blockLength == 8 ? .iso1TripleDES : .iso1
            let mac = try key.mac(rule, padding: .none, iv: iv, over: data, length: key.blockLength)
            #expect(mac.matches(Array(cbcOut.suffix(key.blockLength))))
        }
    }

    @Test(arguments: [KeyAlgorithm.tripleDES3, .aes128, .aes192, .aes256, .sm4])
    func `CMAC agrees with EVP for every length around the block borders`(algorithm: KeyAlgorithm) throws {
        for length in [1, 7, 8, 9, 15, 16, 17, 31, 32, 33, 40, 200] {
            let secret = try KeyMaterial.generate(algorithm)
            let key = try OpenKeySchedule(secret, algorithm: algorithm)
            let data = try SecureRandom.bytes(count: length)
            let cipher = algorithm == .tripleDES3 ? "DES-EDE3-CBC" : Self.names(algorithm).cbc
            let output = try OpenSSLCommand.run(
                ["mac", "-cipher", cipher, "-macopt", "hexkey:\(Hex.encode(secret.revealed()))", "CMAC"], data)
            let text = String(decoding: output, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
            let mac = try key.mac(.cmac, padding: .none, over: data, length: key.blockLength)
            #expect(Hex.encode(mac.bytes) == text, "length \(length)")
        }
    }

    @Test func `retail MAC is its definition, block by block`() throws {
        let secret = try KeyMaterial.generate(.tripleDES2)
        let key = try OpenKeySchedule(secret, algorithm: .tripleDES2)
        let left = try OpenKeySchedule(try secret.extracting(0..<8), algorithm: .des)
        let right = try OpenKeySchedule(try secret.extracting(8..<16), algorithm: .des)
        for length in 1..<70 {
            let data = try SecureRandom.bytes(count: length)
            let chain = try left.mac(.iso1, padding: .method2, over: data, length: 8).bytes
            let middle = try right.decipher(.ecb, chain.span)
            let expected = try left.encipher(.ecb, middle.span)
            #expect(try key.mac(.iso3, padding: .method2, over: data, length: 8).matches(expected))
        }
    }

    @Test(arguments: [DigestAlgorithm.sha1, .sha256, .sm3]) func `digests agree with the command line`(
        digest: DigestAlgorithm
    ) throws {
        for length in [0, 1, 55, 56, 64, 1_000] {
            let data = try SecureRandom.bytes(count: length)
            let output = try OpenSSLCommand.run(["dgst", "-\(digest)", "-binary"], data)
            #expect(try digest.hash(data) == output)
        }
    }

    @Test func `an opened key serves many threads at once`() async throws {
        for algorithm in [KeyAlgorithm.tripleDES2, .aes256, .sm4] {
            let key = try OpenKeySchedule(try KeyMaterial.generate(algorithm), algorithm: algorithm)
            let data = try SecureRandom.bytes(count: 50)
            let expected = try key.mac(.cmac, padding: .none, over: data, length: 8).bytes
            await withTaskGroup(of: Bool.self) { group in
                for _ in 0..<8 {
                    group.addTask {
                        (0..<300).allSatisfy { _ in
                            (try? key.mac(.cmac, padding: .none, over: data, length: 8).matches(expected)) ?? false
                        }
                    }
                }
                for await isFine in group { #expect(isFine) }
            }
        }
    }
}
