import Foundation
import HSMBridge
import Testing

@testable import HSMEngine

@Suite struct RSATests {
    static let pairs: [(Int, RSAExponent)] = [
        (1_024, .three), (1_024, .f4), (1_152, .three), (1_408, .f4), (2_048, .f4),
    ]

    @Test(arguments: pairs) func `a new pair signs, verifies, and every disturbed byte fails`(
        bits: Int, exponent: RSAExponent
    ) throws {
        let pair = try RSA.generate(bits: bits, exponent: exponent)
        let message = Array("settlement 2026-11-23".utf8)
        for digest in [DigestAlgorithm.sha256, .sha1] {
            var signature = try RSA.sign(message.span, digest, with: pair.privateKey)
            #expect(signature.count == bits / 8)
            let isGood = try RSA.verify(signature.span, of: message.span, digest, publicKey: pair.publicKey)
            #expect(isGood)
            for index in signature.indices {
                signature[index] ^= 1
                let isBad = try RSA.verify(signature.span, of: message.span, digest, publicKey: pair.publicKey)
                #expect(!isBad)
                signature[index] ^= 1
            }
        }
        let (modulus, publicExponent) = try RSA.components(ofPublicKey: pair.publicKey)
        #expect(modulus.count * 8 == bits && modulus[0] & 0x80 != 0)
        #expect(publicExponent == (exponent == .three ? [3] : [1, 0, 1]))
        #expect(try RSA.publicKey(modulus: modulus, exponent: publicExponent) == pair.publicKey)
        let again = try RSA.load(pair.privateKey)
        #expect(again.publicKey == pair.publicKey && again.bits == bits)
    }

    @Test func `the number operation undoes itself and refuses what is no number below the modulus`() throws {
        let pair = try RSA.generate(bits: 1_024)
        var block = try SecureRandom.bytes(count: 128)
        block[0] = 0x6A & 0x3F
        let signed = try RSA.applyPrivate(block.span, with: pair.privateKey)
        #expect(try RSA.applyPublic(signed.span, publicKey: pair.publicKey) == block)
        let large = [UInt8](repeating: 0xFF, count: 128)
        #expect(throws: PrimitiveError.parameterInvalid) {
            _ = try RSA.applyPublic(large.span, publicKey: pair.publicKey)
        }
        #expect(throws: PrimitiveError.dataLengthInvalid) {
            _ = try RSA.applyPrivate([UInt8](repeating: 0, count: 127).span, with: pair.privateKey)
        }
    }

    @Test(arguments: [512, 1_000, 1_030, 4_104, 0]) func `other lengths are refused`(bits: Int) {
        #expect(throws: PrimitiveError.keyLengthInvalid) { _ = try RSA.generate(bits: bits) }
    }

    @Test func `a private key with one changed number does not load`() throws {
        let der = try #require(Hex.decode(RSAKnownAnswer.privateKey))
        let good = try RSA.load(try SecretBytes(copying: der.span))
        #expect(good.bits == 1_024)
        // In the modulus, the private exponent, a prime, and the coefficient.
        for position in [20, 160, 300, 350, 420, 500, 600] {
            var changed = der
            changed[position] ^= 2
            #expect(throws: PrimitiveError.self, "byte \(position)") {
                _ = try RSA.load(try SecretBytes(copying: changed.span))
            }
        }
        #expect(throws: PrimitiveError.self) { _ = try RSA.load(try SecretBytes(copying: (der + [0]).span)) }
        #expect(throws: PrimitiveError.self) { _ = try RSA.load(try SecretBytes(count: 100)) }
    }

    @Test func `SM3 does not sign with RSA`() throws {
        let pair = try RSA.generate(bits: 1_024)
        #expect(throws: PrimitiveError.algorithmNotPermitted) {
            _ = try RSA.sign([UInt8]().span, .sm3, with: pair.privateKey)
        }
    }

    @Test func `the openssl command line verifies our signature under our public key`() throws {
        let pair = try RSA.generate(bits: 2_048)
        let message = try SecureRandom.bytes(count: 300)
        let signature = try RSA.sign(message.span, .sha256, with: pair.privateKey)
        let folder = try OpenSSLCommand.folder()
        defer { try? FileManager.default.removeItem(at: folder) }
        for (name, bytes) in [("m", message), ("s", signature), ("p", pair.publicKey)] {
            try Data(bytes).write(to: folder.appending(path: name))
        }
        let output = try OpenSSLCommand.run(
            ["dgst", "-sha256", "-keyform", "DER", "-verify", "p", "-signature", "s", "m"], [], in: folder)
        #expect(String(decoding: output, as: UTF8.self).contains("Verified OK"))
    }
}
